/**
 * What a searcher that follows owes in relevance, whatever its scores are: what is known to be there is found first, its order is much like
 * that of our own index, filters and collections are exact.
 */
import { mkdtemp, mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scopedId } from '../../../../src/documents/document-name.ts';
import { createBuiltinEmbedder } from '../../../../src/embed/builtin-embedder.ts';
import type { DocumentIndex, SearchFilter } from '../../../../src/search/document-index.ts';
import { type Database, openDatabase } from '../../../../src/storage/postgres/database.ts';
import { createFulltextSearcher, fulltextTables } from '../../../../src/storage/postgres/fulltext-searcher.ts';
import { createPostgresIndex } from '../../../../src/storage/postgres/index/postgres-index.ts';
import type { TaskId } from '../../../../src/tasks/task.ts';
import { silentLogger } from '../../../support/engine-steps.ts';
import { type Databases } from '../../../support/postgres.ts';
import { pageLines } from '../../../support/prose.ts';
import { sharedPostgres } from '../../../support/shared-postgres.ts';
import { stageDocument } from '../../../support/staged-document.ts';

const documents = 60;
const subjects = ['合同', '假期', '报销', '安全', '采购', '审计', '培训', '档案', '会议', '车辆'];
const places = ['北京', '上海', '广州', '成都', '杭州', '南京'];

let server: Databases;
let folder: string;
const databases: Database[] = [];
let own: DocumentIndex;
let followed: DocumentIndex;

beforeAll(async () => {
  server = await sharedPostgres();
  folder = await mkdtemp(join(tmpdir(), 'relevance-'));
  [own, followed] = [await open(false), await open(true)];
  for (let n = 1; n <= documents; n += 1) {
    await put(`en-${n}`, n, [pageLines(n, 8).join(' '), pageLines(n + 500, 8).join(' ')], n);
    const chinese = `${places[n % 6]}办事处的${subjects[n % 10]}管理规定第${n}号，自发布之日起施行。`;
    await put(scopedId({ collection: 'zh', docId: `zh-${n}` }), 1000 + n, [chinese], n);
  }
});

afterAll(async () => {
  for (const index of [own, followed]) await index.close();
  for (const database of databases) await database.close();
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function open(follows: boolean): Promise<DocumentIndex> {
  const url = await server.newDatabase();
  const database = await openDatabase({ url, connectionsMax: 4, idleInTransactionMs: 0, logger: silentLogger });
  databases.push(database);
  return createPostgresIndex({
    database,
    embedder: createBuiltinEmbedder(),
    merges: true,
    logger: silentLogger,
    follows: follows ? { searcher: createFulltextSearcher(database), tables: fulltextTables } : null,
  });
}

async function put(docId: string, n: number, texts: readonly string[], number: number): Promise<void> {
  const dir = join(folder, `staged-${n}`);
  await mkdir(dir);
  const version = `0190a0b0-0000-7000-8000-${String(n).padStart(12, '0')}` as TaskId;
  const document = await stageDocument(dir, { docId, version, ordinal: n, texts, metadata: { odd: number % 2 } });
  for (const index of [own, followed]) expect(await index.replace(document, dir)).toBe('ok');
}

describe('a searcher that follows', () => {
  const found = async (index: DocumentIndex, query: string, collection: string, filter: SearchFilter = {}) =>
    (await index.search({ query, mode: 'hybrid', topK: 10, offset: 0, filter, collection, groupBy: 'document' })).hits.map(
      ({ docId }) => docId,
    );

  it('finds first what a question repeats, in English and in Chinese', async () => {
    for (let n = 1; n <= documents; n += 3) {
      const line = pageLines(n, 8).join(' ').slice(0, 160);
      expect((await found(followed, line, 'default'))[0]).toBe(`en-${n}`);
      const asked = `${places[n % 6]}${subjects[n % 10]}管理规定第${n}号`;
      expect((await found(followed, asked, 'zh'))[0]).toBe(scopedId({ collection: 'zh', docId: `zh-${n}` }));
    }
  });

  it('has nearly the same ten hits as our own index', async () => {
    let [shared, all] = [0, 0];
    for (let n = 1; n <= documents; n += 5) {
      for (const [query, collection] of [
        [pageLines(n + 900, 1)[0]!, 'default'],
        [`${places[n % 6]}的${subjects[(n * 7) % 10]}`, 'zh'],
      ] as const) {
        const [ours, theirs] = [await found(own, query, collection), await found(followed, query, collection)];
        all += ours.length;
        shared += ours.filter((docId) => theirs.includes(docId)).length;
      }
    }
    expect(all).toBeGreaterThan(100);
    expect(shared / all).toBeGreaterThan(0.9);
  });

  it('keeps to filters and collections', async () => {
    const [line] = pageLines(1, 1);
    const odd = await found(followed, line!, 'default', { metadata: { odd: 1 } });
    expect(odd.length).toBeGreaterThan(0);
    expect(odd.filter((docId) => Number(docId.slice(3)) % 2 === 0)).toEqual([]);
    expect((await found(followed, line!, 'zh')).filter((docId) => docId.startsWith('en-'))).toEqual([]);
    expect(await found(followed, '管理规定', 'default')).toEqual([]);
  });
});
