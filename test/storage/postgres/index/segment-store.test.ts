/** What grows in PostgreSQL: segments are merged in bounded steps, and what no document needs is forgotten a little at a time. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from 'vitest';
import { createBuiltinEmbedder } from '../../../../src/embed/builtin-embedder.ts';
import { type Database, openDatabase } from '../../../../src/storage/postgres/database.ts';
import { createPostgresIndex, type PostgresIndex } from '../../../../src/storage/postgres/index/postgres-index.ts';
import { migrate, versions } from '../../../../src/storage/postgres/schema.ts';
import { unpacked } from '../../../../src/storage/postgres/index/packed.ts';
import { insertSegment, mergeSome, renewSome, wordsIn } from '../../../../src/storage/postgres/index/segment-store.ts';
import type { Logger } from '../../../../src/logger.ts';
import { type Block, termsOfBlock } from '../../../../src/search/index/posting-blocks.ts';
import { decodeWords, SegmentBuilder } from '../../../../src/search/index/segments.ts';
import type { TaskId } from '../../../../src/tasks/task.ts';
import { silentLogger } from '../../../support/engine-steps.ts';
import { ask, type Databases } from '../../../support/postgres.ts';
import { sharedPostgres } from '../../../support/shared-postgres.ts';
import { stageDocument } from '../../../support/staged-document.ts';
import { until } from '../../../support/until.ts';

let server: Databases;
let url: string;
let database: Database;
beforeAll(async () => void (server = await sharedPostgres()));
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(async () => {
  url = await server.newDatabase();
  database = await openDatabase({ url, connectionsMax: 4, idleInTransactionMs: 0, logger: silentLogger });
});
afterEach(() => database.close());

const none: ReadonlySet<number> = new Set();

/** A segment of one document whose chunks have a common word, one of their own each, and filler that fills blocks. */
async function addSegment(document: number, chunks: number, filler = 0): Promise<void> {
  const builder = new SegmentBuilder();
  for (let chunk = 0; chunk < chunks; chunk += 1) {
    const own = [`own${document}x${chunk}`, ...Array.from({ length: filler }, (_, n) => `filler${document}x${chunk}x${n}`)];
    builder.add({
      terms: new Map(['common', ...own].map((term) => [term, 1])),
      words: new Set(own.slice(0, 1)),
      length: own.length + 1,
    });
  }
  await database.transaction(() => insertSegment(database, 'default', builder.build(document, document * 1000)));
}

/** Term → rows that have it, over all segments. */
async function postings(): Promise<Map<string, number>> {
  const rows = await database.query('SELECT first, data FROM posting_block ORDER BY id');
  const blocks: Block[] = rows.map((row) => ({
    first: JSON.parse(row['first'] as string) as string,
    data: unpacked(row['data'] as Uint8Array),
  }));
  const found = new Map<string, number>();
  for (const block of blocks)
    for (const [term, list] of termsOfBlock(block.data)) found.set(term, (found.get(term) ?? 0) + list.rows);
  return found;
}

async function blockBytes(): Promise<number> {
  const rows = await database.query('SELECT data FROM posting_block');
  return rows.reduce((sum, { data }) => sum + unpacked(data as Uint8Array).length, 0);
}

async function count(table: string): Promise<number> {
  return Number((await ask(url, `SELECT count(*) AS n FROM rag_intake.${table}`))[0]!['n']);
}

describe('merging segments', () => {
  it('keeps every posting, of segments that are read and written in many steps', async () => {
    for (let document = 1; document <= 7; document += 1) await addSegment(document, 10, 10);
    await addSegment(8, 40, 1500);
    const before = await postings();
    expect(await count('posting_block')).toBeGreaterThan(7 + 64);

    expect(await mergeSome(database, none)).toBe(true);

    expect(await count('segment')).toBe(1);
    expect(await postings()).toEqual(before);
    expect(before.get('common')).toBe(110);
    expect(await mergeSome(database, none)).toBe(false);
  });

  it('keeps postings and words compressed, and reads those that an earlier version has not', async () => {
    for (let document = 1; document <= 8; document += 1) await addSegment(document, 10, 100);
    const before = await postings();
    for (const { id, data } of await database.query('SELECT id, data FROM posting_block WHERE id % 2 = 0'))
      await database.run('UPDATE posting_block SET data = $2 WHERE id = $1', [id, unpacked(data as Uint8Array)]);
    for (const { id, words } of await database.query('SELECT id, words FROM segment WHERE id % 2 = 0'))
      await database.run('UPDATE segment SET words = $2 WHERE id = $1', [id, unpacked(words as Uint8Array)]);

    expect(await mergeSome(database, none)).toBe(true);

    expect(await postings()).toEqual(before);
    const [kept] = await database.query('SELECT sum(octet_length(data))::integer AS bytes FROM posting_block');
    expect(kept!['bytes']).toBeLessThan((await blockBytes()) / 1.5);
    const [segment] = await database.query('SELECT words FROM segment');
    expect(decodeWords(wordsIn(segment!))).toHaveLength(80);
  });

  it('sends the server blocks as bytes, not as text twice their size', async () => {
    const asked: unknown[][] = [];
    const watched: Database = {
      ...database,
      run: (sql, values = []) => {
        if (sql.includes('posting_block')) asked.push([...values]);
        return database.run(sql, values);
      },
    };
    const builder = new SegmentBuilder();
    for (let chunk = 0; chunk < 120; chunk += 1) {
      const terms = Array.from({ length: 1500 }, (_, n) => `term${chunk}x${n}`);
      builder.add({ terms: new Map(terms.map((term) => [term, 1])), words: new Set(), length: terms.length });
    }
    await insertSegment(watched, 'default', builder.build(1, 1000));

    const bytes = asked.flat().filter((value) => Buffer.isBuffer(value));
    expect(bytes.length).toBeGreaterThan(2);
    expect(Math.max(...bytes.map((value) => value.length))).toBeLessThan(2 * 1024 * 1024);
    expect(asked.flat(2).filter((value) => value instanceof Uint8Array)).toHaveLength(bytes.length);
  });

  it('leaves out documents that are gone, and writes a large segment anew when much of it is', async () => {
    await addSegment(1, 30_000);
    await addSegment(2, 33_000);
    await database.run('UPDATE segment SET chunks = 62501');
    await database.run('INSERT INTO removed(document) VALUES (2)');

    expect(await mergeSome(database, none)).toBe(false);
    expect(await renewSome(database, none)).toBe(true);

    expect(await count('removed')).toBe(0);
    expect((await postings()).get('common')).toBe(30_000);
    expect(await renewSome(database, none)).toBe(false);
  });

  it('says once that a merge cannot succeed, and goes on with other segments', async () => {
    for (let document = 1; document <= 8; document += 1) await addSegment(document, 1);
    await database.run(`UPDATE posting_block SET data = '\\x00' WHERE segment = (SELECT min(id) FROM segment)`);
    const errors: string[] = [];
    const logger = { ...silentLogger, error: (_: unknown, text: string) => void errors.push(text) } as unknown as Logger;
    const index = createPostgresIndex({ database, embedder: createBuiltinEmbedder(), merges: true, logger });

    for (let number = 0; number < 16; number += 1) await replace(index, number);
    await until('the segments that can be merged are', async () => (await count('segment')) < 16);
    await index.close();

    expect(errors).toEqual(['index segments cannot be merged and stay as they are; searches still find everything']);
    expect(await count('document')).toBe(16);
  });
});

function versionOf(number: number): TaskId {
  return `0190a0b0-0000-7000-8000-${String(number).padStart(12, '0')}` as TaskId;
}

async function replace(index: PostgresIndex, number: number, docId = `d${number}`): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'segment-store-'));
  const document = await stageDocument(folder, { docId, version: versionOf(number), ordinal: number, texts: [`zebra ${number}`] });
  expect(await index.replace(document, folder)).toBe('ok');
  await rm(folder, { recursive: true });
}

describe('forgetting what no document needs', () => {
  it('takes as many steps as it must, and keeps what documents that are there rest on', async () => {
    const index = createPostgresIndex({ database, embedder: createBuiltinEmbedder(), merges: false, logger: silentLogger });
    await replace(index, 1);
    await replace(index, 2, 'd1');
    await replace(index, 3);
    await index.remove('d3', 4);
    await database.run(`INSERT INTO committed(version, ordinal, outdated)
      SELECT ('0190a0b0-0000-7000-7000-' || lpad(n::text, 12, '0'))::uuid, n, true FROM generate_series(1, 10001) AS n`);

    await index.purge(100_000);

    expect([await count('committed'), await count('fence')]).toEqual([1, 1]);
    expect(await index.wasCommitted('d1', versionOf(2))).toBe(true);
    expect(await index.wasCommitted('d1', versionOf(1))).toBe(false);
  });

  it('knows what was outdated before that was noted', async () => {
    const index = createPostgresIndex({ database, embedder: createBuiltinEmbedder(), merges: false, logger: silentLogger });
    await database.query('DROP SCHEMA rag_intake CASCADE');
    await database.query('CREATE SCHEMA rag_intake');
    await database.query('CREATE TABLE rag_intake.version(version integer NOT NULL)');
    for (const step of versions.slice(0, 2)) await database.query(step);
    await database.query('INSERT INTO version VALUES (2)');
    await database.run(`INSERT INTO document(doc_key, version, chunks, record, filename, media_type, inserted_at, embedder, metadata)
      VALUES ('kept', '${versionOf(1)}', 0, '{}', '"a"', 'text/plain', '', 'builtin', '{}')`);
    for (const number of [1, 2]) {
      await database.run('INSERT INTO committed(version, ordinal) VALUES ($1, $2)', [versionOf(number), number]);
      const key = number === 1 ? 'kept' : 'gone';
      await database.run('INSERT INTO fence(doc_key, version, ordinal) VALUES ($1, $2, $3)', [key, versionOf(number), number]);
    }

    await migrate(database, silentLogger);
    await index.purge(100);

    expect([await count('committed'), await count('fence')]).toEqual([1, 1]);
  });

  it('is left to the process that is at it', async () => {
    const index = createPostgresIndex({ database, embedder: createBuiltinEmbedder(), merges: false, logger: silentLogger });
    await database.run(`INSERT INTO revoked(version) VALUES ('0190a0b0-0000-7000-7000-000000000000')`);
    const before = 1;

    await database.transaction(async () => {
      await database.query(`SELECT pg_advisory_xact_lock(hashtext('rag_intake purge'))`);
      await database.apart(() => index.purge(before));
    });
    expect(await count('revoked')).toBe(1);

    await index.purge(before);
    expect(await count('revoked')).toBe(0);
  });
});

describe('what the server is asked for', () => {
  it('is given up by the server itself after a while, on every connection', async () => {
    const [row] = await database.query('SHOW statement_timeout');
    expect(row).toEqual({ statement_timeout: '1min' });
  });
});
