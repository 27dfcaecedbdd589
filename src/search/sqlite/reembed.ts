/** New vectors for documents that another embedder made, a few at a time, while the index serves. */
import type { Embedder } from '../../embed/embedder.ts';
import { passageOf } from '../../embed/passage.ts';
import type { IndexDatabase } from './database.ts';
import { bumpChange } from '../index/segments.ts';
import { deleteVectors, insertVectors } from '../index/vectors.ts';

/** Documents of one call. */
const documentsPerCall = 8;
const batchChunks = 64;

/** Safe to run beside anything: a document that was replaced meanwhile is left as it is. Says how many are left. */
export async function reembedSome(database: IndexDatabase, embedder: Embedder): Promise<number> {
  const due = database.all(
    'SELECT id, collection, first_chunk, chunks, title FROM document WHERE embedder <> ? LIMIT ?',
    embedder.id,
    documentsPerCall,
  );
  for (const row of due) {
    const [id, firstChunk, chunks] = [row['id'], row['first_chunk'], row['chunks']] as [number, number, number];
    const collection = row['collection'] as string;
    const vectors =
      embedder.dimensions === 0 ? [] : await embedChunks(database, embedder, firstChunk, chunks, row['title'] as string | null);
    database.write(() => {
      const { changes } = database.run('UPDATE document SET embedder = ? WHERE id = ?', embedder.id, id);
      if (changes === 0) return;
      deleteVectors(database, id, firstChunk, chunks);
      if (vectors.length > 0) insertVectors(database, { collection, document: id, firstChunk, embedder: embedder.id }, vectors);
      bumpChange(database, collection);
    });
  }
  return database.get('SELECT count(*) AS n FROM document WHERE embedder <> ?', embedder.id)!['n'] as number;
}

async function embedChunks(
  database: IndexDatabase,
  embedder: Embedder,
  firstChunk: number,
  chunks: number,
  title: string | null,
): Promise<Float32Array[]> {
  const vectors: Float32Array[] = [];
  for (let from = firstChunk; from < firstChunk + chunks; from += batchChunks) {
    const to = Math.min(from + batchChunks, firstChunk + chunks);
    const rows = database.all('SELECT section, context, text FROM chunk WHERE id >= ? AND id < ? ORDER BY id', from, to);
    const passages = rows.map((row) =>
      passageOf(
        {
          section: JSON.parse(row['section'] as string) as string[],
          context: row['context'] as string,
          text: row['text'] as string,
        },
        title,
      ),
    );
    vectors.push(...(await embedder.embed(passages, 'passage')));
  }
  return vectors;
}
