import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBuiltinEmbedder } from '../../../src/embed/builtin-embedder.ts';
import type { Embedder } from '../../../src/embed/embedder.ts';
import { createOpenAiEmbedder } from '../../../src/embed/openai-embedder.ts';
import { openSqliteIndex, type SqliteIndex } from '../../../src/search/sqlite/sqlite-index.ts';
import type { TaskId } from '../../../src/tasks/task.ts';
import { answerEmbeddings, json, startModelServer, type ModelServer } from '../../support/model-server.ts';
import { stageDocument } from '../../support/staged-document.ts';

describe('search with an embedder that makes vectors', () => {
  let folder: string;
  let server: ModelServer;
  let index: SqliteIndex;
  let n: number;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vector-search-'));
    server = await startModelServer(answerEmbeddings);
    index = openIndex(service());
    n = 0;
  });

  afterEach(async () => {
    await index.close();
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  const openIndex = (embedder: Embedder) => openSqliteIndex({ indexDir: join(folder, 'index'), embedder });
  const service = (model = 'subjects') =>
    createOpenAiEmbedder({ url: server.url, key: '', model, dimensions: 8, timeoutMs: 2000, queryPrefix: '', passagePrefix: '' });

  async function put(docId: string, texts: readonly string[], embedder: Embedder = service()): Promise<void> {
    const dir = join(folder, `staged-${++n}`);
    await mkdir(dir);
    const vectors = embedder.dimensions > 0 ? await embedder.embed(texts, 'passage') : undefined;
    const version = `0190a0b0-0000-7000-8000-${String(n).padStart(12, '0')}` as TaskId;
    const staged = { docId, version, texts, embedder: embedder.id, ...(vectors === undefined ? {} : { vectors }) };
    await index.replace(await stageDocument(dir, staged), dir);
  }

  const search = (query: string, mode: 'hybrid' | 'vector' | 'keyword' = 'vector') =>
    index.search({ query, mode, topK: 3, offset: 0, filter: {} });
  const first = async (query: string, mode?: 'hybrid' | 'vector') => (await search(query, mode)).hits[0]?.docId;

  it('finds by meaning what shares no word with the question', async () => {
    await put('animals', ['The kitten sleeps all day']);
    await put('traffic', ['The engine needs oil']);
    await put('法律', ['法院今天开庭']);
    expect(await first('cat')).toBe('animals');
    expect(await first('car', 'hybrid')).toBe('traffic');
    expect(await first('court', 'hybrid')).toBe('法律');
    expect((await search('cat', 'hybrid')).notice).toBeNull();
  });

  it('follows replaced and removed documents', async () => {
    await put('a', ['The kitten sleeps']);
    expect(await first('cat')).toBe('a');
    await put('a', ['Flour and water']);
    await put('b', ['A cat on a mat']);
    expect(await first('cat')).toBe('b');
    expect(await first('bread')).toBe('a');
    await index.remove('b', 99);
    expect((await search('cat')).hits.map((hit) => hit.docId)).toEqual(['a']);
  });

  it('filters by document', async () => {
    await put('a', ['The kitten sleeps']);
    await put('b', ['The engine needs oil']);
    const { hits } = await index.search({ query: 'cat', mode: 'vector', topK: 5, offset: 0, filter: { docIds: ['b'] } });
    expect(hits.map((hit) => hit.docId)).toEqual(['b']);
  });

  it('answers by keyword, and says so, while the service is down', async () => {
    await put('a', ['The kitten sleeps']);
    server.answer = (_request, response) => json(response, {}, 401);
    const answer = await search('kitten', 'hybrid');
    expect(answer.hits[0]!.docId).toBe('a');
    expect(answer.notice).toMatch(/keyword only/);
    await expect(search('kitten', 'vector')).rejects.toMatchObject({ code: 'unavailable' });
    expect((await search('kitten', 'keyword')).notice).toBeNull();
  });

  it('notices another embedder, still finds by word, and embeds again without a pause', async () => {
    for (let i = 0; i < 20; i++) await put(`plain-${i}`, [`kitten number ${i}`], createBuiltinEmbedder());
    const before = await search('kitten', 'hybrid');
    expect(before.hits).toHaveLength(3);
    expect(before.notice).toMatch(/another embedder .* \(20 of them\)/);
    const left: number[] = [];
    do {
      left.push(await index.reembed());
      expect((await search('kitten', 'hybrid')).hits).toHaveLength(3);
    } while (left.at(-1)! > 0);
    expect(left).toEqual([12, 4, 0]);
    expect((await search('cat', 'vector')).hits).toHaveLength(3);
    expect((await search('cat', 'hybrid')).notice).toBeNull();
  });

  it('never compares vectors of two models', async () => {
    await put('a', ['The kitten sleeps']);
    await index.close();
    index = openIndex(service('another'));
    expect((await search('cat')).hits).toEqual([]);
    expect((await search('cat')).notice).toMatch(/\(1 of them\)/);
  });

  it('leaves a document as it was when it cannot be embedded again', async () => {
    await put('a', ['The kitten sleeps'], createBuiltinEmbedder());
    server.answer = (_request, response) => json(response, { data: [] });
    await expect(index.reembed()).rejects.toMatchObject({ code: 'embedder_failed' });
    expect((await search('kitten', 'keyword')).hits).toHaveLength(1);
    expect((await index.info('a'))!.embedder).toBe('builtin');
  });
});
