/** The PostgreSQL engine keeps every contract that is about files when they lie in an object store. */
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { parseFilesUrl } from '../../../src/storage/objects/files-url.ts';
import { openS3 } from '../../../src/storage/objects/s3.ts';
import type { ObjectStore } from '../../../src/storage/objects/object-store.ts';
import { openDatabase } from '../../../src/storage/postgres/database.ts';
import { openPostgresEngine } from '../../../src/storage/postgres/engine.ts';
import { createObjectBlobs, openObjects } from '../../../src/storage/postgres/object-blobs.ts';
import { fileStoreContract } from '../../contract/file-store-contract.ts';
import { beginNext, failedOutcome, settle, silentLogger, stage, upload } from '../../support/engine-steps.ts';
import { createPostgresHarness, postgresEngineOptions } from '../../support/postgres-harness.ts';
import { objectCredentials, type ObjectServer, startObjectServer } from '../../support/object-server.ts';
import { ask, type Databases } from '../../support/postgres.ts';
import { sharedPostgres } from '../../support/shared-postgres.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { until } from '../../support/until.ts';

let server: Databases;
let objects: ObjectServer;
let buckets = 0;
beforeAll(async () => {
  [server, objects] = await Promise.all([sharedPostgres(), startObjectServer()]);
});
afterAll(() => Promise.all([server[Symbol.asyncDispose](), objects[Symbol.asyncDispose]()]));

function openStore(bucket: string, pauseMs = 1): Promise<ObjectStore> {
  return openS3({ ...parseFilesUrl(objects.filesUrl(bucket))!, ...objectCredentials, pauseMs });
}

fileStoreContract('the PostgreSQL engine with an object store', async () => {
  buckets += 1;
  return createPostgresHarness(server, await openStore(`bucket-${buckets}`));
});

/** Of one bucket, without the one that says whose it is. */
function keysIn(bucket: string): string[] {
  return [...objects.objects.keys()].filter((key) => key.startsWith(`${bucket}/`) && !key.endsWith('/space'));
}

it('keeps no bytes of a document in the database, and deletes the objects of the version before', async () => {
  await using dir = await tempDir();
  const url = await server.newDatabase();
  const store = await openStore('versions');
  const engine = await openPostgresEngine({ ...postgresEngineOptions(url, 'worker', join(dir.path, 'work')), objects: store });
  for (const content of ['first', 'second']) {
    await upload(engine, content, { docId: 'one' });
    const { lease, task } = await beginNext(engine);
    await settle(engine, lease, task);
  }
  expect(await ask(url, 'SELECT blob FROM rag_intake.blob_chunk')).toEqual([]);
  await until('only the objects of the newest version are there', async () => {
    const [row] = await ask(url, 'SELECT count(*)::int AS n FROM rag_intake.blob WHERE object IS NOT NULL');
    return row!['n'] === 4 && keysIn('versions').length === 4;
  });
  await engine.close();
});

it('deletes what a transaction that was undone would have referred to, once nobody tries again', async () => {
  await using dir = await tempDir();
  const url = await server.newDatabase();
  const store = await openStore('undone');
  const engine = await openPostgresEngine({ ...postgresEngineOptions(url, 'worker', join(dir.path, 'work')), objects: store });
  await upload(engine, 'cancelled');
  const { lease, task } = await beginNext(engine);
  const folder = await stage(engine, task);
  await engine.files.prepare?.(folder);
  const undone = engine.transaction(async () => {
    await engine.files.publish(task.docId, task, folder);
    throw new Error('it was cancelled');
  });
  await expect(undone).rejects.toThrow('it was cancelled');
  expect(keysIn('undone')).toHaveLength(4);
  await engine.tasks.finish(task.id, task.attempts, failedOutcome);
  await lease.ack();
  await until('only what is referred to is there', async () => {
    const [row] = await ask(url, 'SELECT count(*)::int AS n FROM rag_intake.blob WHERE object IS NOT NULL');
    return keysIn('undone').length === row!['n'];
  });
  await engine.close();
});

it('removes what a process that is gone has put, and nothing that a document refers to', async () => {
  await using dir = await tempDir();
  const url = await server.newDatabase();
  const store = await openStore('orphans');
  const open = (name: string) =>
    openPostgresEngine({ ...postgresEngineOptions(url, 'worker', join(dir.path, name)), objects: store, leaseMs: 2000 });
  const [dying, other] = [await open('a'), await open('b')];
  const kept = await upload(dying, 'kept');
  const [mine] = keysIn('orphans');
  const orphan = mine!.replace(/\d+$/, '999999');
  await store.put(orphan.slice('orphans/kept/'.length), { bytes: 1, content: Buffer.from('x') });
  // As if it had been silent for long: the others find it dead, and what it does later is refused.
  await ask(url, `UPDATE rag_intake.owner SET backend = 0 WHERE id = $1`, [mine!.split('/').at(-2)]);
  await dying.close();
  await ask(url, `INSERT INTO rag_intake.owner(id, role, backend, seen_at) VALUES ($1, 'worker', 0, now() - interval '1 hour')`, [
    mine!.split('/').at(-2),
  ]);
  await until('the orphan is gone', () => Promise.resolve(!objects.objects.has(orphan)));
  expect(await text((await other.files.open({ kind: 'payload', taskId: kept.id }))!.stream)).toBe('kept');
  await other.close();
});

it('looks through all objects again within an hour where it did not come to the end, and only daily where it did', async () => {
  const url = await server.newDatabase();
  const store = await openStore('unswept');
  const database = await openDatabase({ url, connectionsMax: 2, idleInTransactionMs: 0, logger: silentLogger });
  onTestFinished(() => database.close());
  const opened = await openObjects(database, store);
  const blobs = createObjectBlobs({ ...opened!, database, owner: 'sweeper', workDir: '', logger: silentLogger });
  const leave = (name: string) => store.put(`${opened!.space}/gone/${name}`, { bytes: 1, content: Buffer.from('x') });
  const pass = (time: string) => ask(url, `UPDATE rag_intake.object_space SET swept_at = swept_at - interval '${time}'`);

  await leave('1');
  objects.refusals.push(503, 503, 503, 503, 503);
  await expect(blobs.sweep()).rejects.toMatchObject({ code: 'unavailable' });
  objects.refusals.splice(0);
  expect(await blobs.sweep()).toBe(0);
  await pass('61 minutes');
  expect(await blobs.sweep()).toBe(1);
  await leave('2');
  await pass('61 minutes');
  expect(await blobs.sweep()).toBe(0);
  await pass('22 hours');
  expect(await blobs.sweep()).toBe(1);
});

it('tries again what the store refuses for a moment, and says 503 when it goes on', async () => {
  const store = await openStore('refusing');
  objects.refusals.push(503, 500, 429);
  await store.put('key', { bytes: 3, content: Buffer.from('abc') });
  expect(await text((await store.get('key', { first: 1, last: 2 }))!.stream)).toBe('bc');
  objects.refusals.push(503, 503, 503, 503);
  await expect(store.put('key', { bytes: 1, content: Buffer.from('x') })).rejects.toMatchObject({
    code: 'unavailable',
    retryAfterSeconds: 5,
  });
  expect(await store.state()).toMatchObject({ state: 'unusable', reason: expect.stringContaining('503 SlowDown') as string });
});

it.for([
  ['how long an object is', 'content-length', null, 'the object store does not say how long the object is'],
  ['how much of it comes', 'content-length', { first: 1, last: 2 }, 'the object store does not say how long the object is'],
  [
    'which part comes',
    'content-range',
    { first: 1, last: 2 },
    'what answers at FILES_URL with 206 is no object store, or something between changes its answers',
  ],
] as const)('says 503 when the store does not say %s, and takes it for no empty file', async ([, header, range, message]) => {
  const store = await openStore('unsaid');
  await store.put('key', { bytes: 3, content: Buffer.from('abc') });
  objects.unsaid.add(header);
  onTestFinished(() => objects.unsaid.clear());
  await expect(store.get('key', range)).rejects.toMatchObject({ code: 'unavailable', cause: { message } });
});

it('refuses a database whose files are in a store that the settings do not name, or in another bucket', async () => {
  await using dir = await tempDir();
  const url = await server.newDatabase();
  const open = async (bucket: string | null) => {
    const options = { ...postgresEngineOptions(url, 'worker', join(dir.path, 'work')) };
    return openPostgresEngine({ ...options, objects: bucket === null ? null : await openStore(bucket) });
  };
  await (await open('mine')).close();
  await expect(open(null)).rejects.toThrow(/^FILES_URL: the files of this database are in an object store/);
  await expect(open('another')).rejects.toThrow(/^FILES_URL: this is not the bucket/);
});
