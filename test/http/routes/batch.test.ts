import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/errors.ts';
import { eventually, startHttpServer } from '../../support/http-server.ts';

type Answer = {
  line: number;
  doc_id: string | null;
  task_id?: string;
  status?: string;
  status_url?: string;
  error?: { status: number; code: string; detail: string };
};

describe('POST /documents:batch', () => {
  it('answers each line in order, with the task of its document or what is wrong with it', async () => {
    await using server = await startHttpServer();
    const lines = [
      JSON.stringify({ doc_id: '甲/一', text: '第一份文档', metadata: { year: 2024 } }),
      'no JSON at all',
      JSON.stringify({ doc_id: 'b', file_base64: Buffer.from('from base64').toString('base64'), filename: '乙.md' }),
      JSON.stringify({ doc_id: 'c', text: 'x', file_base64: 'eA==' }),
      JSON.stringify({ doc_id: 'd', text: 'x', titel: 'y' }),
      JSON.stringify({ doc_id: '', text: 'x' }),
      JSON.stringify({ doc_id: 'e', text: '' }),
      JSON.stringify({ doc_id: 'f', text: 'x'.repeat(4 * 1024 * 1024) }),
      '',
      JSON.stringify({ doc_id: 'last', text: 'the last\u2028line' }),
    ];

    const { status, type, answers } = await post(server.url, lines.join('\n'));

    expect(status).toBe(200);
    expect(type).toBe('application/x-ndjson');
    expect(answers.map(({ line, doc_id }) => [line, doc_id])).toEqual([
      [1, '甲/一'],
      [2, null],
      [3, 'b'],
      [4, 'c'],
      [5, 'd'],
      [6, null],
      [7, 'e'],
      [8, null],
      [10, 'last'],
    ]);
    expect(answers.map(({ error }) => error?.status ?? 200)).toEqual([200, 400, 200, 422, 422, 422, 400, 413, 200]);
    expect(answers[4]!.error!.detail).toContain('Unknown field `titel`');
    expect(answers[6]!.error!.detail).toBe('Invalid document: Empty file: e.txt');
    const task = (await (await fetch(server.url + answers[0]!.status_url!)).json()) as { filename: string; file_size: number };
    expect(task).toMatchObject({ filename: '一.txt', file_size: Buffer.byteLength('第一份文档') });
    const document = (await (await fetch(`${server.url}/documents/%E7%94%B2%2F%E4%B8%80`)).json()) as { metadata: object };
    expect(document.metadata).toEqual({ year: 2024 });
  });

  it('passes over a byte order mark before the first line, and lines with nothing on them', async () => {
    await using server = await startHttpServer();

    const { answers } = await post(
      server.url,
      `\uFEFF${JSON.stringify({ doc_id: 'a', text: 'one' })}\r\n\r\n \n${JSON.stringify({ doc_id: 'b' })}\n`,
    );

    expect(answers.map(({ line, doc_id, error }) => [line, doc_id, error?.status])).toEqual([
      [1, 'a', undefined],
      [4, 'b', 422],
    ]);
  });

  it('takes the lines of one document in their order', async () => {
    await using server = await startHttpServer();
    const lines = Array.from({ length: 50 }, (_, n) => JSON.stringify({ doc_id: 'same', text: `version ${n}` }));

    await post(server.url, lines.join('\n'));

    const text = async (): Promise<string> => (await fetch(`${server.url}/documents/same/content`)).text();
    await eventually(async () => (await text()).includes('version 49'), 'the last version');
  });

  it('answers while the request is still being sent, and needs nobody to read that for its going on', async () => {
    await using server = await startHttpServer({ memory: { ingest: () => {} } });
    const sent = request(`${server.url}/documents:batch`, { method: 'POST', headers: { 'content-type': 'application/x-ndjson' } });
    const answered = new Promise<NodeJS.ReadableStream>((resolve) => sent.once('response', resolve));
    sent.write(`${JSON.stringify({ doc_id: 'first', text: 'one' })}\n`);

    const response = await answered;
    const first = await new Promise<Buffer>((resolve) => response.once('data', resolve));
    expect(JSON.parse(first.toString('utf8'))).toMatchObject({ line: 1, doc_id: 'first', status: 'pending' });

    response.pause();
    for (let n = 0; n < 1500; n += 1) sent.write(`${JSON.stringify({ doc_id: `d${n}`, text: `document ${n}` })}\n`);
    await new Promise<void>((resolve) => sent.end(resolve));
    let text = '';
    response.resume();
    for await (const piece of response) text += (piece as Buffer).toString('utf8');
    expect(text.trim().split('\n')).toHaveLength(1500);
  });

  it('waits for room in a full queue instead of refusing the rest of the lines', async () => {
    let refusals = 3;
    const refuse = (): AppError | null => (refusals-- > 0 ? new AppError('queue_full', 'The queue is full.') : null);
    await using server = await startHttpServer({ memory: { refuse } });

    const { answers } = await post(server.url, JSON.stringify({ doc_id: 'a', text: 'waited' }));

    expect(answers).toMatchObject([{ line: 1, doc_id: 'a', task_id: expect.any(String) as string }]);
  });

  it('refuses what is no NDJSON', async () => {
    await using server = await startHttpServer();
    const answer = await fetch(`${server.url}/documents:batch`, {
      method: 'POST',
      body: '[]',
      headers: { 'content-type': 'application/json' },
    });

    expect(answer.status).toBe(415);
    expect(await answer.json()).toMatchObject({ detail: 'Send NDJSON, one JSON object a line, as application/x-ndjson.' });
  });
});

async function post(url: string, body: string): Promise<{ status: number; type: string | null; answers: Answer[] }> {
  const response = await fetch(`${url}/documents:batch`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/x-ndjson' },
  });
  const lines = (await response.text()).trim().split('\n');
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    answers: lines.map((line) => JSON.parse(line) as Answer),
  };
}
