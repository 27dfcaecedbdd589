import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createOpenAiEmbedder } from '../../src/embed/openai-embedder.ts';
import { answerEmbeddings, json, startModelServer, type ModelServer } from '../support/model-server.ts';

describe('the embedder behind an OpenAI-compatible service', () => {
  let server: ModelServer;

  beforeEach(async () => {
    server = await startModelServer(answerEmbeddings);
  });

  afterEach(() => server.close());

  const embedder = (change: { timeoutMs?: number; url?: string } = {}) =>
    createOpenAiEmbedder({
      url: `${server.url}/v1/embeddings`,
      key: 'secret',
      model: 'tiny',
      dimensions: 8,
      timeoutMs: 5000,
      queryPrefix: 'query: ',
      passagePrefix: '',
      ...change,
    });

  it('gives one unit vector per text, in order, however the service orders them', async () => {
    const [cat, car, kitten] = await embedder().embed(['a cat', 'a car', 'a kitten'], 'passage');
    const cosine = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
    expect(cosine(cat!, cat!)).toBeCloseTo(1, 5);
    expect(cosine(cat!, kitten!)).toBeCloseTo(1, 5);
    expect(cosine(cat!, car!)).toBeLessThan(0.1);
  });

  it('asks in batches, with the model, the key and the prefix', async () => {
    await embedder().embed(
      Array.from({ length: 150 }, (_, i) => `text ${i}`),
      'query',
    );
    expect(server.requests.map((request) => (request.body['input'] as string[]).length)).toEqual([64, 64, 22]);
    expect(server.requests[0]).toMatchObject({
      path: '/v1/embeddings',
      headers: { authorization: 'Bearer secret' },
      body: { model: 'tiny' },
    });
    expect((server.requests[0]!.body['input'] as string[])[0]).toBe('query: text 0');
  });

  it('asks again when the service is busy or broken, and ends well when it recovers', async () => {
    const refusals = [429, 500, 503];
    server.answer = (request, response) => {
      const status = refusals.shift();
      if (status === undefined) answerEmbeddings(request, response);
      else json(response, {}, status, { 'retry-after': '0.01' });
    };
    expect(await embedder().embed(['a cat'], 'passage')).toHaveLength(1);
    expect(server.requests).toHaveLength(4);
  });

  it.each([
    [
      'always answers 429',
      (response: Parameters<typeof json>[0]) => json(response, {}, 429, { 'retry-after': '0.01' }),
      /HTTP status 429/,
      true,
    ],
    [
      'always answers 500',
      (response: Parameters<typeof json>[0]) => json(response, {}, 500, { 'retry-after': '0.01' }),
      /HTTP status 500/,
      true,
    ],
    ['refuses the key', (response: Parameters<typeof json>[0]) => json(response, {}, 401), /HTTP status 401/, false],
    ['answers no JSON', (response: Parameters<typeof json>[0]) => response.end('<html>'), /not JSON/, false],
    ['answers without data', (response: Parameters<typeof json>[0]) => json(response, { ok: true }), /no "data"/, false],
    ['answers too few vectors', (response: Parameters<typeof json>[0]) => json(response, { data: [] }), /0 vectors for 1/, false],
    [
      'answers vectors of another size',
      (response: Parameters<typeof json>[0]) => json(response, { data: [{ index: 0, embedding: [1, 2, 3] }] }),
      /3 dimensions/,
      false,
    ],
    [
      'answers vectors that are no numbers',
      (response: Parameters<typeof json>[0]) => json(response, { data: [{ index: 0, embedding: Array(8).fill('x') }] }),
      /not numeric/,
      false,
    ],
    [
      'answers vectors of zeros',
      (response: Parameters<typeof json>[0]) => json(response, { data: [{ index: 0, embedding: Array(8).fill(0) }] }),
      /all zero/,
      false,
    ],
  ])('fails with a reason when the service %s', async (_what, answer, message, retryable) => {
    server.answer = (_request, response) => answer(response);
    await expect(embedder().embed(['a cat'], 'passage')).rejects.toMatchObject({
      code: 'embedder_failed',
      retryable,
      message: expect.stringMatching(message) as string,
    });
  });

  it('fails as retryable when the service does not answer in time', async () => {
    server.answer = () => {};
    await expect(embedder({ timeoutMs: 50 }).embed(['a cat'], 'passage')).rejects.toMatchObject({
      code: 'embedder_failed',
      retryable: true,
    });
  });

  it('fails as retryable when there is no service', async () => {
    const { url } = server;
    await server.close();
    await expect(embedder({ url }).embed(['a cat'], 'passage')).rejects.toMatchObject({ code: 'embedder_failed', retryable: true });
    server = await startModelServer(answerEmbeddings);
  });

  it('stops waiting when it is told to', async () => {
    server.answer = (_request, response) => json(response, {}, 503, { 'retry-after': '30' });
    const abort = new AbortController();
    const embedding = embedder().embed(['a cat'], 'passage', abort.signal);
    setImmediate(() => abort.abort());
    await expect(embedding).rejects.toMatchObject({ code: 'embedder_failed' });
  });

  it('never puts the key into what it says', async () => {
    server.answer = (_request, response) => json(response, {}, 401);
    const error = await embedder()
      .embed(['a cat'], 'passage')
      .catch((reason: unknown) => reason);
    expect(String(error)).not.toContain('secret');
  });
});
