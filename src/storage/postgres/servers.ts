/**
 * Which of the servers that an address names is asked: the one that is primary now. All connections of a process come from here. Where
 * another server has become the primary, those to the one before end at once, whatever they wait for: it may be cut off, and would never
 * answer. Which of two is the newer primary their timelines say; a process never goes back to one that is older than it has seen.
 */
import { callbackify } from 'node:util';
import type pg from 'pg';
import type { Logger } from '../../logger.ts';
import { parseDatabaseUrl, type ServerAddress, serverName } from '../database-url.ts';

/** Where everything lies; pg-boss has a schema of its own beside it. */
export const schemaName = 'rag_intake';

export interface Servers {
  /** Makes a client that connects to the server that is asked now, and to no other. */
  client(more: pg.ClientConfig): pg.Client;
  /** For a pool: clients as above. */
  readonly poolOptions: pg.PoolConfig;
  /** Whether the server of a connection is another than the one before: those to that one end. Asks it. @throws what the server says */
  meet(client: pg.Client): Promise<void>;
  /** Says that the server may not be the primary any more: all are asked, and where another one is, connections to this one end. */
  doubt(): void;
  /** Doubts every two seconds until the function that it returns is called: for whoever waits for an answer. */
  watch(): () => void;
  /** The server that is asked, as `host:port`; null before the first connection. */
  readonly asked: string | null;
}

/** Which server, and which of its lives: each promotion begins a new timeline. */
type Primary = { readonly server: ServerAddress; readonly timeline: number };

const connectMs = 5000;
/** Who has not answered by then is not the primary that everybody waits for. */
const probeMs = 2000;
/** How long the others may take once one has said that it is primary: an older one might have been the first to say so. */
const graceMs = 500;
const watchMs = 2000;
/** So long nobody is asked again after none was found. */
const failedMs = 200;

/**
 * Does not connect yet. `pooled`: connections lead to a pooler that shares them between transactions, and takes no settings at their beginning.
 * @throws Error when the package `pg` is not installed, or the address cannot be read.
 */
export async function openServers(url: string, logger: Logger, { pooled = false } = {}): Promise<Servers> {
  const { default: driver } = await import('pg');
  const place = parseDatabaseUrl(url);
  const options = clientOptions(place.url, driver, pooled);
  /** One server that may be anything needs no look before each connection. */
  const isChosen = place.servers.length > 1 || place.role !== 'any';
  const connections = new Map<pg.Client, Primary>();
  let current: Primary | null = null;
  /** The one before, while there is none. */
  let last: Primary | null = null;
  let newest = 0;
  let finding: Promise<Primary> | null = null;
  let failure: { readonly error: unknown; readonly at: number } | null = null;
  let doubtedAt = -Infinity;

  class Located extends driver.Client {
    override connect(): Promise<pg.Client>;
    override connect(callback: (error: Error | null) => void): void;
    override connect(callback?: (error: Error | null) => void): Promise<pg.Client> | void {
      if (callback === undefined) return this.#connect();
      callbackify(() => this.#connect())(callback);
    }

    async #connect(): Promise<pg.Client> {
      const to = current ?? (isChosen ? await find() : { server: place.servers[0]!, timeline: 0 });
      connections.set(this, to);
      // For as long as it is there: between connecting and a listener of the pool's, one that ends would end the process.
      this.on('error', (error) => logger.debug({ err: error }, 'a database connection ended'));
      this.once('end', () => connections.delete(this));
      goTo(this, to.server);
      try {
        await super.connect();
        if (isChosen) await meet(this, to.server);
        return this;
      } catch (error) {
        connections.delete(this);
        if (current === to && isAboutServer(error)) current = null;
        // One that let us in, but is not the one that is wanted.
        super.end().catch(() => undefined);
        throw error;
      }
    }
  }

  async function meet(client: pg.Client, server: ServerAddress): Promise<void> {
    const met = await whatIs(client, server);
    if (!fits(met)) throw new Error(notFitting(met));
    move(met);
    if (connections.has(client)) connections.set(client, met);
  }

  function fits({ standby, readOnly, timeline }: Answer): boolean {
    if (timeline > 0 && timeline < newest) return false;
    return place.role === 'any' || (place.role === 'primary' ? !standby : !readOnly);
  }

  function notFitting({ server, standby, timeline }: Answer): string {
    const is = standby ? 'a standby' : timeline > 0 && timeline < newest ? 'a primary of before' : 'read-only';
    return `${serverName(server)} is ${is}`;
  }

  /** All are asked at once, since one that is cut off does not answer at all. */
  function find(): Promise<Primary> {
    if (failure !== null && performance.now() - failure.at < failedMs) return Promise.reject(failure.error as Error);
    finding ??= lookAround()
      .then(
        (found) => {
          failure = null;
          move(found);
          return found;
        },
        (error: unknown) => {
          failure = { error, at: performance.now() };
          throw error;
        },
      )
      .finally(() => (finding = null));
    return finding;
  }

  async function lookAround(): Promise<Answer> {
    const fitting: Answer[] = [];
    const reasons: unknown[] = [];
    const first = Promise.withResolvers<void>();
    const all = Promise.all(
      place.servers.map(async (server) => {
        try {
          const met = await probe(server);
          if (!fits(met)) return void reasons.push(notFitting(met));
          fitting.push(met);
          first.resolve();
        } catch (error) {
          reasons.push(error);
        }
      }),
    );
    await Promise.race([all, first.promise.then(() => pause(graceMs))]);
    const best = fitting.toSorted((one, other) => other.timeline - one.timeline)[0];
    if (best === undefined) throw nobody(reasons);
    return best;
  }

  async function probe(server: ServerAddress): Promise<Answer> {
    const client = new driver.Client({ ...options, connectionTimeoutMillis: probeMs, query_timeout: probeMs });
    client.on('error', () => undefined);
    goTo(client, server);
    try {
      await client.connect();
      return await whatIs(client, server);
    } finally {
      // One that does not answer does not answer a farewell either.
      void client.end().catch(() => undefined);
    }
  }

  function goTo(client: pg.Client, { host, port }: ServerAddress): void {
    // What one server is called may be left to the driver, which asks the environment.
    if (isChosen && host !== '') Object.assign(client, { host, port });
  }

  /** From here on another one is asked; whoever waits for the one before waits for nothing. */
  function move({ server, timeline }: Primary): void {
    if (timeline < newest) return;
    newest = timeline;
    const before = current ?? last;
    current = last = { server, timeline };
    // Of what was connected before the first look nothing else is known.
    for (const [client, to] of connections)
      if (to.timeline === 0) connections.set(client, { ...to, timeline: before?.timeline ?? timeline });
    if (before === null || (before.server === server && before.timeline === timeline)) return;
    const gone = [...connections].filter(([, to]) => to.server !== server || to.timeline < timeline);
    logger.warn({ server: serverName(server), timeline, connections: gone.length }, 'another database server is the primary now');
    for (const [client] of gone) cut(client);
  }

  function doubt(): void {
    if (performance.now() - doubtedAt < failedMs || finding !== null) return;
    doubtedAt = performance.now();
    find().catch((error: unknown) => {
      if (place.servers.length > 1) current = null;
      logger.debug({ err: error }, 'no database server is the primary now');
    });
  }

  return {
    client: (more) => new Located({ ...options, ...more }),
    poolOptions: { ...options, Client: Located } as pg.PoolConfig,
    async meet(client) {
      if (!isChosen) await meet(client, place.servers[0]!);
    },
    doubt,
    watch() {
      const timer = setInterval(doubt, watchMs);
      return () => clearInterval(timer);
    },
    get asked() {
      return current === null ? null : serverName(current.server);
    },
  };
}

type Answer = Primary & { readonly standby: boolean; readonly readOnly: boolean };

/** A standby has no log of its own whose name would say the timeline, and some services do not tell it. */
async function whatIs(client: pg.Client, server: ServerAddress): Promise<Answer> {
  const is = `pg_is_in_recovery() AS standby, current_setting('transaction_read_only') = 'on' AS read_only`;
  const file = `CASE WHEN NOT pg_is_in_recovery() THEN pg_walfile_name(pg_current_wal_lsn()) END`;
  const ask = async (what: string): Promise<Answer> => {
    const { rows } = await client.query<{ standby: boolean; read_only: boolean; file: string | null }>(
      `SELECT ${is}, ${what} AS file`,
    );
    const [row] = rows;
    if (row === undefined) throw new Error(`${serverName(server)} does not say what it is`);
    const timeline = row.file === null ? 0 : Number.parseInt(row.file.slice(0, 8), 16);
    return { server, standby: row.standby, readOnly: row.read_only, timeline };
  };
  return ask(file).catch((error: unknown) => {
    if (['0A000', '42501', '42883'].includes(codeOf(error))) return ask('NULL');
    throw error;
  });
}

/** Alone, what a server says stays what it says. */
function nobody(reasons: readonly unknown[]): unknown {
  if (reasons.length === 1 && reasons[0] instanceof Error) return reasons[0];
  const said = reasons.map((reason) => (reason instanceof Error ? reason.message || codeOf(reason) : String(reason)));
  return new Error(`none of the servers is the primary: ${said.join('; ') || 'none answers'}`);
}

/** Whether what was met lies with the server, silence as well; not with who asks, nor with how many do: another server would say the same. */
export function isAboutServer(error: unknown): boolean {
  const code = codeOf(error);
  return !/^[0-9A-Z]{5}$/.test(code) || /^(08|25|57)/.test(code) || /^E[A-Z]{4}$/.test(code);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Whatever waits on it fails now; a farewell would wait for an answer. */
export function cut(client: pg.Client): void {
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** How every connection is made: keepalive, a time limit, and the types of `ourParser`. */
function clientOptions(url: string, driver: typeof pg, pooled: boolean): pg.ClientConfig {
  const parserOf = (oid: number, format?: 'text'): unknown => {
    const parse = driver.types.getTypeParser(oid, format) as (value: string) => unknown;
    return (format as string) === 'binary' ? parse : ourParser(oid, parse);
  };
  return {
    connectionString: url,
    application_name: 'rag-intake',
    ...(pooled ? {} : { options: `-c search_path=${schemaName}` }),
    connectionTimeoutMillis: connectMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5000,
    types: { getTypeParser: parserOf as never },
  };
}

/** 64-bit integers become numbers (none here passes 2^53), bytes plain arrays of them: a Buffer's `slice` is no copy, an array's is. */
function ourParser(oid: number, parse: (value: string) => unknown): (value: string) => unknown {
  const [bytea, int8] = [17, 20];
  if (oid === int8) return Number;
  if (oid !== bytea) return parse;
  return (value) => {
    const { buffer, byteOffset, byteLength } = parse(value) as Buffer;
    return new Uint8Array(buffer, byteOffset, byteLength);
  };
}
