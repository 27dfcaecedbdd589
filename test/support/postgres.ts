/**
 * PostgreSQL servers for tests: a new cluster in a temporary folder, on a free port, run by a user other than root. One is shared by
 * all files of a run (`shared-postgres.ts`); a test that kills its server, or changes its settings, starts one of its own.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { chmodSync, chownSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePort } from './free-port.ts';
import { openDatabase } from '../../src/storage/postgres/database.ts';
import { migrate } from '../../src/storage/postgres/schema.ts';
import { hasErrno } from '../../src/errors.ts';
import { silentLogger } from './engine-steps.ts';
import { until } from './until.ts';

/** Databases on a server; they go when this is disposed of. */
export type Databases = AsyncDisposable & {
  readonly port: number;
  /** A database whose tables are made and as they are then; its URL. */
  newDatabase(): Promise<string>;
  /** A database that nobody needs any more: it is emptied, which costs a fifth of a new one, and is the next `newDatabase`. */
  release(databaseUrl: string): void;
  /** A user that must show a password and is no superuser, with every right on this database; its URL. */
  newUser(databaseUrl: string, password: string): Promise<string>;
};

export type PostgresServer = Databases & {
  /** SIGKILL to the server and everything it started, then started again. */
  killAndRestart(): Promise<void>;
};

/** PostgreSQL refuses to be root's. */
export const nobody = 65_534;

/**
 * `durable`: every commit is flushed, as a server in earnest does; tests that kill nothing are faster without. `address`: where it
 * listens; with one that is not this machine's own, its neighbours (`/24`) may connect as well. `dataOn`: the folder of a disk for its
 * tables; its log stays elsewhere. `settings`: more of the server's own.
 */
export async function startPostgres({
  durable = false,
  address = '127.0.0.1',
  dataOn = null,
  settings: own = {},
}: {
  durable?: boolean;
  address?: string;
  dataOn?: string | null;
  settings?: Readonly<Record<string, string>>;
} = {}): Promise<PostgresServer> {
  const bin = findPostgres();
  const folder = await mkdtemp(join(tmpdir(), 'rag-intake-postgres-'));
  const user = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
  if (user.uid !== undefined) chownSync(folder, nobody, nobody);
  chmodSync(folder, 0o700);
  const data = join(dataOn ?? folder, 'data');
  if (dataOn !== null && user.uid !== undefined) chownSync(dataOn, nobody, nobody);
  const options = { ...user, cwd: folder, stdio: 'ignore' as const };
  const log = dataOn === null ? [] : ['-X', join(folder, 'log')];
  execFileSync(
    join(bin, 'initdb'),
    ['-D', data, ...log, '-U', 'test', '-A', 'trust', '-N', '-E', 'UTF8', '--locale', 'C'],
    options,
  );
  const access = join(data, 'pg_hba.conf');
  const others = readFileSync(access, 'utf8');
  writeFileSync(access, `host all +with_password ${address}/24 scram-sha-256\n${others}host all all ${address}/24 trust\n`);
  const port = await freePort();
  const settings = ['-c', `listen_addresses=${address}`, '-c', `unix_socket_directories=${folder}`, '-c', 'max_connections=400'];
  for (const [name, value] of Object.entries(own)) settings.push('-c', `${name}=${value}`);
  const fast = durable ? [] : ['-c', 'fsync=off', '-c', 'synchronous_commit=off', '-c', 'full_page_writes=off'];
  const urlOf = (name: string): string => `postgres://test@${address}:${port}/${name}`;
  let server: ChildProcess;

  async function launch(): Promise<void> {
    server = spawn(join(bin, 'postgres'), ['-D', data, '-p', String(port), ...settings, ...fast], options);
    await once(server, 'spawn');
  }

  /** It does not start while a process of the one that was killed is not gone yet; then it is started once more. */
  async function start(): Promise<void> {
    await launch();
    await until('the database server answers', async () => {
      if (server.exitCode !== null) await launch();
      return ask(urlOf('postgres'), 'SELECT 1').then(Boolean, () => false);
    });
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const ended = once(server, 'exit');
    server.kill(signal);
    await ended;
  }

  /** Its processes are in sessions of their own, and would end their statements first. */
  async function kill(): Promise<void> {
    const parts = await ask(urlOf('postgres'), 'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()');
    await end('SIGKILL');
    for (const { pid } of parts) killIfThere(pid as number);
  }

  await start();
  await ask(urlOf('postgres'), 'CREATE ROLE with_password');
  await ask(urlOf('postgres'), 'CREATE DATABASE made');
  const made = await openDatabase({ url: urlOf('made'), connectionsMax: 2, idleInTransactionMs: 0, logger: silentLogger });
  await migrate(made, silentLogger);
  await made.close();
  await ask(urlOf('made'), rememberSql);

  return {
    ...databasesOn(address, port),
    async killAndRestart() {
      await kill();
      await start();
    },
    async [Symbol.asyncDispose]() {
      await end('SIGINT');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What is in the tables once they are made, and a function that makes it so again. */
const rememberSql = `
CREATE SCHEMA made;
CREATE TABLE made.content(name regclass, rows jsonb);
CREATE VIEW made.tables AS SELECT oid::regclass AS name FROM pg_class
  WHERE relkind = 'r' AND relnamespace IN ('rag_intake'::regnamespace, 'rag_intake_jobs'::regnamespace);
CREATE FUNCTION made.filled() RETURNS SETOF regclass LANGUAGE plpgsql AS $$
  DECLARE name regclass; filled boolean;
  BEGIN
    FOR name IN SELECT tables.name FROM made.tables LOOP
      EXECUTE format('SELECT EXISTS (SELECT 1 FROM %s)', name) INTO filled;
      IF filled THEN RETURN NEXT name; END IF;
    END LOOP;
  END $$;
CREATE FUNCTION made.again() RETURNS void LANGUAGE plpgsql AS $$
  DECLARE names text; kept made.content;
  BEGIN
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
    SELECT string_agg(name::text, ', ') INTO names FROM made.filled() AS name;
    EXECUTE 'TRUNCATE ' || names || ' CASCADE';
    FOR kept IN SELECT * FROM made.content LOOP
      EXECUTE format('INSERT INTO %1$s OVERRIDING SYSTEM VALUE SELECT * FROM jsonb_populate_recordset(NULL::%1$s, $1)', kept.name) USING kept.rows;
    END LOOP;
    PERFORM setval(name, coalesce(value, first), value IS NOT NULL) FROM made.sequences;
  END $$;
DO $$
  DECLARE name regclass;
  BEGIN
    FOR name IN SELECT * FROM made.filled() LOOP
      EXECUTE format('INSERT INTO made.content SELECT $1, jsonb_agg(to_jsonb(r)) FROM %s r', name) USING name;
    END LOOP;
  END $$;
CREATE TABLE made.sequences AS SELECT format('%I.%I', schemaname, sequencename)::regclass AS name, start_value AS first, last_value AS value FROM pg_sequences`;

/** On a server that `startPostgres` has started. */
export function databasesOn(address: string, port: number): Databases {
  const urlOf = (name: string): string => `postgres://test@${address}:${port}/${name}`;
  const names: string[] = [];
  const free: string[] = [];
  return {
    port,
    async newDatabase() {
      const used = free.pop();
      if (used !== undefined) {
        await ask(used, 'SELECT made.again()');
        return used;
      }
      const name = `test_${randomUUID().replaceAll('-', '')}`;
      await ask(urlOf('postgres'), `CREATE DATABASE ${name} TEMPLATE made`);
      names.push(name);
      return urlOf(name);
    },
    release: (url) => void free.push(url),
    async newUser(databaseUrl, password) {
      const url = new URL(databaseUrl);
      url.username = `user_of_${url.pathname.slice(1)}`;
      url.password = password;
      await ask(databaseUrl, `CREATE ROLE ${url.username} LOGIN PASSWORD '${password}' IN ROLE with_password, test`);
      return url.href;
    },
    async [Symbol.asyncDispose]() {
      for (const name of names) await ask(urlOf('postgres'), `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!hasErrno(error, 'ESRCH')) throw error;
  }
}

/** One statement on a connection of its own. */
export async function ask(url: string, sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(sql, values)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

/** Debian keeps the programs of each version apart; where only the client is installed they are not there. */
export function findPostgres(): string {
  const folders = [...debianFolders(), folderByConfig()];
  const found = folders.find((folder) => existsSync(join(folder, 'initdb')));
  if (found !== undefined) return found;
  throw new Error('These tests need a PostgreSQL server: sh test/support/install-tools.sh, or apt-get install postgresql');
}

/** The newest first. */
function debianFolders(): string[] {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).filter((name) => /^\d+$/.test(name)) : [];
  return versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(root, version, 'bin'));
}

function folderByConfig(): string {
  return (spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' }).stdout ?? '').trim();
}
