/**
 * The one connection that is held all the time: notifications come over it and the process's signs of life go over it, so that
 * neither waits behind other work. It is made again whenever it breaks.
 */
import type pg from 'pg';
import type { Logger } from '../../logger.ts';
import { isAway, type Row } from './database.ts';
import type { Servers } from './servers.ts';

/** What processes tell each other; `id` is a task's. */
export type Signal =
  /** A job may be there to take: a new task's, or some. */
  | { readonly kind: 'job'; readonly id?: string }
  /** A task's record or progress is another one, and not the last. */
  | { readonly kind: 'step'; readonly id: string }
  /** The last change; with the record, when it is short enough for a message, so that nobody has to read it. */
  | { readonly kind: 'end'; readonly id: string; readonly record?: string }
  /** Some of the above may never be told: what changed lately is to be looked up. */
  | { readonly kind: 'missed' }
  /** Whoever runs the task is to stop. */
  | { readonly kind: 'cancel'; readonly id: string };

export interface ListenConnection {
  /** @throws Error when the connection is down or does not answer in time; it is then made anew. */
  query(sql: string, values: readonly unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

/** The statement that tells every process. */
export const notifySql = `SELECT pg_notify('rag_intake', payload) FROM unnest($1::text[]) AS payload`;

/** What a message may hold, less than the server's 8000. */
const payloadBytesMax = 7500;

export function encodeSignal(signal: Signal): string {
  const short = 'id' in signal ? `${signal.kind} ${signal.id}` : signal.kind;
  const whole = 'record' in signal ? `${short} ${signal.record}` : short;
  return Buffer.byteLength(whole) <= payloadBytesMax ? whole : short;
}

function decodeSignal(payload: string): Signal {
  const [, kind, id, record] = /^(\S+)(?: (\S+))?(?: (.*))?$/s.exec(payload)!;
  // What versions before this one say of any change.
  if (kind === 'task') return { kind: 'end', id: id! };
  return { kind, ...(id === undefined ? {} : { id }), ...(record === undefined ? {} : { record }) } as Signal;
}

const answerMs = 3000;
const reconnectMsMin = 50;
const reconnectMsMax = 1000;

/** Whether the server lets in so many who come now, and lets them write. */
export async function letsIn(servers: Servers, count: number): Promise<boolean> {
  return (await Promise.all(Array.from({ length: count }, () => letsOneIn(servers)))).every(Boolean);
}

async function letsOneIn(servers: Servers): Promise<boolean> {
  const client = servers.client({ query_timeout: answerMs });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<Row>(`SELECT current_setting('transaction_read_only') = 'off' AS writable`);
    return rows[0]?.['writable'] === true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Connects, and goes on connecting. `onConnect` runs after each time: signals may have been missed before it. */
export async function openListenConnection(options: {
  servers: Servers;
  logger: Logger;
  onSignal: (signal: Signal) => void;
  onConnect: () => void;
}): Promise<ListenConnection> {
  const { logger, servers } = options;
  let client: pg.Client | null = null;
  let closed = false;
  let pauseMs = reconnectMsMin;
  let timer: NodeJS.Timeout | undefined;

  async function connect(): Promise<void> {
    const next = servers.client({ statement_timeout: answerMs, query_timeout: answerMs });
    next.on('error', (error) => drop(next, error));
    next.on('end', () => drop(next, null));
    next.on('notification', ({ payload }) => {
      if (payload) options.onSignal(decodeSignal(payload));
    });
    try {
      await next.connect();
      await servers.meet(next);
      await next.query('LISTEN rag_intake');
    } catch (error) {
      void next.end().catch(() => undefined);
      throw error;
    }
    if (closed) {
      await next.end();
      return;
    }
    client = next;
    pauseMs = reconnectMsMin;
    options.onConnect();
  }

  function drop(which: pg.Client, error: Error | null): void {
    if (client !== which) return;
    client = null;
    if (closed) return;
    logger.warn({ err: error }, 'the connection for notifications was lost; reconnecting');
    void which.end().catch(() => undefined);
    servers.doubt();
    reconnect();
  }

  function reconnect(): void {
    timer = setTimeout(() => {
      connect().catch((error: unknown) => {
        logger.debug({ err: error }, 'connecting again failed');
        if (!closed) reconnect();
      });
    }, pauseMs);
    pauseMs = Math.min(reconnectMsMax, pauseMs * 2);
  }

  await connect();
  return {
    async query(sql, values) {
      const used = client;
      if (used === null) throw new Error('the connection for notifications is down');
      try {
        return (await used.query<Row>(sql, values as unknown[])).rows;
      } catch (error) {
        if (isAway(error)) drop(used, error as Error);
        throw error;
      }
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      const used = client;
      client = null;
      await used?.end().catch(() => undefined);
    },
  };
}
