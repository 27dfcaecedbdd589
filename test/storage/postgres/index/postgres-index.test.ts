/** The index in PostgreSQL keeps the contract of every index, and answers as the index file does. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createBuiltinEmbedder } from '../../../../src/embed/builtin-embedder.ts';
import type { Embedder } from '../../../../src/embed/embedder.ts';
import { type Database, openDatabase } from '../../../../src/storage/postgres/database.ts';
import { createPostgresIndex } from '../../../../src/storage/postgres/index/postgres-index.ts';
import type { DocumentIndex } from '../../../../src/search/document-index.ts';
import { openSqliteIndex } from '../../../../src/search/sqlite/sqlite-index.ts';
import type { TaskId } from '../../../../src/tasks/task.ts';
import { describeDocumentIndex } from '../../../contract/document-index-contract.ts';
import { silentLogger } from '../../../support/engine-steps.ts';
import { type Databases } from '../../../support/postgres.ts';
import { sharedPostgres } from '../../../support/shared-postgres.ts';
import { pageLines } from '../../../support/prose.ts';
import { stageDocument } from '../../../support/staged-document.ts';
import { longestTurn } from '../../../support/turn-time.ts';

let server: Databases;
beforeAll(async () => void (server = await sharedPostgres()));
afterAll(() => server[Symbol.asyncDispose]());

/** A database for each folder that a test names. */
const databases = new Map<string, string>();

async function open(indexDir: string, embedder: Embedder = createBuiltinEmbedder()): Promise<DocumentIndex> {
  const url = databases.get(indexDir) ?? (await server.newDatabase());
  databases.set(indexDir, url);
  const database = await openDatabase({ url, connectionsMax: 4, idleInTransactionMs: 0, logger: silentLogger });
  const index = createPostgresIndex({ database, embedder, merges: true, logger: silentLogger });
  let closed = false;
  return {
    ...index,
    async close() {
      if (closed) return;
      closed = true;
      await index.close();
      await database.close();
    },
  };
}

describeDocumentIndex('the PostgreSQL index', (indexDir) => open(indexDir));

/** Vectors that depend on the first letter and the length alone. */
const letters: Embedder = {
  id: 'letters',
  dimensions: 32,
  embed: async (texts) => texts.map((text) => letterVector(text)),
};

function letterVector(text: string): Float32Array {
  const vector = new Float32Array(32).fill(-0.1);
  vector[text.toLowerCase().charCodeAt(0) % 32] = 1;
  vector[31] = text.length / 1000;
  return vector;
}

it.each([letters, createBuiltinEmbedder()])(
  'answers every question as the index file does, word for word and score for score: $id',
  async (embedder) => {
    const folder = await mkdtemp(join(tmpdir(), 'same-answers-'));
    const indexDir = join(folder, 'index');
    const inFile = openSqliteIndex({ indexDir, embedder });
    const inTables = await open(indexDir, embedder);
    for (let n = 1; n <= 40; n += 1) {
      // Many as good as each other, and documents that are replaced: neither index may show how it lies in segments.
      const texts = [
        pageLines(n % 7, 6).join(' '),
        `行政法院 number ${n % 9} 安装说明。`,
        `The administrative court of the region and its manual ${n % 5}`,
      ];
      const vectors = texts.map(letterVector);
      const scratch = await mkdtemp(join(folder, 'staged-'));
      const document = await stageDocument(scratch, {
        docId: `doc-${n % 32}`,
        version: `0190a0b0-0000-7000-8000-${String(n).padStart(12, '0')}` as TaskId,
        texts,
        ...(embedder === letters ? { vectors } : {}),
        embedder: embedder.id,
        title: n % 3 === 0 ? `Manual ${n}` : null,
        metadata: { odd: n % 2 },
      });
      expect([await inFile.replace(document, scratch), await inTables.replace(document, scratch)]).toEqual(['ok', 'ok']);
    }
    while (inFile.tidy());

    for (const query of [
      '安装',
      'number 7',
      pageLines(27, 3)[2]!,
      'manaul 30',
      '"法院 number 12"',
      'zebra',
      '行政法院在哪个地区',
      '行证法院',
      '行故法院',
      '安装明说',
      'handbook of the region',
      'how to install the manual',
      '',
    ]) {
      for (const mode of ['keyword', 'hybrid', 'vector'] as const) {
        for (const filter of [{}, { metadata: { odd: 1 } }]) {
          const asked = { query, mode, topK: 20, offset: 0, filter, synonyms: [['handbook', 'manual']] };
          const [file, tables] = [await inFile.search(asked), await inTables.search(asked)];
          expect({ ...tables, tookMs: 0 }, `${mode}: ${query}`).toEqual({ ...file, tookMs: 0 });
        }
      }
    }
    await inFile.close();
    await inTables.close();
    await rm(folder, { recursive: true, force: true });
  },
);

it('answers the largest page without holding the event loop for more than a small part of its work', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'turns-'));
  const index = await open(join(folder, 'index'));
  const texts = Array.from({ length: 120 }, (_, n) => `${pageLines(n, 90).join(' ')} leave policy`.slice(-8000));
  const document = await stageDocument(folder, { docId: 'd', version: '0190a0b0-0000-7000-8000-000000000001' as TaskId, texts });
  expect(await index.replace(document, folder)).toBe('ok');
  const search = () => index.search({ query: '"leave policy" policy leave', mode: 'hybrid', topK: 100, offset: 0, filter: {} });
  expect((await search()).hits).toHaveLength(100);

  const shares: number[] = [];
  for (let i = 0; i < 5; i += 1) {
    const before = process.threadCpuUsage();
    const longest = await longestTurn(search);
    const { user, system } = process.threadCpuUsage(before);
    shares.push(longest / (user + system));
  }
  expect(Math.min(...shares)).toBeLessThan(0.25);
  await index.close();
  await rm(folder, { recursive: true, force: true });
});

it('reads all words of the texts for a word that no text has, not for one whose postings are not in memory yet', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'words-'));
  const url = await server.newDatabase();
  const database = await openDatabase({ url, connectionsMax: 4, idleInTransactionMs: 0, logger: silentLogger });
  let wordsRead = 0;
  const watched: Database = {
    ...database,
    query(sql, ...rest) {
      if (/SELECT id, words\b/.test(sql)) wordsRead += 1;
      return database.query(sql, ...rest);
    },
  };
  const index = createPostgresIndex({ database: watched, embedder: createBuiltinEmbedder(), merges: false, logger: silentLogger });
  const texts = Array.from({ length: 5 }, (_, n) => `The handbook of department ${n} says how leave is asked for.`);
  const document = await stageDocument(folder, { docId: 'd', version: '0190a0b0-0000-7000-8000-000000000001' as TaskId, texts });
  expect(await index.replace(document, folder)).toBe('ok');
  const find = (query: string) => index.search({ query, mode: 'hybrid', topK: 9, offset: 0, filter: {} });

  expect((await find('handbook of the department')).hits).toHaveLength(5);
  expect(wordsRead).toBe(0);
  expect((await find('handbok department')).hits).toHaveLength(5);
  expect(wordsRead).toBe(1);

  await index.close();
  await database.close();
  await rm(folder, { recursive: true, force: true });
});
