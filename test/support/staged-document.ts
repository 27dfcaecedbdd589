/** The folder that an attempt leaves behind, made without parsing anything: for tests of the index. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Chunk } from '../../src/chunk/chunk.ts';
import type { IndexedDocument } from '../../src/search/document-index.ts';
import { undescribed } from '../../src/tasks/given.ts';

export type StagedDocument = Partial<IndexedDocument> &
  Pick<IndexedDocument, 'docId' | 'version'> & {
    /** One chunk each, on a page of its own. */
    readonly texts: readonly string[];
    readonly section?: readonly string[];
    /** One a chunk. */
    readonly vectors?: readonly Float32Array[];
  };

/** Writes chunks, vectors and meta into an empty folder, and returns what goes to `replace`. */
export async function stageDocument(folder: string, staged: StagedDocument): Promise<IndexedDocument> {
  const { texts, section = [], vectors, ...given } = staged;
  const chunks = toChunks(texts, section);
  const document: IndexedDocument = {
    // Versions that a test makes end in their number. One in 280 that are made by chance ends in twelve digits too.
    ordinal: Number(/^[0-9a-f]{8}-0000-7000-[78]000-(\d{12})$/.exec(given.version)?.[1] ?? 1),
    filename: `${given.docId}.txt`,
    mediaType: 'text/plain',
    fileBytes: 1,
    sha256: '0'.repeat(64),
    title: null,
    givenTitle: null,
    author: null,
    language: null,
    pages: texts.length,
    chunks: texts.length,
    characters: texts.join('\n\n').length,
    ...undescribed,
    insertedAt: '2026-01-01T00:00:00.000Z',
    embedder: 'builtin',
    declaredMediaType: null,
    reading: null,
    warnings: [],
    ...given,
  };
  await writeFile(join(folder, 'content.md'), texts.join('\n\n'));
  await writeFile(join(folder, 'chunks.ndjson'), chunks.map((chunk) => `${JSON.stringify(chunk)}\n`).join(''));
  if (vectors !== undefined)
    await writeFile(
      join(folder, 'vectors.bin'),
      Buffer.concat(vectors.map((vector) => new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength))),
    );
  await writeFile(join(folder, 'meta.json'), JSON.stringify({ document, dimensions: vectors?.[0]?.length ?? 0 }));
  return document;
}

function toChunks(texts: readonly string[], section: readonly string[]): Chunk[] {
  let start = 0;
  return texts.map((text, index) => {
    const chunk = { index, start, end: start + text.length, text, context: '', section, page: index + 1, pageEnd: index + 1 };
    start += text.length + 2;
    return chunk;
  });
}
