import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBuiltinEmbedder } from '../../../src/embed/builtin-embedder.ts';
import { createReranker } from '../../../src/search/models/create-reranker.ts';
import { openSqliteIndex, type SqliteIndex } from '../../../src/search/sqlite/sqlite-index.ts';
import type { TaskId } from '../../../src/tasks/task.ts';
import { json, startModelServer, type ModelServer } from '../../support/model-server.ts';
import { writeTinyModel } from '../../support/onnx-model.ts';
import { stageDocument } from '../../support/staged-document.ts';

/** Prefers texts that say "gold". */
const scoreOf = (text: string): number => (text.includes('gold') ? 0.9 : 0.1);

describe('reranking', () => {
  let folder: string;
  let server: ModelServer;
  let index: SqliteIndex | null;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reranker-'));
    server = await startModelServer(({ body }, response) => {
      const results = (body['documents'] as string[]).map((text, i) => ({ index: i, relevance_score: scoreOf(text) }));
      json(response, { results: results.reverse() });
    });
    index = null;
  });

  afterEach(async () => {
    await index?.close();
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  const http = () => createReranker({ kind: 'http', url: `${server.url}/rerank`, model: 'tiny', key: '', timeoutMs: 1000 });

  async function fill(reranker: Awaited<ReturnType<typeof http>>): Promise<SqliteIndex> {
    index = openSqliteIndex({ indexDir: join(folder, 'index'), embedder: createBuiltinEmbedder(), reranker });
    for (let n = 1; n <= 12; n++) {
      const dir = join(folder, `staged-${n}`);
      await mkdir(dir);
      const version = `0190a0b0-0000-7000-8000-${String(n).padStart(12, '0')}` as TaskId;
      const texts = [n === 12 ? 'mine and much else besides: gold' : 'mine mine'];
      await index.replace(await stageDocument(dir, { docId: `d${n}`, version, texts }), dir);
    }
    return index;
  }

  const search = (mode: 'hybrid' | 'keyword', offset = 0) => index!.search({ query: 'mine', mode, topK: 3, offset, filter: {} });

  it('puts first what the model prefers, and pages through its order', async () => {
    await fill(await http());
    const page = await search('hybrid');
    expect(page.hits[0]).toMatchObject({ docId: 'd12', score: 0.9 });
    const pages = [page, ...(await Promise.all([3, 6, 9].map((offset) => search('hybrid', offset))))];
    expect(new Set(pages.flatMap(({ hits }) => hits.map((hit) => hit.docId))).size).toBe(12);
    expect((await search('keyword')).hits[0]!.docId).not.toBe('d12');
  });

  it('leaves the order of the index, and says so, when the service fails', async () => {
    await fill(await http());
    server.answer = (_request, response) => json(response, {}, 401);
    const answer = await search('hybrid');
    expect(answer.hits).toHaveLength(3);
    expect(answer.notice).toMatch(/reranker did not answer/);
  });

  it('reads the answers of a TEI service too, and refuses incomplete ones', async () => {
    const reranker = (await http())!;
    const { signal } = new AbortController();
    server.answer = (_request, response) =>
      json(response, [
        { index: 1, score: 2 },
        { index: 0, score: 1 },
      ]);
    expect(await reranker.rerank('q', ['a', 'b'], signal)).toEqual([1, 2]);
    server.answer = (_request, response) => json(response, [{ index: 1, score: 2 }]);
    await expect(reranker.rerank('q', ['a', 'b'], signal)).rejects.toMatchObject({ code: 'embedder_failed' });
    server.answer = (_request, response) => json(response, { ok: true });
    await expect(reranker.rerank('q', ['a', 'b'], signal)).rejects.toMatchObject({ code: 'embedder_failed' });
  });

  it('runs a local cross-encoder', async () => {
    await writeTinyModel(join(folder, 'cross'), { words: { gold: [9], mine: [1], and: [0] }, output: 'logits' });
    const reranker = (await createReranker({ kind: 'onnx', modelDir: join(folder, 'cross') }))!;
    const scores = await reranker.rerank(
      'mine',
      ['and and', 'gold and', ...Array.from({ length: 20 }, () => 'mine and')],
      new AbortController().signal,
    );
    expect(scores).toHaveLength(22);
    expect(scores.indexOf(Math.max(...scores))).toBe(1);
  });
});
