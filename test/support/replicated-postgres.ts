/**
 * A PostgreSQL and a standby of it, each with an address of its own, as high availability has them: the standby confirms each commit, can
 * be promoted, and who was primary becomes the next standby. Each can run in a network namespace; its administrator reaches it
 * over a file, whatever becomes of its network.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, chmodSync, chownSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { openDatabase } from '../../src/storage/postgres/database.ts';
import { migrate } from '../../src/storage/postgres/schema.ts';
import { silentLogger } from './engine-steps.ts';
import { freePort } from './free-port.ts';
import { findPostgres, nobody } from './postgres.ts';
import { until } from './until.ts';

export type Place = { readonly address: string; readonly port: number; readonly namespace?: string };

export type PostgresNode = AsyncDisposable & {
  readonly place: Place;
  /** One statement as its administrator, on this very machine. */
  ask(sql: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
  promote(): Promise<void>;
  /** From here on a commit is answered when a standby has it as well; or not any more. */
  setSynchronous(on: boolean): Promise<void>;
  /** Until a standby follows, so that a commit would be confirmed by it. */
  followed(): Promise<void>;
};

export const databaseName = 'rag';
/** No superuser: what the servers and their standbys connect as. */
const user = 'test';

export async function freePlace(): Promise<Place> {
  return { address: '127.0.0.1', port: await freePort() };
}

/** The address that names several of them. */
export function urlOf(places: readonly Pick<Place, 'address' | 'port'>[]): string {
  return `postgres://${user}@${places.map(({ address, port }) => `${address}:${port}`).join(',')}/${databaseName}`;
}

/** The first one, with tables; every commit is flushed when `durable`. */
export async function startPrimary(place: Place, durable: boolean): Promise<PostgresNode> {
  const node = await prepare(place, durable, (bin, data, as) => {
    execFileSync(join(bin, 'initdb'), ['-D', data, '-U', user, '-A', 'trust', '-N', '-E', 'UTF8', '--locale', 'C'], as);
    const access = join(data, 'pg_hba.conf');
    const lines = ['all', 'replication'].map((what) => `host ${what} all ${place.address}/24 trust\n`);
    writeFileSync(access, `${lines.join('')}${readFileSync(access, 'utf8')}`);
  });
  await node.ask(`CREATE DATABASE ${databaseName}`);
  const database = await openDatabase({ url: urlOf([place]), connectionsMax: 2, idleInTransactionMs: 0, logger: silentLogger });
  await migrate(database, silentLogger);
  await database.close();
  return node;
}

/** Copies what `primary` has, and follows it. */
export function startStandby(primary: PostgresNode, place: Place, durable: boolean): Promise<PostgresNode> {
  const { address, port } = primary.place;
  return prepare(place, durable, (bin, data, as) => {
    const from = ['-h', address, '-p', String(port), '-U', user, '-D', data, '-R', '-X', 'stream', '-c', 'fast'];
    execFileSync(join(bin, 'pg_basebackup'), durable ? from : [...from, '--no-sync'], as);
    appendFileSync(join(data, 'postgresql.auto.conf'), `synchronous_standby_names = ''\n`);
  });
}

type Options = { readonly uid?: number; readonly gid?: number; readonly cwd: string; readonly stdio: 'ignore' };

async function prepare(
  place: Place,
  durable: boolean,
  make: (bin: string, data: string, as: Options) => void,
): Promise<PostgresNode> {
  const bin = findPostgres();
  const folder = await mkdtemp(join(tmpdir(), 'rag-intake-pair-'));
  const isRoot = process.getuid?.() === 0;
  if (isRoot) chownSync(folder, nobody, nobody);
  chmodSync(folder, 0o700);
  const data = join(folder, 'data');
  const as: Options = { ...(isRoot ? { uid: nobody, gid: nobody } : {}), cwd: folder, stdio: 'ignore' };
  make(bin, data, as);
  const server = start(join(bin, 'postgres'), { place, durable, data, folder, as });
  const ask = async (sql: string, values: readonly unknown[] = [], name = 'postgres'): Promise<Record<string, unknown>[]> => {
    const client = new pg.Client({ host: folder, port: place.port, user, database: name });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query(sql, [...values])).rows as Record<string, unknown>[];
    } finally {
      await client.end();
    }
  };
  await until('the database server answers', () => ask('SELECT 1').then(Boolean));

  return {
    place,
    ask: (sql, values) => ask(sql, values, sql.startsWith('CREATE DATABASE') ? 'postgres' : databaseName),
    async promote() {
      const [row] = await ask('SELECT pg_promote(true, 60) AS done');
      if (row?.['done'] !== true) throw new Error('the standby could not be promoted');
    },
    async setSynchronous(on) {
      await ask(`ALTER SYSTEM SET synchronous_standby_names = '${on ? '*' : ''}'`);
      await ask('SELECT pg_reload_conf()');
      await until('it is set', async () => {
        const [row] = await ask(`SELECT current_setting('synchronous_standby_names') AS names`);
        return row?.['names'] === (on ? '*' : '');
      });
    },
    followed: () =>
      until('a standby follows', async () => {
        const rows = await ask(`SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'`);
        return rows.length > 0;
      }),
    async [Symbol.asyncDispose]() {
      const ended = once(server, 'exit');
      if (server.kill('SIGQUIT')) await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function start(
  program: string,
  { place, durable, data, folder, as }: { place: Place; durable: boolean; data: string; folder: string; as: Options },
): ChildProcess {
  const settings = [`listen_addresses=${place.address}`, `unix_socket_directories=${folder}`, 'max_connections=200'];
  const fast = durable ? [] : ['fsync=off', 'full_page_writes=off'];
  const args = ['-D', data, '-p', String(place.port), ...[...settings, ...fast].flatMap((setting) => ['-c', setting])];
  if (place.namespace === undefined) return spawn(program, args, as);
  const asNobody = ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'];
  return spawn('ip', ['netns', 'exec', place.namespace, ...asNobody, program, ...args], { cwd: folder, stdio: 'ignore' });
}
