/**
 * Tells a searcher what is in the outbox. Of all processes one does it at a time: whoever holds a lock of the database, in a transaction that
 * stays open while the searcher works, so that a process that dies lets go at once, and one that is frozen is cut off by the server. No
 * clock is read. What such a process may still send when it wakes has an older turn than its successor's, by which the searcher refuses it.
 */
import { AppError } from '../../../errors.ts';
import type { Logger } from '../../../logger.ts';
import { completeDocument, type IndexedDocument } from '../../../search/document-index.ts';
import {
  type Change,
  type FollowedChunk,
  followedChunk,
  type FollowingSearcher,
} from '../../../search/following/following-searcher.ts';
import { troubleOf } from '../../../trouble.ts';
import type { Database, Row } from '../database.ts';
import { firstChunkOf } from '../index/index-catalog.ts';
import type { StoredChunk } from '../index/stored-chunk.ts';
import type { Batch, Outbox } from './outbox.ts';

export interface Follower {
  /** Something may be in the outbox: tells it, unless another process is at it. */
  nudge(): void;
  close(): Promise<void>;
}

/** The outbox is looked at so often without a nudge: for what processes noted that are gone. */
const lookMs = 1000;
/** After trouble, the next try. */
const againMs = 2000;
/** The open transaction says so often that this process lives: far more often than the server's patience ends. */
const aliveMs = 500;
/** Chunks that are read, and cut into terms, at a time. */
const chunksAtOnce = 128;

/** `looks`: also without a nudge, for as long as it is open. */
export function createFollower(options: {
  readonly database: Database;
  readonly outbox: Outbox;
  readonly searcher: Pick<FollowingSearcher, 'apply' | 'clear'>;
  readonly looks: boolean;
  readonly logger: Logger;
}): Follower {
  const { database, outbox, searcher, logger } = options;
  let closed = false;
  let running: Promise<void> | null = null;
  let again = false;
  let restedUntil = 0;
  const timer = options.looks ? setInterval(nudge, lookMs) : undefined;

  function nudge(): void {
    again = true;
    if (closed || running !== null || performance.now() < restedUntil) return;
    // Outside the transaction of whoever calls.
    running = database
      .apart(follow)
      .catch((error: unknown) => {
        restedUntil = performance.now() + againMs;
        logger.warn({ err: error }, 'the searcher could not be told what changed; it is tried again');
      })
      .finally(() => (running = null));
  }

  /** Whoever finds another process at it leaves: that one looks once more after it has let go. */
  async function follow(): Promise<void> {
    while (again && !closed) {
      again = false;
      let told = await turn();
      while (told === 'some' && !closed) told = await turn();
      if (told === 'none' && !(await outbox.isEmpty())) again = true;
    }
  }

  async function turn(): Promise<'some' | 'none' | 'busy'> {
    return database.transaction(async () => {
      const [lock] = await database.query(`SELECT pg_try_advisory_xact_lock(hashtext('rag_intake follow')) AS got`);
      if (lock?.['got'] !== true) return 'busy';
      const batch = await outbox.next();
      if (batch === null) return 'none';
      const [row] = await database.query(`SELECT nextval('outbox_turn') AS turn`);
      await whileAlive(database, () => tell(row!['turn'] as number, batch));
      return 'some';
    });
  }

  async function tell(turn: number, batch: Batch): Promise<void> {
    if (batch.is === 'clear') {
      await database.apart(() => searcher.clear(turn));
      return outbox.done([batch.id]);
    }
    const ids = batch.noted.map(({ id }) => id);
    try {
      const changes = await changesOf(
        database,
        batch.noted.map(({ document }) => document),
      );
      await database.apart(() => searcher.apply(turn, changes));
      await outbox.done(ids);
    } catch (error) {
      if (isTrouble(error)) throw error;
      await tellEach(turn, batch);
    }
  }

  /** One of them is what it does not take. */
  async function tellEach(turn: number, { noted }: Extract<Batch, { is: 'documents' }>): Promise<void> {
    for (const { id, document } of noted) {
      try {
        const changes = await changesOf(database, [document]);
        await database.apart(() => searcher.apply(turn, changes));
        await outbox.done([id]);
      } catch (error) {
        if (isTrouble(error)) throw error;
        logger.error({ err: error, document }, 'the searcher refuses a document, which is not found until it is told again');
        await outbox.refuse(id);
      }
    }
  }

  return {
    nudge,
    async close() {
      clearInterval(timer);
      // What this process has noted last, and nobody else may be there.
      if (again && running === null) nudge();
      await running;
      closed = true;
      await running;
    },
  };
}

function isTrouble(error: unknown): boolean {
  return error instanceof AppError || troubleOf(error) !== null;
}

/** Shows the server that the transaction around this call is not abandoned while `work` is done elsewhere. */
async function whileAlive(database: Database, work: () => Promise<void>): Promise<void> {
  let asked: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    asked = database.query('SELECT 1').catch(() => undefined);
  }, aliveMs);
  try {
    await work();
  } finally {
    clearInterval(timer);
    await asked;
  }
}

/** As it is now, in the order in which they were noted last. */
async function changesOf(database: Database, documents: readonly number[]): Promise<Change[]> {
  const rows = await database.query('SELECT id, collection, chunks, record FROM document WHERE id = ANY($1::bigint[])', [
    documents,
  ]);
  const there = new Map(rows.map((row) => [row['id'] as number, row]));
  return [...new Set(documents)].map((id): Change => {
    const row = there.get(id);
    return row === undefined ? { is: 'gone', id } : { is: 'there', document: followed(database, row) };
  });
}

function followed(database: Database, row: Row): Extract<Change, { is: 'there' }>['document'] {
  const id = row['id'] as number;
  const chunks = row['chunks'] as number;
  const { title } = completeDocument(JSON.parse(row['record'] as string) as IndexedDocument);
  return { id, collection: row['collection'] as string, chunks, read: () => chunksOf(database, firstChunkOf(id), chunks, title) };
}

async function* chunksOf(database: Database, first: number, count: number, title: string | null): AsyncGenerator<FollowedChunk[]> {
  for (let from = first; from < first + count; from += chunksAtOnce) {
    const to = Math.min(from + chunksAtOnce, first + count);
    const rows = await database.query('SELECT id, body FROM chunk WHERE id >= $1 AND id < $2 ORDER BY id', [from, to]);
    yield rows.map((row) => {
      const { text, section, context = '' } = JSON.parse(row['body'] as string) as StoredChunk;
      return followedChunk(row['id'] as number, { text, section: JSON.parse(section) as string[], context }, title);
    });
  }
}
