import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engines, type TestEngine } from '../support/engines.ts';
import { json, type ModelServer, startModelServer, subjectVector } from '../support/model-server.ts';
import { ended, insert, search, startServer, type TestServer, type WireTask } from '../support/server.ts';

describe.each(engines)('on $name', { skip: engines.every(({ keepsVectors }) => keepsVectors === false) }, ({ open }) => {
  let engine: TestEngine;
  let model: ModelServer;
  let server: TestServer;
  /** How often the service refused a text with this word in it, before it answers. */
  const refusals = new Map([['patience', 2]]);

  beforeAll(async () => {
    // The service misbehaves by the words in the texts, so that every trouble meets the same queue at once.
    model = await startModelServer(({ body }, response) => {
      const texts = body['input'] as string[];
      const says = (word: string): boolean => texts.some((text) => text.includes(word));
      if (says('unplugged')) return void response.destroy();
      if (says('sluggish')) return;
      if (says('misshapen')) return json(response, { data: texts.map((_, index) => ({ index, embedding: [1, 2, 3] })) });
      if (says('crowded')) return json(response, {}, 429, { 'retry-after': '0.01' });
      const left = says('patience') ? refusals.get('patience')! : 0;
      if (left > 0) {
        refusals.set('patience', left - 1);
        return json(response, {}, 429, { 'retry-after': '0.01' });
      }
      json(response, { data: texts.map((text, index) => ({ index, embedding: subjectVector(text) })) });
    });
    engine = await open();
    server = await startServer({
      ...(await engine.newPlace()),
      env: {
        EMBEDDER: 'openai',
        EMBEDDINGS_URL: `${model.url}/v1/embeddings`,
        EMBEDDINGS_MODEL: 'subjects',
        EMBEDDINGS_DIMENSIONS: '8',
        EMBEDDINGS_TIMEOUT_MS: '500',
        ATTEMPTS_MAX: '2',
        RETRY_DELAY_MS: '10',
      },
    });
  });

  afterAll(async () => {
    await server.stop();
    await model.close();
    await engine[Symbol.asyncDispose]();
  });

  async function accept(docId: string, text: string): Promise<WireTask> {
    const response = await insert(server.url, docId, { name: `${docId}.md`, bytes: text }, { prefer: 'respond-async' });
    expect(response.status).toBe(202);
    return (await response.json()) as WireTask;
  }

  const found = async (query: string, mode: string): Promise<string[]> =>
    (await search(server.url, query, { mode, top_k: 50 })).map((hit) => hit.citation.doc_id);

  describe('an embedding service in trouble', () => {
    it('fails or delays only the tasks that it lets down, with the reason, and nothing half-made is found', async () => {
      const long = Array.from({ length: 90 }, (_, i) => `# Part ${i}\n\nzebra number ${i}`).join('\n\n');
      const texts: Record<string, string> = {
        down: 'the zebra is unplugged',
        slow: 'the zebra is sluggish',
        sizes: 'the zebra is misshapen',
        busy: 'the zebra is crowded',
        half: `${long}\n\n# End\n\nthe zebra is misshapen`,
        later: 'the zebra has patience',
        good: 'the zebra is a cat of sorts',
        better: '斑马 zebra 猫',
      };

      const accepted = await Promise.all(Object.entries(texts).map(([docId, text]) => accept(docId, text)));
      const tasks = await Promise.all(accepted.map((task) => ended(server.url, task.task_id)));
      const task = Object.fromEntries(tasks.map((each) => [each.doc_id, each]));

      for (const docId of ['later', 'good', 'better']) expect(task[docId]).toMatchObject({ status: 'completed', error: null });
      const failed = { status: 'failed', error_code: 'embedder_failed', result: null };
      expect(task['down']).toMatchObject({ ...failed, attempts: 2, error: expect.stringContaining('cannot be reached') as string });
      expect(task['slow']).toMatchObject({ ...failed, attempts: 2, error: expect.stringContaining('within 500 ms') as string });
      expect(task['busy']).toMatchObject({ ...failed, attempts: 2, error: expect.stringContaining('HTTP status 429') as string });
      expect(task['sizes']).toMatchObject({ ...failed, attempts: 1, error: expect.stringContaining('3 dimensions') as string });
      expect(task['half']).toMatchObject({ ...failed, attempts: 1, error: expect.stringContaining('3 dimensions') as string });
      for (const mode of ['keyword', 'hybrid', 'vector']) {
        expect([...new Set(await found('zebra cat', mode))].sort()).toEqual(['better', 'good', 'later']);
      }
      expect((await fetch(`${server.url}/documents/half`)).status).toBe(404);
    });

    it('leaves the old version searchable when the new one cannot be embedded', async () => {
      const task = await accept('good', 'the okapi is misshapen');

      expect(await ended(server.url, task.task_id)).toMatchObject({ status: 'failed' });
      expect(await found('okapi', 'keyword')).toEqual([]);
      expect(await found('zebra', 'keyword')).toContain('good');
    });

    it('answers by keyword, and says so, when it is gone', async () => {
      await model.close();

      const response = await fetch(`${server.url}/search?q=${encodeURIComponent('zebra of sorts')}`);

      expect(await response.json()).toMatchObject({
        hits: expect.arrayContaining([
          expect.objectContaining({ citation: expect.objectContaining({ doc_id: 'good' }) }),
        ]) as unknown,
        notice: expect.stringContaining('keyword only') as string,
      });
      expect((await fetch(`${server.url}/search?q=zebra&mode=vector`)).status).toBe(503);
    });
  });
});
