import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engines, type Place, type TestEngine } from '../support/engines.ts';
import { makePdf } from '../support/pdf-writer.ts';
import { marker, pageLines } from '../support/prose.ts';
import { ended, getTask, insert, search, startServer, type TestServer, type WireTask } from '../support/server.ts';
import { until } from '../support/until.ts';

const MiB = 1024 * 1024;

/** A text file of exactly this size: a sentence, and blank lines after it. */
function textOf(bytes: number, sentence: string): Buffer {
  return Buffer.concat([Buffer.from(sentence), Buffer.alloc(bytes - Buffer.byteLength(sentence), '\n')]);
}

describe.each(engines)('on $name', ({ open }) => {
  let engine: TestEngine;
  let place: Place;
  let server: TestServer;

  beforeAll(async () => {
    engine = await open();
    place = await engine.newPlace();
    server = await startServer(place);
  });

  afterAll(async () => {
    await server.stop();
    await engine[Symbol.asyncDispose]();
  });

  async function taskIds(): Promise<string[]> {
    const { tasks } = (await (await fetch(`${server.url}/tasks?limit=1000`)).json()) as { tasks: WireTask[] };
    return tasks.map((task) => task.task_id);
  }

  describe('a small upload', () => {
    it('is answered 200 with the whole task record, and can be searched at once', async () => {
      const response = await insert(server.url, 'hello', {
        name: 'hello.txt',
        bytes: 'The walrus and the carpenter walked along the beach.',
      });
      const body = (await response.json()) as WireTask & { message: string; status_url: string };

      expect(response.status).toBe(200);
      expect(body).toMatchObject({ status: 'completed', doc_id: 'hello', filename: 'hello.txt', file_size: 52, error: null });
      expect(body.result).toMatchObject({ message: 'Document processed successfully', filename: 'hello.txt' });
      expect(body.status_url).toBe(`/task/${body.task_id}`);
      expect(await search(server.url, 'walrus')).toMatchObject([{ citation: { doc_id: 'hello', filename: 'hello.txt' } }]);
    });

    it('of a 3 MB PDF is answered 200 with the task record, and its pages are cited', async () => {
      const pages = Array.from({ length: 60 }, (_, index) => pageLines(1000 + index, 30));
      const response = await insert(server.url, 'three', { name: 'three.pdf', bytes: makePdf({ pages, padToBytes: 3_000_000 }) });
      const task = (await response.json()) as WireTask;

      expect(response.status).toBe(200);
      expect(task).toMatchObject({ status: 'completed', result: { pages: 60 } });
      expect((await search(server.url, marker(1041)))[0]?.citation).toMatchObject({ doc_id: 'three', page: 42 });
    });

    it('in Chinese is found in Chinese', async () => {
      await insert(server.url, '中文', { name: '说明.md', bytes: '# 安装说明\n\n请先连接电源，再打开阀门。' });

      const [hit] = await search(server.url, '打开阀门');
      expect(hit).toMatchObject({ citation: { doc_id: '中文', filename: '说明.md' } });
      expect(hit?.text).toContain('打开阀门');
    });

    it('is cited with offsets that cut exactly its text out of the content', async () => {
      const text = `# Manual\n\n${Array.from({ length: 300 }, (_, index) => pageLines(index, 4).join(' ')).join('\n\n')}`;
      await insert(server.url, 'offsets', { name: 'manual.md', bytes: text });
      const content = await (await fetch(`${server.url}/documents/offsets/content`)).text();

      const hits = await search(server.url, marker(217), { doc_ids: ['offsets'] });
      expect(hits.length).toBeGreaterThan(0);
      for (const hit of hits) expect(content.slice(hit.citation.char_start, hit.citation.char_end)).toBe(hit.text);
      expect(hits[0]?.text).toContain(marker(217));
    });
  });

  describe('the boundary between small and large', () => {
    it('lies at 10 MiB: one byte less is answered 200', async () => {
      const response = await insert(server.url, 'below', {
        name: 'below.txt',
        bytes: textOf(10 * MiB - 1, 'Just below the boundary.'),
      });

      expect(response.status).toBe(200);
    });

    it('lies at 10 MiB: exactly that is answered 202', async () => {
      const response = await insert(server.url, 'at', { name: 'at.txt', bytes: textOf(10 * MiB, 'Exactly at the boundary.') });

      expect(response.status).toBe(202);
      const { task_id: taskId } = (await response.json()) as WireTask;
      expect(await ended(server.url, taskId)).toMatchObject({ status: 'completed' });
    });
  });

  describe('a large upload', () => {
    it('of a 12 MiB PDF of real text is answered 202, goes through its stages in order, and is found on the right page', async () => {
      const pages = Array.from({ length: 900 }, (_, index) => pageLines(2000 + index, 45));
      const pdf = makePdf({ pages, padToBytes: 12 * MiB });
      const response = await insert(server.url, 'twelve', { name: 'twelve.pdf', bytes: pdf });
      const accepted = (await response.json()) as { message: string; task_id: string; status_url: string };

      expect(response.status).toBe(202);
      expect(accepted).toEqual({
        message: 'File uploaded successfully, processing started',
        task_id: accepted.task_id,
        doc_id: 'twelve',
        filename: 'twelve.pdf',
        status_url: `/task/${accepted.task_id}`,
      });
      expect(response.headers.get('location')).toBe(accepted.status_url);
      expect(response.headers.get('retry-after')).toBe('2');

      const stages: string[] = [];
      const percents: number[] = [];
      await until('the task ends', async () => {
        const task = await getTask(server.url, accepted.task_id);
        if (stages.at(-1) !== task.stage) stages.push(task.stage);
        percents.push(task.progress.percent);
        return task.status === 'completed' || task.status === 'failed';
      });
      const order = ['queued', 'parsing', 'chunking', 'embedding', 'indexing', 'done'];
      expect(stages).toEqual(order.filter((stage) => stages.includes(stage)));
      // Which of them a poll sees depends on how busy the machine is; that it was answered before it was done does not.
      expect(stages.length).toBeGreaterThan(1);
      expect(stages.at(-1)).toBe('done');
      expect(percents).toEqual(percents.toSorted((a, b) => a - b));
      expect(await getTask(server.url, accepted.task_id)).toMatchObject({ status: 'completed', result: { pages: 900 } });
      expect((await search(server.url, marker(2877)))[0]?.citation).toMatchObject({ doc_id: 'twelve', page: 878 });
    });

    it('goes on when its client went away', async () => {
      const abort = new AbortController();
      const form = new FormData();
      form.append('file', new Blob([textOf(2 * MiB, 'Nobody waits for the pelican.')]), 'gone.txt');
      const upload = fetch(`${server.url}/insert?doc_id=gone`, {
        method: 'POST',
        body: form,
        signal: abort.signal,
        headers: { prefer: 'wait=30' },
      });
      await until('the task is there', async () => {
        const { tasks } = (await (await fetch(`${server.url}/tasks?doc_id=gone`)).json()) as { tasks: WireTask[] };
        return tasks.length > 0;
      });
      abort.abort();
      await upload.catch(() => {});

      await until('it can be found', async () => (await search(server.url, 'pelican')).length === 1);
    });

    it('that is aborted leaves no file and no task', async () => {
      const before = await taskIds();
      const head = '--b\r\nContent-Disposition: form-data; name="file"; filename="cut.bin"\r\n\r\n';
      const upload = request(`${server.url}/insert?doc_id=cut`, {
        method: 'POST',
        headers: { 'content-type': 'multipart/form-data; boundary=b', 'content-length': 50 * MiB },
      });
      const cut = new Promise((resolve) => upload.once('error', resolve));
      upload.write(head);
      await new Promise((resolve) => upload.write(Buffer.alloc(5 * MiB), resolve));
      await until('the upload is on the disk', async () => (await place.partialUploads()).length === 1);
      upload.destroy();
      await cut;

      await until('the partial upload is gone', async () => (await place.partialUploads()).length === 0);
      expect(await taskIds()).toEqual(before);
    });
  });
});
