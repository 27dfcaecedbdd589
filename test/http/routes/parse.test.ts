/** Reading without keeping, by its own route and as others ask for it. */
import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePdf } from '../../support/pdf-writer.ts';
import { makeDataDir, removeDir, startServer, type TestServer } from '../../support/server.ts';

type Parsed = {
  markdown: string;
  blocks: { kind: string; start: number; end: number; level: number | null; page: number | null; page_end: number | null }[];
  media_type: string;
  title: string | null;
  language: string | null;
  pages: number | null;
  warnings: string[];
};

let server: TestServer;
const pdf = makePdf({ pages: [['Introduction to pumps'], ['离心泵启动前必须排气。']] });

beforeAll(async () => {
  server = await startServer({ dataDir: await makeDataDir() });
});

afterAll(async () => {
  await server.stop();
  await removeDir(server.dataDir);
});

describe('POST /parse', () => {
  it('reads a body or a form, and says what is what', async () => {
    const raw = await fetch(`${server.url}/parse?filename=${encodeURIComponent('手册.pdf')}`, { method: 'POST', body: pdf });
    const form = await fetch(`${server.url}/parse`, { method: 'POST', body: formOf('file', pdf, '手册.pdf') });
    const read = (await raw.json()) as Parsed;

    expect(raw.status).toBe(200);
    expect(read).toMatchObject({ media_type: 'application/pdf', pages: 2, warnings: [] });
    expect(read.blocks.map(({ start, end, page }) => [read.markdown.slice(start, end), page])).toEqual([
      ['Introduction to pumps', 1],
      ['离心泵启动前必须排气。', 2],
    ]);
    expect(await form.json()).toEqual(read);
  });

  it('gives the Markdown alone to who accepts that', async () => {
    const answer = await fetch(`${server.url}/parse?filename=n.md`, {
      method: 'POST',
      body: '# 标题\n\nText',
      headers: { accept: 'text/markdown' },
    });

    expect(answer.headers.get('content-type')).toBe('text/markdown; charset=utf-8');
    expect(await answer.text()).toBe('# 标题\n\nText');
  });

  it('says what is wrong with a file as an upload does', async () => {
    const unknown = await fetch(`${server.url}/parse?filename=a.xyz`, {
      method: 'POST',
      body: Buffer.from([0, 1, 2, 3, 255, 254, 0, 9]),
    });
    const empty = await fetch(`${server.url}/parse?filename=e.txt`, { method: 'POST', body: '' });
    const blank = await fetch(`${server.url}/parse?filename=b.txt`, { method: 'POST', body: ' \n \u200b' });

    expect([unknown.status, await unknown.json()]).toMatchObject([
      400,
      { detail: 'Invalid document: Unsupported file format: a.xyz', error_code: 'unsupported_format' },
    ]);
    expect([empty.status, await empty.json()]).toMatchObject([400, { detail: 'Invalid document: Empty file: e.txt' }]);
    expect([blank.status, await blank.json()]).toMatchObject([400, { error_code: 'no_text' }]);
  });

  it('says in Chinese what to do with a kind of file that is not read', async () => {
    const answer = await fetch(`${server.url}/parse?filename=a.rar`, {
      method: 'POST',
      body: Buffer.from('526172211a0701000000', 'hex'),
      headers: { 'accept-language': 'zh-CN' },
    });

    expect([answer.status, answer.headers.get('content-language'), await answer.json()]).toMatchObject([
      400,
      'zh-CN',
      {
        title: '文档无法接收',
        detail: '文档无法接收：不支持的文件格式：a.rar。不支持 RAR 压缩包：请解压，把其中的文件打包成 ZIP 再上传',
        error_code: 'unsupported_format',
      },
    ]);
  });

  it('refuses what it would ignore', async () => {
    const form = formOf('file', 'text', 'a.txt');
    form.append('metadata', '{}');

    expect((await fetch(`${server.url}/parse`, { method: 'POST', body: form })).status).toBe(422);
    expect((await fetch(`${server.url}/parse?doc_id=x`, { method: 'POST', body: 'x' })).status).toBe(422);
  });

  it('keeps nothing: no task, no document, no file', async () => {
    await Promise.all(
      Array.from({ length: 12 }, (_, n) => fetch(`${server.url}/parse?filename=${n}.txt`, { method: 'POST', body: `text ${n}` })),
    );
    const tasks = (await (await fetch(`${server.url}/tasks`)).json()) as { tasks: unknown[] };
    const documents = (await (await fetch(`${server.url}/documents`)).json()) as { documents: unknown[] };
    const files = async (): Promise<string[]> =>
      (await readdir(server.dataDir, { recursive: true })).filter((name) => /received|answer\.json|content\.md/.test(name));

    expect([tasks.tasks, documents.documents]).toEqual([[], []]);
    await expect.poll(files, { timeout: 10_000 }).toEqual([]);
  });
});

describe("Open WebUI's document loader (PUT /process)", () => {
  it('gets the text of a file, or a list with one entry a page', async () => {
    const headers = { 'content-type': 'application/pdf', 'x-filename': encodeURIComponent('手册.pdf') };
    const whole = await fetch(`${server.url}/process`, { method: 'PUT', body: pdf, headers });
    const pages = await fetch(`${server.url}/process?pages=true`, { method: 'PUT', body: pdf, headers });

    expect(await whole.json()).toEqual({
      page_content: 'Introduction to pumps\n\n离心泵启动前必须排气。',
      metadata: expect.objectContaining({ source: '手册.pdf', media_type: 'application/pdf', pages: 2 }) as object,
    });
    expect(await pages.json()).toMatchObject([
      { page_content: 'Introduction to pumps', metadata: { source: '手册.pdf', page: 1 } },
      { page_content: '离心泵启动前必须排气。', metadata: { page: 2 } },
    ]);
  });

  it('is told of a name that is not UTF-8', async () => {
    const answer = await fetch(`${server.url}/process`, { method: 'PUT', body: 'x', headers: { 'x-filename': '%ff' } });

    expect(answer.status).toBe(400);
  });
});

describe('docling-serve (POST /v1/convert/file)', () => {
  it('converts the file in `files`, whatever options come with it', async () => {
    const form = formOf('files', '# Pumps\n\n- first\n- **second**\n\n| a | b |\n| --- | --- |\n| 1 | 2 |', 'pumps.md');
    form.append('to_formats', 'md');
    form.append('image_export_mode', 'placeholder');
    form.append('do_ocr', 'false');
    const answer = await fetch(`${server.url}/v1/convert/file`, { method: 'POST', body: form });
    const body = (await answer.json()) as {
      document: Record<string, string>;
      status: string;
      errors: unknown[];
      processing_time: number;
    };

    expect(answer.status).toBe(200);
    expect(body).toMatchObject({ status: 'success', errors: [], document: { filename: 'pumps.md' } });
    expect(body.document['md_content']).toContain('# Pumps');
    expect(body.document['text_content']).toMatch(/^Pumps\n\nfirst\n/);
    expect(body.processing_time).toBeGreaterThanOrEqual(0);
  });

  it('says failure, with the reason, of a file that cannot be read', async () => {
    const answer = await fetch(`${server.url}/v1/convert/file`, {
      method: 'POST',
      body: formOf('files', new Uint8Array([0, 1, 2, 255]), 'a.xyz'),
    });

    expect([answer.status, await answer.json()]).toMatchObject([
      200,
      { status: 'failure', errors: [{ error_message: 'Invalid document: Unsupported file format: a.xyz' }] },
    ]);
  });
});

function formOf(field: string, content: string | Uint8Array, filename: string): FormData {
  const form = new FormData();
  form.append(field, new Blob([content as Uint8Array<ArrayBuffer>]), filename);
  return form;
}
