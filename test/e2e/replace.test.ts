import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engines, type TestEngine } from '../support/engines.ts';
import { ended, insert, search, startServer, type TestServer, type WireTask } from '../support/server.ts';

describe.each(engines)('on $name', ({ open }) => {
  let engine: TestEngine;
  let server: TestServer;

  beforeAll(async () => {
    engine = await open();
    server = await startServer({ ...(await engine.newPlace()), rigged: true });
  });

  afterAll(async () => {
    await server.stop();
    await engine[Symbol.asyncDispose]();
  });

  async function insertText(
    docId: string,
    text: string,
    name = 'note.txt',
    headers: Record<string, string> = {},
  ): Promise<{ status: number; task: WireTask }> {
    const response = await insert(server.url, docId, { name, bytes: text }, headers);
    return { status: response.status, task: (await response.json()) as WireTask };
  }

  describe('the same doc_id again', () => {
    it('replaces the document in one switch: at no poll are both versions found, or neither', async () => {
      await insertText('switch', 'albatross version 0');
      const seen = new Set<number>();
      let done = false;
      const reader = (async () => {
        while (!done) seen.add((await search(server.url, 'albatross', { doc_ids: ['switch'], mode: 'keyword' })).length);
      })();
      for (let version = 1; version <= 25; version += 1) {
        const { status } = await insertText('switch', `albatross version ${version}`);
        expect(status).toBe(200);
      }
      done = true;
      await reader;

      expect([...seen]).toEqual([1]);
      expect((await search(server.url, 'albatross', { doc_ids: ['switch'] }))[0]?.text).toBe('albatross version 25');
    });

    it('keeps the old version when the new one fails', async () => {
      await insertText('keeps', 'the heron stands in the reeds');
      const { status, task } = await insertText('keeps', '\u0000\u0001\u0002\u0003\u0000\u0000\u0001', 'keeps.bin');

      expect(status).toBe(400);
      expect(task).not.toHaveProperty('status', 'completed');
      expect(await search(server.url, 'heron')).toHaveLength(1);
      expect(await (await fetch(`${server.url}/documents/keeps/content`)).text()).toContain('heron');
    });

    it('keeps the old version when the new one is cancelled while it runs', async () => {
      await insertText('cancelled', 'the curlew calls at dawn');
      const { status, task } = await insertText('cancelled', 'nobody ever reads this bittern', 'hang.txt', {
        prefer: 'respond-async',
      });
      expect(status).toBe(202);
      const cancel = await fetch(`${server.url}/task/${task.task_id}?force=true`, { method: 'DELETE' });

      expect(cancel.status).toBe(200);
      expect(await ended(server.url, task.task_id)).toMatchObject({ status: 'failed', error: 'Task cancelled by user' });
      expect(await search(server.url, 'bittern', { mode: 'keyword' })).toHaveLength(0);
      expect(await search(server.url, 'curlew')).toHaveLength(1);
    });

    it('with the same bytes finishes at once, unchanged', async () => {
      await insertText('same', 'an osprey over the lake');
      const { task } = await insertText('same', 'an osprey over the lake', 'other-name.txt');

      expect(task).toMatchObject({ status: 'completed', result: { unchanged: true, filename: 'other-name.txt' } });
      expect(await (await fetch(`${server.url}/documents/same`)).json()).toMatchObject({ filename: 'other-name.txt' });
      expect(await search(server.url, 'osprey')).toMatchObject([{ citation: { filename: 'other-name.txt' } }]);
    });

    it('as another type of file is read again', async () => {
      const text = '# Nightjars\n\nThey churr at dusk.';
      expect((await insertText('typed', text)).task).toMatchObject({ result: { media_type: 'text/plain', title: null } });
      expect((await insertText('typed', text, 'note.md')).task).toMatchObject({
        result: { media_type: 'text/markdown', title: 'Nightjars', unchanged: false },
      });
      expect((await insertText('typed', text, 'other.md')).task).toMatchObject({ result: { unchanged: true } });
    });

    it('with the same bytes says again what could not be read of them', async () => {
      const { task } = await insertText('warned', '{"bird": "dunlin",}', 'bird.json');
      const again = await insertText('warned', '{"bird": "dunlin",}', 'bird.json');

      expect(task).toMatchObject({ result: { warnings: [expect.any(String)], unchanged: false } });
      expect(again.task.result).toEqual({ ...task.result, unchanged: true });
      const document = await (await fetch(`${server.url}/documents/warned`)).json();
      expect(document).toMatchObject({ warnings: (task.result as unknown as { warnings: string[] }).warnings });
    });

    it('applies two uploads in the order in which they were accepted, whichever is done first', async () => {
      const first = await insertText('order', 'the first kingfisher', 'wait-700.txt', { prefer: 'respond-async' });
      const second = await insertText('order', 'the second kingfisher', 'note.txt', { prefer: 'respond-async' });

      expect(await ended(server.url, first.task.task_id)).toMatchObject({ status: 'completed' });
      expect(await ended(server.url, second.task.task_id)).toMatchObject({ status: 'completed' });
      expect((await search(server.url, 'kingfisher', { doc_ids: ['order'] })).map((hit) => hit.text)).toEqual([
        'the second kingfisher',
      ]);
    });

    it('after a deletion starts anew, and a deleted document is gone from search, content and file', async () => {
      await insertText('deleted', 'a lapwing in the field');
      const removed = await fetch(`${server.url}/documents/deleted`, { method: 'DELETE' });

      expect(removed.status).toBe(200);
      expect(await search(server.url, 'lapwing', { mode: 'keyword' })).toHaveLength(0);
      expect((await fetch(`${server.url}/documents/deleted/content`)).status).toBe(404);
      expect((await fetch(`${server.url}/documents/deleted/file`)).status).toBe(404);
      expect((await insertText('deleted', 'a lapwing in the field')).task).toMatchObject({
        status: 'completed',
        result: { unchanged: false },
      });
      expect(await search(server.url, 'lapwing')).toHaveLength(1);
    });
  });

  describe('a file name', () => {
    it('comes back as it went in: a Chinese name with a space on the task, the document and the citation', async () => {
      const { task } = await insertText('name', '季度报告：销售额增长。', '报告 2026.txt');

      expect(task.filename).toBe('报告 2026.txt');
      expect(task.result?.filename).toBe('报告 2026.txt');
      expect(await (await fetch(`${server.url}/documents/name`)).json()).toMatchObject({ filename: '报告 2026.txt' });
      expect((await search(server.url, '季度报告'))[0]?.citation.filename).toBe('报告 2026.txt');
      const file = await fetch(`${server.url}/documents/name/file`);
      expect(file.headers.get('content-disposition')).toContain(encodeURIComponent('报告 2026.txt'));
    });
  });
});
