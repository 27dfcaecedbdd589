/**
 * The connections to PostgreSQL: a small pool, transactions that every step inside them joins without being told, and errors
 * in the words of this program.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type pg from 'pg';
import { AppError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import { hasGone } from '../../search/turns.ts';
import { inOurWords, notReady, troubleOf } from '../../trouble.ts';
import { openServers, schemaName, type Servers } from './servers.ts';
import type { Standby } from '../engine.ts';
import { openStandbys, type Standbys, type Where, whereSql } from './standbys.ts';

export type Row = Record<string, unknown>;

export interface Database {
  /** Runs one statement, inside the transaction that this call is part of, if any. */
  query(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** How many rows a statement changed. */
  run(sql: string, values?: readonly unknown[]): Promise<number>;
  /**
   * All or nothing; part of the transaction around it when there is one. Tried again when the server chose it as the victim
   * of a deadlock, so `work` must do nothing but queries that cannot be done twice.
   */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  /** Does it when the transaction around this call is committed, before that returns, but outside it; at once where there is none. */
  afterCommit(work: () => void | Promise<void>): Promise<void>;
  /** Does it when the transaction around this call is known to be undone; never where nobody has heard how its commit ended. */
  afterRollback(work: () => void): void;
  /** Whether this call is part of a transaction that has not ended. */
  readonly isInside: boolean;
  /** Does it when this is the first call of that name in the transaction around it; at once where there is none. */
  once(name: string, work: () => Promise<void>): Promise<void>;
  /** Does it outside the transaction that this call is part of, on another connection. */
  apart<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Every query inside sees the same state. Changes nothing. When `signal` aborts, it waits for no connection any more, and the
   * statement that runs is cancelled.
   */
  snapshot<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** As `snapshot`, at a standby that has all that was committed when this was called, where there is one; else at the primary. */
  reading<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** The standbys that `reading` may ask, as they were found at the last look. */
  standbys(): readonly Standby[];
  /** Whether the server has refused something for want of room, and none was found since (`roomFound`). */
  readonly lacksRoom: boolean;
  roomFound(): void;
  /** Waits for what runs. */
  close(): Promise<void>;
}

export type DatabaseOptions = {
  /** `postgres://user:password@host:port/name`, or with several hosts. */
  readonly url: string;
  /** Those of the address, where others connect to them as well. */
  readonly servers?: Servers;
  /** The address leads to a pooler that shares connections between transactions, for a user whom `settlePooler` has prepared. Default: false. */
  readonly pooled?: boolean;
  /** Of standbys that `reading` may ask, one each, with as many connections and one more that looks at it. */
  readonly readUrls?: readonly string[];
  /** Connections of the pool; one more is held for notifications. */
  readonly connectionsMax: number;
  /** False for work that takes as long as there are rows, as new tables and indexes do. Default: true. */
  readonly statementsBounded?: boolean;
  /** A transaction that its process left alone for so long is undone by the server: it may be frozen, and holds locks. */
  readonly idleInTransactionMs: number;
  readonly logger: Logger;
};

/** What one statement may take: then the server gives it up. */
const statementMs = 60_000;
/** How long an answer is waited for: longer than the server works on it, and a lost connection is not noticed sooner. */
const answerMs = statementMs + 5000;
const deadlockTriesMax = 5;
/** Statements that each connection keeps prepared: those met first, which are the same few all the time. */
const preparedMax = 200;
/** How many may wait for a connection. */
const waitingMax = 1024;

const snapshotSql = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY';

type Client = pg.PoolClient;
type After = () => void | Promise<void>;
type Inside = {
  readonly client: Client;
  open: boolean;
  readonly after: After[];
  readonly undone: (() => void)[];
  readonly done: Set<string>;
};

/** Connects only to the standbys of `readUrls`, which are looked at from here on; to the primary when it is asked. @throws Error when the package `pg` is not installed. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { default: driver } = await import('pg');
  const { pooled = false } = options;
  const servers = options.servers ?? (await openServers(options.url, options.logger, { pooled }));
  const pool = new driver.Pool({
    ...servers.poolOptions,
    max: options.connectionsMax,
    ...(pooled ? {} : { idle_in_transaction_session_timeout: options.idleInTransactionMs }),
    ...(pooled || options.statementsBounded === false ? {} : { statement_timeout: statementMs }),
    ...(options.statementsBounded === false ? {} : { query_timeout: answerMs }),
    idleTimeoutMillis: 60_000,
  });
  const note = (error: Error): void => options.logger.debug({ err: error }, 'a database connection ended');
  pool.on('error', note);
  /** `open` ends with the transaction: what was begun inside it (a timer, a stream) may go on after it, and is then outside. */
  const current = new AsyncLocalStorage<Inside>();
  const prepared = new Map<string, string>();

  /** What a connection of our own is told when it is made. */
  const bounds = pooled
    ? `; SET LOCAL statement_timeout = ${statementMs}; SET LOCAL idle_in_transaction_session_timeout = ${Math.ceil(options.idleInTransactionMs)}`
    : '';
  let lacksRoom = false;
  const { readUrls = [], connectionsMax, logger } = options;
  const standbys: Standbys | null =
    readUrls.length === 0 ? null : await openStandbys({ urls: readUrls, connectionsMax, where, logger });

  function refuse(error: unknown): never {
    if (troubleOf(error) === 'full') lacksRoom = true;
    return rethrow(error);
  }

  async function withClient<T>(work: (client: Client) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const outer = current.getStore();
    if (outer?.open === true) return work(outer.client);
    const client = await connect(signal);
    const stopWatching = servers.watch();
    let broken = false;
    try {
      return await work(client);
    } catch (error) {
      // Also one that may only read: the next one is asked whether it may write.
      broken = isAway(error);
      if (broken) servers.doubt();
      throw error;
    } finally {
      stopWatching();
      client.release(broken);
    }
  }

  /** Waits for a connection, behind a bounded number of others, until `signal` aborts. */
  async function connect(signal: AbortSignal | undefined): Promise<Client> {
    if (pool.waitingCount >= waitingMax) {
      throw new AppError('unavailable', 'Too many requests are waiting for the database; try again in a moment.', {
        retryAfterSeconds: 2,
      });
    }
    const coming = pool.connect().catch((error: unknown) => {
      throw notReady(error);
    });
    return signal === undefined ? coming : unlessGone(coming, signal, (client) => client.release());
  }

  /** While `work` runs on `client`, an abort cancels its statement; the connection is not used again before that is done. */
  async function cancellable<T>(client: Client, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    if (signal === undefined) return work();
    let cancelled: Promise<unknown> = Promise.resolve();
    // A pooler's number of a connection is not the server's.
    const backend = pooled ? (await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]!.pid : null;
    const cancel = (): void => {
      const isSpare = pool.idleCount > 0 || pool.totalCount < options.connectionsMax;
      const pid = backend ?? ('processID' in client ? client.processID : null);
      if (isSpare && pid !== null) cancelled = pool.query('SELECT pg_cancel_backend($1)', [pid]).catch(note);
    };
    signal.addEventListener('abort', cancel, { once: true });
    try {
      return await work();
    } catch (error) {
      throw signal.aborted ? hasGone() : error;
    } finally {
      signal.removeEventListener('abort', cancel);
      await cancelled;
    }
  }

  /** What stands alone is tried again as a transaction is: nothing of it was done. */
  async function execute(sql: string, values: readonly unknown[]): Promise<pg.QueryResult<Row>> {
    const name = values.length === 0 ? undefined : nameOf(sql);
    const statement = { text: sql, values: values as unknown[], ...(name === undefined ? {} : { name }) };
    const once = (): Promise<pg.QueryResult<Row>> => withClient((client) => client.query<Row>(statement).catch(refuse));
    return current.getStore()?.open === true ? once() : again(once);
  }

  /** Under a name the server keeps its plan: reading and planning the statement anew costs it more than most of ours do. */
  function nameOf(sql: string): string | undefined {
    // The connection that a pooler gives for the next statement knows none of them.
    if (pooled) return undefined;
    const known = prepared.get(sql);
    if (known !== undefined || prepared.size >= preparedMax) return known;
    const name = `s${prepared.size}`;
    prepared.set(sql, name);
    return name;
  }

  function begin<T>(how: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return withClient((client) => beginOn(client, how, work, signal), signal);
  }

  async function beginOn<T>(client: Client, how: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await client.query(`${how}${bounds}`).catch(refuse);
    const inside: Inside = { client, open: true, after: [], undone: [], done: new Set() };
    let isCommitting = false;
    try {
      const result = await cancellable(client, signal, () => current.run(inside, work));
      inside.open = false;
      isCommitting = true;
      await client.query('COMMIT').catch(refuse);
      await current.exit(() => Promise.all(inside.after.map(async (then) => then())));
      return result;
    } catch (error) {
      inside.open = false;
      await client.query('ROLLBACK').catch(() => undefined);
      if (!isCommitting) for (const then of inside.undone) then();
      throw error;
    }
  }

  /** What a standby cannot answer, because it is away or has to go on, the primary is asked. */
  async function reading<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (standbys === null || current.getStore()?.open === true) return begin(snapshotSql, work, signal);
    const client = await standbys.take((await where()).position);
    if (client === null) return begin(snapshotSql, work, signal);
    let failed = false;
    try {
      return await beginOn(client, snapshotSql, work);
    } catch (error) {
      if (signal?.aborted === true || troubleOf(error) === null) throw error;
      failed = true;
      standbys.failed(client, error);
    } finally {
      client.release(failed);
    }
    return begin(snapshotSql, work, signal);
  }

  async function where(): Promise<Where> {
    return (await execute(whereSql, [])).rows[0] as Where;
  }

  async function transaction<T>(work: () => Promise<T>): Promise<T> {
    if (current.getStore()?.open === true) return work();
    return again(() => begin('BEGIN', work));
  }

  /** The server undid it, to end a deadlock or because another one was faster. */
  async function again<T>(work: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await work();
      } catch (error) {
        if (tries >= deadlockTriesMax || troubleOf(error) !== 'again') throw error;
      }
    }
  }

  return {
    async afterCommit(work) {
      const outer = current.getStore();
      if (outer?.open === true) outer.after.push(work);
      else await current.exit(work);
    },
    afterRollback: (work) => void current.getStore()?.undone.push(work),
    async once(name, work) {
      const outer = current.getStore();
      if (outer?.open !== true) return work();
      if (outer.done.has(name)) return;
      await work();
      outer.done.add(name);
    },
    get isInside() {
      return current.getStore()?.open === true;
    },
    apart: (work) => current.exit(work),
    query: async (sql, values = []) => (await execute(sql, values)).rows,
    run: async (sql, values = []) => (await execute(sql, values)).rowCount ?? 0,
    transaction,
    snapshot: (work, signal) => begin(snapshotSql, work, signal),
    reading,
    standbys: () => standbys?.states() ?? [],
    get lacksRoom() {
      return lacksRoom;
    },
    roomFound() {
      lacksRoom = false;
    },
    async close() {
      await standbys?.close();
      await pool.end();
    },
  };
}

/** For the user of a pooler: what our own connections are told when they are made, its connections know from the server. Safe twice. */
export async function settlePooler(database: Database): Promise<void> {
  await database.query(`DO $$ BEGIN
    EXECUTE format('ALTER ROLE %I IN DATABASE %I SET search_path TO ${schemaName}', current_user, current_database());
  END $$`);
}

/** @throws AppError `unavailable`: connections of a pooler do not lead to the tables, saying what to do. */
export async function requirePooler(database: Database): Promise<void> {
  const [row] = await database.query(`SELECT current_setting('search_path') AS path`);
  if (row?.['path'] !== schemaName)
    throw new AppError(
      'unavailable',
      'DATABASE_URL: connections of the pooler do not find the tables. Run "rag-intake migrate" with DATABASE_DIRECT_URL set, then RECONNECT in PgBouncer.',
    );
}

/** What is `coming`, if `signal` does not abort before; what comes too late is put away. */
async function unlessGone<T>(coming: Promise<T>, signal: AbortSignal, putAway: (late: T) => void): Promise<T> {
  const left = Promise.withResolvers<never>();
  const leave = (): void => left.reject(hasGone());
  signal.addEventListener('abort', leave, { once: true });
  if (signal.aborted) leave();
  try {
    return await Promise.race([coming, left.promise]);
  } catch (error) {
    void coming.then(putAway, () => undefined);
    throw error;
  } finally {
    signal.removeEventListener('abort', leave);
  }
}

/** Whether the server said one of these SQLSTATEs. */
export function hasSqlState(error: unknown, ...codes: string[]): boolean {
  if (!(error instanceof Error)) return false;
  if ('code' in error && codes.includes(String(error.code))) return true;
  return error.cause !== undefined && hasSqlState(error.cause, ...codes);
}

/** Trouble of the server's in the words of this program; anything else is left as it is. */
function rethrow(error: unknown): never {
  throw isOfDriver(error) ? notReady(error) : inOurWords(error);
}

/** Whether a connection that ended so had better be made anew. */
export function isAway(error: unknown): boolean {
  return troubleOf(error) === 'away' || isOfDriver(error);
}

/** What the server says has a code, and so has what the system says. The driver's own errors have none: the connection ended, or nobody answered. */
function isOfDriver(error: unknown): boolean {
  return error instanceof Error && Object.getPrototypeOf(error) === Error.prototype && !('code' in error);
}
