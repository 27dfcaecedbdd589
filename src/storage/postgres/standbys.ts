/**
 * Standbys that answer questions (DATABASE_READ_URL), each only while it has what the primary had when the question came: so whoever was told that
 * a document is searchable finds it there as well. One that is too far behind, away, or no copy of this primary is not asked.
 */
import type pg from 'pg';
import type { Logger } from '../../logger.ts';
import type { Standby } from '../engine.ts';
import { serverName, parseDatabaseUrl } from '../database-url.ts';
import { cut, isAboutServer, openServers } from './servers.ts';

export interface Standbys {
  /**
   * A connection to a standby that has everything up to `position` (of the primary's log), which is waited for shortly; to be released. Null: none
   * has, ask the primary. It ends by itself when the standby does not answer a look, which is noticed within some three seconds.
   */
  take(position: string): Promise<pg.PoolClient | null>;
  /** What was met on a connection that `take` gave, not released yet: the standby is not asked again before the next look. */
  failed(client: pg.PoolClient, error: unknown): void;
  states(): readonly Standby[];
  /** Waits for what was taken, which ends when its standby is silent. */
  close(): Promise<void>;
}

/** Where the log of the primary ends for everybody, and a sign that grows every second while any process works. */
export const whereSql = `SELECT pg_current_wal_flush_lsn()::text AS position, (SELECT extract(epoch FROM max(seen_at))::float8 FROM owner) AS sign`;

const lookMs = 1000;
/** How long a question waits for a standby to come up to it, and between two looks. */
const waitMsMax = 100;
const waitMs = 5;
/** One that was further behind at the last look is not waited for. */
const lagMsMax = 5000;
const answerMs = 2000;
/** Looks at the primary that are remembered. */
const looksMax = 60;

export type Where = { readonly position: string; readonly sign: number | null };
type Look = Where & { readonly at: number };
type Kept = {
  readonly name: string;
  readonly pool: pg.Pool;
  /** Who looks waits behind no question: what it does not hear the standby does not say. */
  readonly looker: pg.Pool;
  readonly taken: Set<pg.PoolClient>;
  lagMs: number | null;
  isAsked: boolean;
};

/** `urls`: one each. `where`: `whereSql` of the primary. Looks at all of them at once and every second, and waits for none of them here. */
export async function openStandbys(options: {
  readonly urls: readonly string[];
  readonly connectionsMax: number;
  readonly where: () => Promise<Where>;
  readonly logger: Logger;
}): Promise<Standbys> {
  const { where, logger } = options;
  const standbys = await Promise.all(options.urls.map(open));
  const looks: Look[] = [];
  let next = 0;
  let closed = false;
  let isLooking = false;
  const timer = setInterval(lookUnlessLooking, lookMs);
  lookUnlessLooking();

  function lookUnlessLooking(): void {
    if (isLooking || closed) return;
    isLooking = true;
    void look().finally(() => (isLooking = false));
  }

  async function open(url: string): Promise<Kept> {
    const [{ default: driver }, servers] = await Promise.all([import('pg'), openServers(url, logger)]);
    const pool = new driver.Pool({
      ...servers.poolOptions,
      max: options.connectionsMax,
      statement_timeout: 60_000,
      query_timeout: 65_000,
      idleTimeoutMillis: 60_000,
    });
    const looker = new driver.Pool({
      ...servers.poolOptions,
      max: 1,
      connectionTimeoutMillis: answerMs,
      query_timeout: answerMs,
      idleTimeoutMillis: 60_000,
    });
    for (const each of [pool, looker]) each.on('error', (error) => logger.debug({ err: error }, 'a connection to a standby ended'));
    const taken = new Set<pg.PoolClient>();
    pool.on('release', (_error, client) => taken.delete(client));
    return { name: serverName(parseDatabaseUrl(url).servers[0]!), pool, looker, taken, lagMs: null, isAsked: false };
  }

  async function look(): Promise<void> {
    try {
      looks.push({ ...(await where()), at: performance.now() });
      if (looks.length > looksMax) looks.shift();
    } catch (error) {
      logger.debug({ err: error }, 'the primary does not say where it is');
    }
    await Promise.all(standbys.map(lookAt));
  }

  /** By what it shows, not by its clock: a server that follows another primary shows other signs. */
  async function lookAt(standby: Kept): Promise<void> {
    const before = standby.isAsked;
    try {
      const sql = `SELECT pg_last_wal_replay_lsn()::text AS position, (SELECT extract(epoch FROM max(seen_at))::float8 FROM owner) AS sign, pg_is_in_recovery() AS follows`;
      const { rows } = await standby.looker.query<{ position: string | null; sign: number | null; follows: boolean }>(sql);
      standby.lagMs = rows[0]?.follows === true ? lagOf(rows[0]) : null;
    } catch (error) {
      standby.lagMs = null;
      logger.debug({ err: error, standby: standby.name }, 'a standby does not answer');
      // Whoever waits for it waits for nothing, for up to a minute; one that only refuses the look may well answer them.
      if (isAboutServer(error)) for (const client of standby.taken) cut(client);
    }
    standby.isAsked = standby.lagMs !== null && standby.lagMs <= lagMsMax;
    if (standby.isAsked !== before)
      logger.info(
        { standby: standby.name, lagMs: standby.lagMs },
        standby.isAsked ? 'a standby is asked' : 'a standby is not asked',
      );
  }

  function lagOf(of: { position: string | null; sign: number | null }): number | null {
    const shown = looks.findLast(
      (look) => (look.sign ?? 0) <= (of.sign ?? 0) && numberOf(look.position) <= numberOf(of.position ?? '0/0'),
    );
    if (shown === undefined) return null;
    return shown === looks.at(-1) ? 0 : performance.now() - shown.at;
  }

  async function reaches(client: pg.PoolClient, position: string): Promise<boolean> {
    const deadline = performance.now() + waitMsMax;
    for (;;) {
      const { rows } = await client.query<{ there: boolean }>({
        text: 'SELECT pg_is_in_recovery() AND pg_last_wal_replay_lsn() >= $1::pg_lsn AS there',
        values: [position],
        query_timeout: answerMs,
      } as pg.QueryConfig);
      if (rows[0]?.there === true) return true;
      if (performance.now() > deadline) return false;
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }

  return {
    async take(position) {
      const asked = standbys.filter(({ isAsked }) => isAsked);
      if (asked.length === 0) return null;
      const standby = asked[next++ % asked.length]!;
      const client = await standby.pool.connect().catch(() => null);
      if (client === null) {
        standby.isAsked = false;
        return null;
      }
      const isThere = await reaches(client, position).catch(() => null);
      if (isThere === true) {
        standby.taken.add(client);
        return client;
      }
      standby.isAsked = false;
      client.release(isThere === null);
      return null;
    },
    failed(client, error) {
      const standby = standbys.find(({ taken }) => taken.has(client));
      if (standby !== undefined) standby.isAsked = false;
      logger.debug({ err: error, standby: standby?.name }, 'a standby could not answer; the primary is asked');
    },
    states: () =>
      standbys.map(({ name, lagMs, isAsked }) => ({ name, lagMs: lagMs === null ? null : Math.round(lagMs), asked: isAsked })),
    async close() {
      // Looked at until then, so that whoever waits for a silent one is told.
      await Promise.all(standbys.map(({ pool }) => pool.end()));
      closed = true;
      clearInterval(timer);
      await Promise.all(standbys.map(({ looker }) => looker.end()));
    },
  };
}

/** Positions are hexadecimal, the part before the slash the greater one. */
function numberOf(position: string): bigint {
  const [high = '0', low = '0'] = position.split('/');
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`);
}
