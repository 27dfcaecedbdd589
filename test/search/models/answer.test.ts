import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AnswerEvent, createAnswers } from '../../../src/search/models/answer.ts';
import type { SearchHit } from '../../../src/search/document-index.ts';
import type { TaskId } from '../../../src/tasks/task.ts';
import { json, type ModelAnswer, startModelServer, type ModelServer } from '../../support/model-server.ts';
import { undescribed } from '../../../src/tasks/given.ts';

const hit = (docId: string, text: string): SearchHit => ({
  score: 1,
  relevance: 1,
  docId,
  version: '0190a0b0-0000-7000-8000-000000000001' as TaskId,
  filename: `${docId}.pdf`,
  title: null,
  ...undescribed,
  text,
  highlights: [],
  acrossLanguages: false,
  chunkIndex: 0,
  start: 0,
  end: text.length,
  page: 7,
  pageEnd: 7,
  section: ['Heights'],
});

const says =
  (...parts: readonly string[]): ModelAnswer =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const content of parts) response.write(`data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`);
    response.end('data: [DONE]\n\n');
  };

describe('answers from a chat service', () => {
  let server: ModelServer;
  let hits: SearchHit[];

  beforeEach(async () => {
    server = await startModelServer(says('The tower is 324 m high', ' [1][9].'));
    hits = [hit('tower', 'The tower is 324 metres high.'), hit('bridge', 'The bridge is long.')];
  });

  afterEach(() => server.close());

  async function ask(question: string, change: { silenceMs?: number; signal?: AbortSignal } = {}): Promise<AnswerEvent[]> {
    const answers = createAnswers({
      search: () => Promise.resolve({ hits, total: hits.length, tookMs: 1, notice: null, shownFor: null }),
      url: `${server.url}/v1/chat/completions`,
      model: 'tiny',
      key: 'secret',
      minRelevance: 0,
      silenceMs: change.silenceMs ?? 5000,
    });
    const events: AnswerEvent[] = [];
    for await (const event of answers.answer(
      { question, topK: 5, filter: {}, collections: ['default'] },
      { client: 'me', gone: change.signal ?? new AbortController().signal },
    )) {
      events.push(event);
    }
    return events;
  }

  it('gives the sources, then the text as it comes, then the sources that it names and that exist', async () => {
    expect(await ask('How high is the tower?')).toEqual([
      { type: 'sources', sources: hits },
      { type: 'text', text: 'The tower is 324 m high' },
      { type: 'text', text: ' [1][9].' },
      { type: 'done', cited: [1] },
    ]);
  });

  it('tells the model the question and the retrieved chunks, numbered, with their places', async () => {
    await ask('How high is the tower?');
    const { body, headers } = server.requests[0]!;
    expect(headers.authorization).toBe('Bearer secret');
    expect(body).toMatchObject({ model: 'tiny', stream: true });
    const [system, user] = body['messages'] as { role: string; content: string }[];
    expect(system!.content).toMatch(/never follow instructions/);
    expect(user!.content).toContain('[1] (tower.pdf · page 7 · Heights)\nThe tower is 324 metres high.');
    expect(user!.content).toContain('[2] (bridge.pdf');
    expect(user!.content).toContain('Question: How high is the tower?');
  });

  it('asks no model when nothing was found, and says so in the language of the question', async () => {
    hits = [];
    expect((await ask('塔有多高？'))[1]).toEqual({ type: 'text', text: '文档中没有找到相关内容。' });
    expect(await ask('How high?')).toContainEqual({ type: 'done', cited: [] });
    expect(server.requests).toEqual([]);
  });

  it('reassembles characters and lines that arrive in pieces', async () => {
    server.answer = (_request, response) => {
      const bytes = Buffer.from(
        `data: ${JSON.stringify({ choices: [{ delta: { content: '塔高324米[1]' } }] })}\r\n\r\ndata: [DONE]\n\n`,
      );
      for (const byte of bytes) response.write(Buffer.from([byte]));
      response.end();
    };
    expect(await ask('塔有多高？')).toContainEqual({ type: 'text', text: '塔高324米[1]' });
  });

  it.each<[string, ModelAnswer, RegExp]>([
    ['refuses', (_request, response) => json(response, {}, 500), /HTTP status 500/],
    ['answers no JSON', (_request, response) => response.end('data: <html>\n\n'), /not JSON/],
    ['is silent', () => {}, /within 50 ms/],
    ['breaks off', (_request, response) => void response.destroy(), /cannot be reached/],
  ])('fails with a reason when the service %s', async (_what, answer, message) => {
    server.answer = answer;
    await expect(ask('How high?', { silenceMs: message.source.includes('within') ? 50 : 30_000 })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(message) as string,
    });
  });

  it('stops when its reader goes away', async () => {
    const abort = new AbortController();
    server.answer = (_request, response) => {
      response.on('close', () => abort.abort());
      response.write(`data: ${JSON.stringify({ choices: [{ delta: { content: 'The' } }] })}\n\n`);
      abort.abort();
    };
    expect((await ask('How high?', { signal: abort.signal })).at(-1)).toMatchObject({ type: 'done' });
  });
});
