/**
 * Tells a searcher what is in the outbox. Of all processes one does it at a time: whoever holds a lock of the database, in a transaction that
 * stays open while the searcher works, so that a process that dies lets go at once, and one that is frozen is cut off by the server. No
 * clock is read. What such a process may still send when it wakes has an older turn than its successor's, by which the searcher refuses it.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { AppError } from '../../../errors.ts';
import type { Logger } from '../../../logger.ts';
import type { Change, FollowedChunk, FollowingSearcher } from '../../../search/following/following-searcher.ts';
import { troubleOf } from '../../../trouble.ts';
import type { Database } from '../database.ts';
import { changesOf, type DocumentState, statesOf } from './document-states.ts';
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
/** So long whoever stops goes on telling. What is not told by then, in the middle of a document too, is another's or the next start's. */
const closeMs = 1000;

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
  /** What is told now is let go of. */
  let cut = false;
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
        if (cut) return;
        restedUntil = performance.now() + againMs;
        logger.warn({ err: error }, 'changes could not be sent to the searcher; trying again');
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
      return outbox.cleared(batch.id, check);
    }
    const states = await statesOf(database, batch.noted);
    if (await takes(turn, states.flatMap(changesOf)))
      return outbox.done(
        states.flatMap(({ rows }) => rows),
        states.flatMap(goneOf),
      );
    // One of them is what it does not take.
    for (const state of states) await tellAlone(turn, state);
  }

  async function tellAlone(turn: number, state: DocumentState): Promise<void> {
    const { rows, gone, there } = state;
    if (await takes(turn, changesOf(state))) return outbox.done(rows, goneOf(state));
    logger.error(
      { document: there?.document.id ?? gone[0]?.id },
      'the searcher refused a document; it cannot be found until it is sent again',
    );
    // What is not there any more would be found, and make every question wait.
    const isForgotten = there !== null && (await takes(turn, gone));
    const refused = isForgotten ? state.rowsOfThere : rows;
    await outbox.refuse(refused);
    await outbox.done(
      rows.filter((id) => !refused.includes(id)),
      isForgotten ? goneOf(state) : [],
    );
  }

  function check(): void {
    if (cut) throw new AppError('unavailable', 'RAG service is not ready.', { cause: 'it stops' });
  }

  function untilCut(change: Change): Change {
    if (change.is === 'gone') return change;
    const { document } = change;
    async function* read(): AsyncGenerator<readonly FollowedChunk[]> {
      for await (const chunks of document.read()) {
        check();
        yield chunks;
      }
    }
    return { is: 'there', document: { ...document, read } };
  }

  /** False: it will never take one of these. */
  async function takes(turn: number, changes: readonly Change[]): Promise<boolean> {
    try {
      await database.apart(() => searcher.apply(turn, changes.map(untilCut)));
      return true;
    } catch (error) {
      if (isTrouble(error)) throw error;
      logger.debug({ err: error }, 'the searcher refuses what it is told');
      return false;
    }
  }

  return {
    nudge,
    async close() {
      clearInterval(timer);
      // What this process has noted last, and nobody else may be there.
      if (again && running === null) nudge();
      await Promise.race([running, pause(closeMs, undefined, { ref: false })]);
      closed = true;
      cut = true;
      await running;
    },
  };
}

function goneOf({ gone }: DocumentState): number[] {
  return gone.map(({ id }) => id);
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
