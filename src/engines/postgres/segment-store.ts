/** The segments of the index in tables, for writers: adding a document's, and merging those of like size. */
import { chooseMerge, mergeInMemory, type StoredSegment } from '../../search/segments.ts';
import type { Database, Row } from './database.ts';

/** Chunks of the largest segment that a merge may make: it is put together in memory (about 600 bytes a chunk). */
const mergedChunksMax = 500_000;

/** Adds a segment. In the caller's transaction. */
export async function insertSegment(database: Database, segment: StoredSegment): Promise<void> {
  const sql = 'INSERT INTO segment(chunks, length, runs, lengths, words) VALUES ($1, $2, $3, $4, $5) RETURNING id';
  const [row] = await database.query(sql, [segment.chunks, segment.length, segment.runs, segment.lengths, segment.words]);
  const firsts = segment.blocks.map((block) => JSON.stringify(block.first));
  const datas = segment.blocks.map((block) => Buffer.from(block.data));
  const blocks = 'INSERT INTO posting_block(segment, first, data) SELECT $1, * FROM unnest($2::text[], $3::bytea[])';
  await database.run(blocks, [row!['id'], firsts, datas]);
}

/** Does one merge when one is due and nobody else is at it. True when it did: ask again. */
export async function mergeSome(database: Database): Promise<boolean> {
  return database.transaction(async () => {
    const [lock] = await database.query(`SELECT pg_try_advisory_xact_lock(hashtext('rag_intake merge')) AS got`);
    if (lock?.['got'] !== true) return false;
    const listed = await database.query('SELECT id, chunks FROM segment WHERE chunks <= $1 ORDER BY id', [mergedChunksMax / 8]);
    const ids = chooseMerge(listed as { id: number; chunks: number }[]);
    if (ids === null) return false;
    await merge(database, ids);
    return true;
  });
}

/** A document that is removed meanwhile stays in `removed`, and is left out by the next merge. */
async function merge(database: Database, ids: readonly number[]): Promise<void> {
  const gone = await database.query('SELECT document FROM removed');
  const segments = await database.query('SELECT id, runs, lengths, words FROM segment WHERE id = ANY($1::bigint[]) ORDER BY id', [
    ids,
  ]);
  const blocks = await database.query('SELECT segment, first, data FROM posting_block WHERE segment = ANY($1::bigint[])', [ids]);
  const sources = segments.map((row) => ({
    id: row['id'] as number,
    runs: row['runs'] as Uint8Array,
    lengths: row['lengths'] as Uint8Array,
    words: row['words'] as Uint8Array | null,
    blocks: blocks.filter((block) => block['segment'] === row['id']).map(toBlock),
  }));
  const { segment, documentsGone } = mergeInMemory(sources, new Set(gone.map((row) => row['document'] as number)));
  if (segment.chunks > 0) await insertSegment(database, segment);
  await database.run('DELETE FROM segment WHERE id = ANY($1::bigint[])', [ids]);
  await database.run('DELETE FROM removed WHERE document = ANY($1::bigint[])', [documentsGone]);
}

function toBlock(row: Row): { first: string; data: Uint8Array } {
  return { first: JSON.parse(row['first'] as string) as string, data: row['data'] as Uint8Array };
}
