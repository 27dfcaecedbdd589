import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/errors.ts';
import { eventually, startHttpServer } from '../../support/http-server.ts';
import { makeZip } from '../../support/zip-writer.ts';
import { until } from '../../support/until.ts';

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
      JSON.stringify({ doc_id: '..', text: 'x' }),
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
      [6, ''],
      [7, 'e'],
      [8, null],
      [9, null],
      [10, '..'],
      [11, 'last'],
    ]);
    expect(answers.map(({ error }) => error?.status ?? 200)).toEqual([200, 400, 200, 422, 422, 422, 400, 413, 400, 422, 200]);
    expect(answers[8]!.error!.detail).toBe('The line is empty.');
    expect(answers[4]!.error!.detail).toContain('Unknown field `titel`');
    expect(answers[6]!.error!.detail).toBe('Invalid document: Empty file: e.txt');
    const task = (await (await fetch(server.url + answers[0]!.status_url!)).json()) as { filename: string; file_size: number };
    expect(task).toMatchObject({ filename: '一.txt', file_size: Buffer.byteLength('第一份文档') });
    const document = (await (await fetch(`${server.url}/documents/%E7%94%B2%2F%E4%B8%80`)).json()) as { metadata: object };
    expect(document.metadata).toEqual({ year: 2024 });
  });

  it('passes over a byte order mark before a line, and answers lines with nothing on them', async () => {
    await using server = await startHttpServer();

    const { answers } = await post(
      server.url,
      `\uFEFF${JSON.stringify({ doc_id: 'a', text: 'one' })}\r\n\r\n \n${JSON.stringify({ doc_id: 'b' })}\n`,
    );

    expect(answers.map(({ line, doc_id, error }) => [line, doc_id, error?.status])).toEqual([
      [1, 'a', undefined],
      [2, null, 400],
      [3, null, 400],
      [4, 'b', 422],
    ]);
  });

  it.each(['application/zip', 'application/x-zip-compressed'])(
    'takes the files of an archive (%s), named by their paths',
    async (type) => {
      await using server = await startHttpServer();
      const archive = makeZip([
        { name: '手册/', data: '' },
        { name: '手册/泵.txt', data: '启动前排气' },
        { name: '..', data: 'x' },
        { name: 'empty.md', data: '', described: true },
        { name: 'large.txt', data: 'x'.repeat(4 * 1024 * 1024 + 1) },
        { name: 'a/b.txt', data: 'the last one', stored: true, described: true },
      ]);

      const { status, answers } = await post(server.url, archive, type);

      expect(status).toBe(200);
      expect(answers.map(({ line, doc_id, error }) => [line, doc_id, error?.status])).toEqual([
        [2, '手册/泵.txt', undefined],
        [3, '..', 422],
        [4, 'empty.md', 400],
        [5, 'large.txt', 413],
        [6, 'a/b.txt', undefined],
      ]);
      const task = (await (await fetch(server.url + answers[0]!.status_url!)).json()) as { filename: string };
      expect(task.filename).toBe('泵.txt');
      const content = () => fetch(`${server.url}/documents/${encodeURIComponent('a/b.txt')}/content`);
      await until('it is there', async () => (await content()).status === 200);
      expect((await (await content()).text()).trim()).toBe('the last one');
    },
  );

  it('answers what it could read of an archive that breaks off, and says so', async () => {
    await using server = await startHttpServer();
    const archive = makeZip([
      { name: 'whole.txt', data: 'whole' },
      { name: 'folder/', data: '' },
      { name: 'broken.txt', data: 'broken'.repeat(100), stored: true },
    ]);

    const { answers } = await post(server.url, archive.subarray(0, 200), 'application/zip');

    expect(answers.map(({ line, doc_id, error }) => [line, doc_id, error?.detail])).toEqual([
      [1, 'whole.txt', undefined],
      [3, null, 'The archive is incomplete.'],
    ]);
  });

  it('says in Chinese what is wrong with a line, to who asks for that', async () => {
    await using server = await startHttpServer();

    const lines = ['no JSON', '', '{"doc_id": "a", "text": "x", "titel": "T"}', '{"doc_id": "b", "filename": "e.txt", "text": ""}'];
    const { answers } = await post(server.url, lines.join('\n'), undefined, { 'accept-language': 'zh-CN' });

    expect(answers.map(({ error }) => error?.detail)).toEqual([
      '请求体不是有效的 JSON。',
      '这一行是空的。',
      expect.stringMatching(/^未知的字段 `titel`；是否指 `text`？可用的有：/),
      '文档无法接收：空文件：e.txt',
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

  it('refuses what is neither NDJSON nor a ZIP archive', async () => {
    await using server = await startHttpServer();
    const answer = await fetch(`${server.url}/documents:batch`, {
      method: 'POST',
      body: '[]',
      headers: { 'content-type': 'application/json' },
    });

    expect(answer.status).toBe(415);
    expect(await answer.json()).toMatchObject({
      detail: 'Send NDJSON, one JSON object per line, as application/x-ndjson, or a ZIP archive as application/zip.',
    });
  });
});

async function post(
  url: string,
  body: string | Buffer,
  type = 'application/x-ndjson',
  headers: Record<string, string> = {},
): Promise<{ status: number; type: string | null; answers: Answer[] }> {
  const response = await fetch(`${url}/documents:batch`, {
    method: 'POST',
    body: typeof body === 'string' ? body : new Uint8Array(body),
    headers: { 'content-type': type, ...headers },
  });
  const lines = (await response.text()).trim().split('\n');
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    answers: lines.map((line) => JSON.parse(line) as Answer),
  };
}
