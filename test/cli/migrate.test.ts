import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../support/command.ts';
import { ask, type Databases } from '../support/postgres.ts';
import { sharedPostgres } from '../support/shared-postgres.ts';
import { startProcess } from '../support/server.ts';

let database: Databases;
let folder: string;

beforeAll(async () => {
  database = await sharedPostgres();
  folder = await mkdtemp(join(tmpdir(), 'rag-intake-migrate-'));
});

afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** The settings for a database without tables. */
async function emptyDatabase(name: string): Promise<{ DATA_DIR: string; DATABASE_URL: string }> {
  const made = await database.newDatabase();
  const url = `${made}_${name}`;
  await ask(made, `CREATE DATABASE ${new URL(url).pathname.slice(1)}`);
  return { DATA_DIR: folder, DATABASE_URL: url };
}

describe('a server on a database without tables', () => {
  it('does not start, and says what to do', async () => {
    const { DATABASE_URL } = await emptyDatabase('untouched');
    const start = startProcess({ dataDir: folder, engineEnv: { DATABASE_URL } });

    await expect(start).rejects.toThrow(/ended with 69 .*\n.*it has no tables yet\. Run "rag-intake migrate"/);
  });

  it.each([
    [
      'name',
      (url: string) => url.replace(/[^/]*$/, 'no_such_database'),
      /DATABASE_URL: .*database "no_such_database" does not exist/,
    ],
    ['user', (url: string) => url.replace(/\/\/[^@/]*@?/, '//no_such_user@'), /DATABASE_URL: .*no_such_user/],
  ])('does not start, nor migrates, with a wrong %s', async (_what, wrong, said) => {
    const DATABASE_URL = wrong(await database.newDatabase());
    const start = startProcess({ dataDir: folder, engineEnv: { DATABASE_URL } });

    await expect(start).rejects.toThrow(/ended with 69 /);
    await expect(start).rejects.toThrow(said);
    expect(await runCommand(['migrate'], { DATABASE_URL })).toMatchObject({
      code: 69,
      stderr: expect.stringMatching(said) as string,
    });
  });

  it('does not start on one that cannot be reached either', async () => {
    const start = startProcess({ dataDir: folder, engineEnv: { DATABASE_URL: 'postgres://127.0.0.1:1/none' } });

    await expect(start).rejects.toThrow(/ended with 69 .*\n.*the database cannot be reached.*ECONNREFUSED/);
  });
});

describe('rag-intake migrate', () => {
  it('makes the tables once, also when two do it at once', async () => {
    const env = await emptyDatabase('fresh');
    const both = await Promise.all([runCommand(['migrate'], env), runCommand(['migrate'], env)]);
    const again = await runCommand(['--json', 'migrate'], env);

    expect(both.map(({ stderr }) => stderr)).toEqual(['', '']);
    expect(both.map(({ stdout }) => stdout)).toContain('The tables were created.\n');
    expect(again.stdout).toMatch(/^\{\s*"message": ?"The tables are up to date \(version \d+\)\."/);
  });

  it('refuses tables that a newer version has made', async () => {
    const env = await emptyDatabase('newer');
    await runCommand(['migrate'], env);
    await ask(env.DATABASE_URL, 'UPDATE rag_intake.version SET version = 99');

    expect(await runCommand(['migrate'], env)).toMatchObject({
      code: 69,
      stderr: expect.stringMatching(
        /^DATABASE_URL: the database has tables of version 99; this program supports \d+\.\n$/,
      ) as string,
    });
  });

  it('changes no table under servers of the older version', async () => {
    const env = await emptyDatabase('older');
    await runCommand(['migrate'], env);
    await ask(env.DATABASE_URL, 'DROP SCHEMA rag_intake CASCADE; CREATE SCHEMA rag_intake');
    await ask(
      env.DATABASE_URL,
      `CREATE TABLE rag_intake.version AS SELECT 1 AS version;
       CREATE TABLE rag_intake.owner AS SELECT 'worker-1' AS id, clock_timestamp() AS seen_at`,
    );

    expect(await runCommand(['migrate'], env)).toMatchObject({
      code: 69,
      stderr: expect.stringContaining('Servers are using this database (1 processes): stop them') as string,
    });
    expect(await ask(env.DATABASE_URL, 'SELECT version FROM rag_intake.version')).toEqual([{ version: 1 }]);
  });

  it('says what is missing without a DATABASE_URL', async () => {
    const { code, stderr } = await runCommand(['migrate']);

    expect(code).toBe(78);
    expect(stderr).toContain('nothing to migrate without DATABASE_URL');
  });
});

describe('what works on a data directory', () => {
  it.each([
    [['backup', 'somewhere'], 'pg_dump'],
    [['restore', 'somewhere'], 'pg_restore'],
    [['reindex'], 'uploaded again'],
  ])('(%s) says what to do instead when everything is in a database', async (args, instead) => {
    const { code, stderr } = await runCommand(args, { DATABASE_URL: 'postgres://127.0.0.1:1/none' });

    expect(code).toBe(78);
    expect(stderr).toContain(instead);
  });
});

describe('rag-intake doctor', () => {
  it('looks at the database instead of the disk', async () => {
    const env = { DATA_DIR: folder, DATABASE_URL: await database.newDatabase(), PORT: '0' };
    const whole = await runCommand(['doctor'], env);
    const empty = await runCommand(['doctor'], { ...env, ...(await emptyDatabase('looked_at')) });

    // Tests share a server that flushes nothing.
    expect(whole.stdout).toMatch(/database +warning +PostgreSQL may lose acknowledged documents in a crash: fsync = off/);
    expect(whole.stdout).not.toMatch(/^fsync/m);
    const { stdout } = await runCommand(['doctor'], { ...env, QUEUE_URL: 'redis://127.0.0.1:1' });

    expect(stdout).toMatch(/redis +problem +Redis cannot be reached/);
    expect(empty).toMatchObject({ code: 1, stdout: expect.stringContaining('Run "rag-intake migrate"') as string });
  });
});
