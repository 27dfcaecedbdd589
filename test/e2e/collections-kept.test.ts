/** Collections where everything is brought elsewhere or looked after: backup and restore, move between all engines, the doctor. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { versions } from '../../src/storage/postgres/schema.ts';
import { runCommand, type CommandResult } from '../support/command.ts';
import { ask, type Databases } from '../support/postgres.ts';
import { askRedis, type RedisServer, startRedis } from '../support/redis.ts';
import { type ServerOptions, startServer, type TestServer } from '../support/server.ts';
import { sharedPostgres } from '../support/shared-postgres.ts';
import { tempDir } from '../support/temp-dir.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

let dir: Awaited<ReturnType<typeof tempDir>>;
let databases: Databases;
let redis: RedisServer[];
let dataDir: string;
let shown: Shown;
/** The settings of commands. */
let env: Record<string, string>;

/** Three collections: one with all that can be said of it, one of which nothing is said, one without documents; and `default`. */
beforeAll(async () => {
  [dir, databases, redis] = await Promise.all([tempDir(), sharedPostgres(), Promise.all([startRedis(), startRedis()])]);
  dataDir = join(dir.path, 'data');
  env = { DATA_DIR: join(dir.path, 'work'), DISK_RESERVE_BYTES: '0', PORT: '0' };
  const server = await startServer({ dataDir });
  const settings = { chunk_tokens: 64, chunk_overlap: 8, language: 'zh', synonyms: [['年假', '带薪休假']] };
  await call(server, 'PUT', '/collections/hr', { title: '人事', description: 'People', settings });
  for (const name of ['finance', 'empty']) await call(server, 'PUT', `/collections/${name}`, {});
  for (const collection of ['default', 'hr', 'finance'])
    for (const docId of ['plan', '报告'])
      await call(
        server,
        'PUT',
        `/documents/${encodeURIComponent(docId)}?collection=${collection}&filename=a.txt`,
        textIn(collection),
      );
  await call(server, 'PUT', '/documents/broken?collection=hr&filename=a.pdf', '%PDF-1.7 and no more');
  shown = await shownBy(server);
  await server.stop();
});
afterAll(async () => {
  await Promise.all([...redis, databases].map((server) => server[Symbol.asyncDispose]()));
  await dir[Symbol.asyncDispose]();
});

const textIn = (collection: string): string => `The plan of ${collection}. 员工的带薪休假为十五天。`.repeat(20);

async function call({ url }: TestServer, method: string, path: string, body?: object | string): Promise<Record<string, unknown>> {
  const isJson = typeof body === 'object';
  const response = await fetch(url + path, {
    method,
    ...(body === undefined ? {} : { body: isJson ? JSON.stringify(body) : body }),
    headers: body === undefined ? {} : { 'content-type': isJson ? 'application/json' : 'text/plain' },
  });
  return (await response.json()) as Record<string, unknown>;
}

type Shown = { readonly collections: unknown; readonly found: Record<string, unknown>; readonly tasks: Record<string, unknown> };

/** All that a client sees of the collections: what is said of them, what a search in each finds, what they have done. */
async function shownBy(server: TestServer): Promise<Shown> {
  const { collections } = await call(server, 'GET', '/collections');
  const found: Record<string, unknown> = {};
  const tasks: Record<string, unknown> = {};
  for (const { name } of collections as { name: string }[]) {
    const { hits, total } = await call(server, 'POST', '/search', { query: '年假', collection: name, group_by: 'document' });
    const cited = (hits as { citation: { doc_id: string; collection: string }; text: string }[]).map(
      ({ citation, text }) => `${citation.collection} ${citation.doc_id} ${text}`,
    );
    found[name] = { total, hits: cited.toSorted() };
    const listed = (await call(server, 'GET', `/tasks?collection=${name}`))['tasks'] as { doc_id: string; status: string }[];
    tasks[name] = listed.map(({ doc_id: docId, status }) => `${docId} ${status}`);
  }
  return { collections, found, tasks };
}

async function shownAt(place: ServerOptions): Promise<Shown> {
  const server = await startServer(place);
  try {
    return await shownBy(server);
  } finally {
    await server.stop();
  }
}

it('are all different to begin with', () => {
  expect(shown.collections).toMatchObject([
    { name: 'default', documents: 2 },
    { name: 'empty', documents: 0 },
    { name: 'finance', documents: 2 },
    { name: 'hr', documents: 2, title: '人事', settings: { chunk_tokens: 64, synonyms: [['年假', '带薪休假']] } },
  ]);
  expect(shown.found).toMatchObject({ hr: { hits: { length: 2 } }, empty: { total: 0 } });
  expect(shown.tasks['hr']).toContain('broken failed');
});

it('are in a backup, and what is restored shows the same', async () => {
  const [backup, restored] = [join(dir.path, 'backup'), join(dir.path, 'restored')];
  expect(await runCommand(['backup', backup, '--data-dir', dataDir], env)).toMatchObject({ code: 0, stderr: '' });
  expect(await runCommand(['restore', backup, '--data-dir', restored], env)).toMatchObject({ code: 0, stderr: '' });

  expect(await shownAt({ dataDir: restored })).toEqual(shown);
});

it('go with a move through every engine and back, and are compared', async () => {
  const urls = [await databases.newDatabase(), await databases.newDatabase()] as const;
  const [one, other] = redis as [RedisServer, RedisServer];
  const folder = join(dir.path, 'beside-redis');
  const stops = [
    { place: dataDir, at: { dataDir } },
    { place: urls[0], at: { dataDir: env['DATA_DIR']!, engineEnv: { DATABASE_URL: urls[0] } } },
    { place: `${one.url},${folder}`, at: { dataDir: folder, engineEnv: { QUEUE_URL: one.url, DISK_RESERVE_BYTES: '0' } } },
    {
      place: `${other.url},${urls[1]}`,
      at: { dataDir: env['DATA_DIR']!, engineEnv: { QUEUE_URL: other.url, DATABASE_URL: urls[1] } },
    },
    { place: join(dir.path, 'back'), at: { dataDir: join(dir.path, 'back') } },
  ];
  for (const [number, { place, at }] of stops.entries()) {
    if (number === 0) continue;
    const moved = await runCommand(['--json', 'move', '--from', stops[number - 1]!.place, '--to', place], env);
    expect(moved.code, `to ${place}: ${moved.stdout}${moved.stderr}`).toBe(0);
    const { lines } = JSON.parse(moved.stdout) as { lines: { what: string; source: string; target: string }[] };
    expect(lines).toContainEqual({ what: 'collections', source: '4', target: '4' });
    const digest = lines.find(({ what }) => what === 'SHA-256 of the collections')!;
    expect(digest.target).toBe(digest.source);
    expect(await shownAt(at), place).toEqual(shown);
    const doctor = await runCommand(['doctor'], { ...at.engineEnv, DATA_DIR: at.dataDir, PORT: '0' });
    expect(doctor.stdout, place).toMatch(/collections +ok +4 collections hold 6 documents\./);
  }
  // Tasks of `default` are kept in Redis as they were before there were collections: so a Redis of then needs no migration.
  const keys = await askRedis(one.url, (client) => client.keys('*collection:*'));
  expect(keys.toSorted()).toEqual(['{rag-intake}:collection:finance', '{rag-intake}:collection:hr']);
});

it('are not moved where the target says something else of one, or is removing it', async () => {
  const target = join(dir.path, 'other-target');
  const server = await startServer({ dataDir: target });
  await call(server, 'PUT', '/collections/hr', { title: 'Another' });
  await server.stop();
  const move = (): Promise<CommandResult> => runCommand(['move', '--from', dataDir, '--to', target], env);

  expect((await move()).stderr).toContain('the collection hr.');
  await writeFile(join(target, 'collections', 'hr.removing'), '{}');
  expect((await move()).stderr).toContain('the collection hr, which is being deleted');
});

it('[S63] are looked at by the doctor: one that is missing, damaged or miscounted is named, and there again after a repair', async () => {
  const damaged = join(dir.path, 'damaged');
  expect((await runCommand(['move', '--from', dataDir, '--to', damaged], env)).code).toBe(0);
  await rm(join(damaged, 'collections', 'hr.json'));
  await writeFile(join(damaged, 'collections', 'finance.json'), '{"name": "finance", "sett');
  const index = new DatabaseSync(join(damaged, 'index', 'index.sqlite'));
  index.exec("UPDATE collection SET documents = 7 WHERE name = 'default'");
  index.close();

  // What cannot be read hides no document, and is not brought elsewhere as if it were all there was.
  expect((await shownAt({ dataDir: damaged })).found['finance']).toEqual(shown.found['finance']);
  const moved = await runCommand(['move', '--from', damaged, '--to', join(dir.path, 'nowhere')], env);
  expect(moved).toMatchObject({ code: 1, stderr: expect.stringContaining('the collection finance is damaged') as string });
  const found = await runCommand(['doctor'], { ...env, DATA_DIR: damaged });
  expect(found.code).toBe(1);
  expect(found.stdout).toMatch(
    /collections +problem .*which nobody can reach: hr\. .*is damaged.*: finance\. Counted wrongly: default\./,
  );
  const repaired = await runCommand(['doctor', '--repair'], { ...env, DATA_DIR: damaged });
  expect(repaired.stdout).toMatch(/collections +ok .*synonyms again: hr, finance\. Counted again: default\./);

  expect((await runCommand(['doctor'], { ...env, DATA_DIR: damaged })).stdout).toMatch(/collections +ok +4 collections hold 6/);
  expect((await shownAt({ dataDir: damaged })).collections).toMatchObject([
    { name: 'default', documents: 2 },
    { name: 'empty' },
    { name: 'finance', documents: 2 },
    { name: 'hr', documents: 2, title: null },
  ]);
});

it('of a database before collections there is `default`, with all that was in it', async () => {
  const before = versions.findIndex((step) => step.includes('CREATE TABLE collection('));
  const url = await databases.newDatabase();
  const place = { dataDir: env['DATA_DIR']!, engineEnv: { DATABASE_URL: url } };
  const server = await startServer(place);
  await call(server, 'PUT', '/documents/plan?filename=a.txt', textIn('default'));
  await server.stop();
  await ask(url, backTo(before));
  const migrated = await runCommand(['migrate'], { DATA_DIR: env['DATA_DIR']!, DATABASE_URL: url });
  expect(migrated.stdout, migrated.stderr).toContain(`from version ${before} to ${versions.length}`);

  const { collections, found, tasks } = await shownAt(place);
  expect(collections).toMatchObject([{ name: 'default', documents: 1, bytes: Buffer.byteLength(textIn('default')) }]);
  expect(tasks).toEqual({ default: ['plan completed'] });
  expect(found).toMatchObject({ default: { hits: [expect.stringMatching(/^default plan The plan of default/)] } });
});

/** The tables as the version before collections had them. */
function backTo(version: number): string {
  const since = versions.slice(version).join('\n');
  const columns = since.matchAll(/ALTER TABLE (\w+) ADD COLUMN ([^;]*);/g);
  const made = [...since.matchAll(/CREATE (TABLE|SEQUENCE) (\w+)/g)].map(
    ([, kind, name]) => `DROP ${kind} rag_intake.${name} CASCADE;`,
  );
  const drops = [...columns].flatMap(([, table, added]) =>
    added!.split(/, ADD COLUMN /).map((column) => `ALTER TABLE rag_intake.${table} DROP COLUMN ${column.split(' ')[0]!} CASCADE;`),
  );
  return `SET search_path = rag_intake; ${drops.join(' ')} ${made.join(' ')} CREATE INDEX document_embedder ON document(embedder); UPDATE version SET version = ${version}; DELETE FROM owner;`;
}
