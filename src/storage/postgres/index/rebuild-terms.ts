/**
 * The segments of the index made anew from the stored chunks: what a term is differs between versions of this program, and segments of an older
 * one would not hold what questions ask for.
 */
import { readRecords } from '../../../records.ts';
import { chunkTerms } from '../../../search/analysis/chunk-terms.ts';
import { tokensVersion } from '../../../search/analysis/tokens.ts';
import type { IndexedDocument } from '../../../search/document-index.ts';
import type { ChunkRow } from '../../../search/ranking/hits.ts';
import { SegmentBuilder } from '../../../search/index/segments.ts';
import type { Blobs } from '../blobs.ts';
import type { Database, Row } from '../database.ts';
import { firstChunkOf } from './index-catalog.ts';
import { insertSegment, mergeSome } from './segment-store.ts';

/** Of the terms that this program makes and asks for. */
export const termsVersion = tokensVersion;

type Terms = Parameters<typeof chunkTerms>[0];

/** Documents between two looks at what is to be merged, and rows of chunks read at a time. */
const documentsAtOnce = 64;
const chunksAtOnce = 256;

/**
 * In the caller's transaction, while no server works on the database. Memory: the terms of one document. Says how many documents there are.
 * @throws what `blobs` throw.
 */
export async function rebuildTerms(database: Database, blobs: Pick<Blobs, 'open'>): Promise<number> {
  await database.run('DELETE FROM segment');
  await database.run('DELETE FROM removed');
  const sql = 'SELECT id, doc_key, version, chunks, record, collection FROM document WHERE id > $1 ORDER BY id LIMIT $2';
  let documents = 0;
  for (let last = 0; ;) {
    const rows = await database.query(sql, [last, documentsAtOnce]);
    if (rows.length === 0) return documents;
    for (const row of rows) await rebuildDocument(database, blobs, row);
    while (await mergeSome(database, new Set()));
    last = rows.at(-1)!['id'] as number;
    documents += rows.length;
  }
}

async function rebuildDocument(database: Database, blobs: Pick<Blobs, 'open'>, row: Row): Promise<void> {
  const id = row['id'] as number;
  const { title = null } = JSON.parse(row['record'] as string) as Partial<IndexedDocument>;
  const builder = new SegmentBuilder();
  for await (const chunk of chunksOf(database, blobs, row)) builder.add(chunkTerms(chunk, title));
  if (builder.chunks > 0) await insertSegment(database, row['collection'] as string, builder.build(id, firstChunkOf(id)));
}

/** As they were cut, with what their tables are headed by; where that file is gone, as hits show them. */
async function* chunksOf(database: Database, blobs: Pick<Blobs, 'open'>, row: Row): AsyncGenerator<Terms> {
  const sql = `SELECT blob FROM document_part WHERE doc_key = $1 AND version = $2 AND part = 'chunks.ndjson'`;
  const [part] = await database.query(sql, [row['doc_key'], row['version']]);
  const file = part === undefined ? null : await blobs.open(part['blob'] as number, null);
  if (file === null) return yield* shownChunks(database, row['id'] as number, row['chunks'] as number);
  for await (const record of readRecords(file.stream as AsyncIterable<Buffer>)) yield JSON.parse(record) as Terms;
}

async function* shownChunks(database: Database, id: number, chunks: number): AsyncGenerator<Terms> {
  const first = firstChunkOf(id);
  for (let from = first; from < first + chunks; from += chunksAtOnce) {
    const to = Math.min(from + chunksAtOnce, first + chunks);
    const rows = await database.query('SELECT body FROM chunk WHERE id >= $1 AND id < $2 ORDER BY id', [from, to]);
    for (const { body } of rows) {
      const { text, section } = JSON.parse(body as string) as ChunkRow;
      yield { text, section: JSON.parse(section) as string[], context: '' };
    }
  }
}
