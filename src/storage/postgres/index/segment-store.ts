/** The segments of the index in tables, for writers: adding a document's, and merging those of like size. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { AppError } from '../../../errors.ts';
import { type Block, type PostingList, termsOfBlock } from '../../../search/index/posting-blocks.ts';
import { chooseMerge, goneShare, mergeStored, mergeWidth, type StoredSegment, WordWriter } from '../../../search/index/segments.ts';
import { type Database, hasSqlState, type Row } from '../database.ts';
import { packed, unpacked } from './packed.ts';

/** Chunks of the largest segment that a merge may make of smaller ones. */
const mergedChunksMax = 500_000;
/** A segment too large to be merged is written anew when so much of it is gone. */
const goneShareMax = 0.25;
/** Bytes of blocks written, and read ahead of each source, at a time: what the event loop is held for, some 10 ms. */
const batchBytes = 1024 * 1024;
const readAheadBlocks = 64;
/** Words put together between two turns of the event loop. */
const wordsAtOnce = 5000;

/** A merge that failed for a reason of its own, which trying again would meet again. */
export class MergeFailed extends Error {
  readonly segments: readonly number[];

  constructor(segments: readonly number[], cause: unknown) {
    super(`segments ${segments.join(', ')} could not be merged`, { cause });
    this.segments = segments;
  }
}

/** Adds a segment. In the caller's transaction. */
export async function insertSegment(database: Database, collection: string, segment: StoredSegment): Promise<void> {
  const blocks = [...segment.blocks];
  if (blocks.reduce((sum, { data }) => sum + data.length, 0) > batchBytes)
    return insertBlocks(database, await insertHead(database, collection, segment), blocks);
  const sql = `WITH head AS (${headSql}) ${blocksSql('(SELECT id FROM head)', 6)}`;
  await database.run(sql, [...headValues(collection, segment), ...blockValues(blocks)]);
}

/**
 * Does one merge when one is due and nobody else is at it; of those in `left` none is merged. True when it did: ask again.
 * Memory: a few MiB, whatever the segments' size.
 * @throws MergeFailed. What `Database` throws, when it is the server's trouble.
 */
export async function mergeSome(database: Database, left: ReadonlySet<number>): Promise<boolean> {
  return alone(database, async () => {
    const small = 'chunks <= $1 AND NOT id = ANY($2::bigint[])';
    const values = [mergedChunksMax / 8, [...left]];
    const due = await database.query(
      `SELECT collection FROM segment WHERE ${small} GROUP BY collection HAVING count(*) >= $3 ORDER BY count(*) DESC`,
      [...values, mergeWidth],
    );
    for (const { collection } of due) {
      const sql = `SELECT id, chunks FROM segment WHERE ${small} AND collection = $3 ORDER BY id`;
      const rows = await database.query(sql, [...values, collection]);
      const listed = rows.map((row) => ({ id: row['id'] as number, chunks: row['chunks'] as number }));
      // So many that one which cannot be merged keeps few others from it.
      const ids = chooseMerge(listed, mergedChunksMax, mergeWidth);
      if (ids !== null) return ids;
    }
    return null;
  });
}

/** Writes a large segment anew of which much is gone, as `mergeSome` does with small ones. */
export async function renewSome(database: Database, left: ReadonlySet<number>): Promise<boolean> {
  return alone(database, async () => {
    const gone = await removedDocuments(database);
    if (gone.size === 0) return null;
    const sql = 'SELECT id, runs FROM segment WHERE chunks > $1 AND NOT id = ANY($2::bigint[]) ORDER BY id';
    const rows = await database.query(sql, [mergedChunksMax / 8, [...left]]);
    const worn = rows.find((row) => goneShare(row['runs'] as Uint8Array, gone) >= goneShareMax);
    return worn === undefined ? null : [worn['id'] as number];
  });
}

function alone(database: Database, choose: () => Promise<readonly number[] | null>): Promise<boolean> {
  return database.transaction(async () => {
    const [lock] = await database.query(`SELECT pg_try_advisory_xact_lock(hashtext('rag_intake merge')) AS got`);
    if (lock?.['got'] !== true) return false;
    const ids = await choose();
    if (ids === null) return false;
    await merge(database, ids).catch((error: unknown) => {
      throw error instanceof AppError || hasSqlState(error, '40P01', '40001') ? error : new MergeFailed(ids, error);
    });
    return true;
  });
}

/** A document that is removed meanwhile stays in `removed`, and is left out by the next merge. */
async function merge(database: Database, ids: readonly number[]): Promise<void> {
  const gone = await removedDocuments(database);
  const sql = 'SELECT id, collection, runs, lengths, words FROM segment WHERE id = ANY($1::bigint[]) ORDER BY id';
  const readers: SegmentReader[] = [];
  const rows = await database.query(sql, [ids]);
  for (const row of rows) readers.push(await openReader(database, row));
  const merged = mergeStored(readers, gone);
  if (merged.chunks > 0) {
    const segment = await insertHead(database, rows[0]!['collection'] as string, { ...merged, words: await encode(merged.words) });
    await insertBlocks(database, segment, merged.blocks, async () => {
      for (const reader of readers) await reader.readAhead();
    });
  }
  await database.run('DELETE FROM segment WHERE id = ANY($1::bigint[])', [ids]);
  await database.run('DELETE FROM removed WHERE document = ANY($1::bigint[])', [merged.documentsGone]);
}

async function removedDocuments(database: Database): Promise<Set<number>> {
  return new Set((await database.query('SELECT document FROM removed')).map((row) => row['document'] as number));
}

async function openReader(database: Database, row: Row): Promise<SegmentReader> {
  const id = row['id'] as number;
  const listed = await database.query('SELECT id, first FROM posting_block WHERE segment = $1', [id]);
  const blocks = listed.map((block) => ({ id: block['id'] as number, first: JSON.parse(block['first'] as string) as string }));
  return new SegmentReader(database, row, blocks);
}

/** Of a row of `segment`. */
export function wordsIn(row: Row): Uint8Array | null {
  const words = row['words'] as Uint8Array | null;
  return words === null ? null : unpacked(words);
}

type BlockHead = { readonly id: number; readonly first: string };

/** A segment that is read from end to end, some blocks ahead of what is asked for. */
class SegmentReader {
  readonly id: number;
  readonly runs: Uint8Array;
  readonly lengths: Uint8Array;
  readonly words: Uint8Array | null;
  readonly terms: Generator<[string, PostingList] | null>;
  readonly #database: Database;
  /** In order, the last one first. */
  readonly #unread: number[];
  readonly #read: Uint8Array[] = [];

  constructor(database: Database, row: Row, blocks: readonly BlockHead[]) {
    this.id = row['id'] as number;
    this.runs = row['runs'] as Uint8Array;
    this.lengths = row['lengths'] as Uint8Array;
    this.words = wordsIn(row);
    this.#database = database;
    this.#unread = blocks.toSorted((a, b) => (a.first < b.first ? 1 : -1)).map((block) => block.id);
    this.terms = this.#terms();
  }

  /** Reads on when nothing is left of what was read. */
  async readAhead(): Promise<void> {
    if (this.#read.length > 0 || this.#unread.length === 0) return;
    const ids = this.#unread.splice(-readAheadBlocks).reverse();
    const rows = await this.#database.query('SELECT id, data FROM posting_block WHERE id = ANY($1::bigint[])', [ids]);
    const data = new Map(rows.map((row) => [row['id'] as number, row['data'] as Uint8Array]));
    for (const id of ids) this.#read.push(unpacked(data.get(id)!));
  }

  *#terms(): Generator<[string, PostingList] | null> {
    for (;;) {
      const block = this.#read.shift();
      if (block !== undefined) yield* termsOfBlock(block);
      else if (this.#unread.length > 0) yield null;
      else return;
    }
  }
}

async function encode(words: Iterable<string>): Promise<Uint8Array | null> {
  const writer = new WordWriter();
  let count = 0;
  for (const word of words) {
    writer.add(word);
    if (++count % wordsAtOnce === 0) await nextTurn();
  }
  return writer.take();
}

const headSql =
  'INSERT INTO segment(chunks, length, runs, lengths, words, collection) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id';

type Head = Omit<StoredSegment, 'blocks'>;

function headValues(collection: string, { chunks, length, runs, lengths, words }: Head): unknown[] {
  return [chunks, length, runs, lengths, words === null ? null : packed(words), collection];
}

async function insertHead(database: Database, collection: string, head: Head): Promise<number> {
  const [row] = await database.query(headSql, headValues(collection, head));
  return row!['id'] as number;
}

/** Null among the blocks: `readMore`, and go on. */
async function insertBlocks(
  database: Database,
  segment: number,
  blocks: Iterable<Block | null>,
  readMore: () => Promise<void> = nextTurn,
): Promise<void> {
  let batch: Block[] = [];
  let bytes = 0;
  const write = async (): Promise<void> => {
    if (batch.length > 0) await insertBatch(database, segment, batch);
    batch = [];
    bytes = 0;
  };
  for (const block of blocks) {
    if (block === null) {
      await readMore();
      continue;
    }
    batch.push(block);
    bytes += block.data.length;
    if (bytes >= batchBytes) await write();
  }
  await write();
}

async function insertBatch(database: Database, segment: number, blocks: readonly Block[]): Promise<void> {
  await database.run(blocksSql('$1', 1), [segment, ...blockValues(blocks)]);
}

/** `before`: how many values the statement has before those of the blocks. */
function blocksSql(segment: string, before: number): string {
  const [data, first, start, length] = [1, 2, 3, 4].map((place) => `$${before + place}`);
  return `INSERT INTO posting_block(segment, first, data) SELECT ${segment}, cut.first, substring(${data}::bytea FROM cut.start FOR cut.length)
    FROM unnest(${first}::text[], ${start}::integer[], ${length}::integer[]) AS cut(first, start, length)`;
}

/** As one value of bytes that the server cuts: the driver writes an array of bytes as hexadecimal text, which takes twice the room. */
function blockValues(blocks: readonly Block[]): unknown[] {
  const data = blocks.map((block) => packed(block.data));
  const lengths = data.map(({ length }) => length);
  let end = 1;
  const starts = lengths.map((length) => (end += length) - length);
  return [Buffer.concat(data), blocks.map((block) => JSON.stringify(block.first)), starts, lengths];
}
