import { describe, expect, it } from 'vitest';
import { parseDisposition } from '../../../src/http/upload/content-disposition.ts';
import * as schemas from '../../../src/http/wire/schemas.ts';
import { fileForm, insert, json, startHttpServer } from '../../support/http-server.ts';

describe('GET /documents', () => {
  it('lists what is searchable, newest first, in pages', async () => {
    await using server = await startHttpServer();
    for (const docId of ['a', 'b', 'c']) await insert(server, docId, fileForm('hello'));

    type Page = { documents: { doc_id: string }[]; next_cursor: string | null };
    const first = await json<Page>(fetch(`${server.url}/documents?limit=2`));
    const second = await json<Page>(fetch(`${server.url}/documents?limit=2&cursor=${first.next_cursor}`));

    expect([...first.documents, ...second.documents].map(({ doc_id: id }) => id)).toEqual(['c', 'b', 'a']);
    schemas.documentPage.parse(first);
  });
});

describe('GET /documents/{doc_id}', () => {
  it('gives one document, and 404 Document not found for an unknown one', async () => {
    await using server = await startHttpServer();
    await insert(server, '报告/1', fileForm('hello', '报告 2026.txt'));

    const found = await json(fetch(`${server.url}/documents/${encodeURIComponent('报告/1')}`));
    const unknown = await fetch(`${server.url}/documents/other`);

    expect(schemas.documentRecord.parse(found)).toMatchObject({
      doc_id: '报告/1',
      filename: '报告 2026.txt',
      file_size: 5,
      chunks: 1,
    });
    expect(unknown.status).toBe(404);
    expect((await json(unknown)).detail).toBe('Document not found');
  });

  it('answers 400 for broken percent-encoding and 422 for control characters', async () => {
    await using server = await startHttpServer();

    expect((await fetch(`${server.url}/documents/%E6%8`)).status).toBe(400);
    expect((await fetch(`${server.url}/documents/a%0Ab`)).status).toBe(422);
  });
});

describe('GET /documents/{doc_id}/content', () => {
  it('is the parsed text as Markdown, with an ETag of its version', async () => {
    await using server = await startHttpServer();
    await insert(server, 'd', fileForm('# 标题\n\nhello'));

    const answer = await fetch(`${server.url}/documents/d/content`);
    const again = await fetch(`${server.url}/documents/d/content`, { headers: { 'If-None-Match': answer.headers.get('etag')! } });

    expect(await answer.text()).toBe('# 标题\n\nhello');
    expect(answer.headers.get('content-type')).toBe('text/markdown; charset=utf-8');
    expect(again.status).toBe(304);
  });

  it('answers 404 for an unknown document, and HEAD with the length', async () => {
    await using server = await startHttpServer();
    await insert(server, 'd', fileForm('hello'));

    const head = await fetch(`${server.url}/documents/d/content`, { method: 'HEAD' });

    expect((await fetch(`${server.url}/documents/x/content`)).status).toBe(404);
    expect(head.headers.get('content-length')).toBe('5');
  });
});

describe('GET /documents/{doc_id}/file', () => {
  it.each(['plain.txt', '报告 2026.pdf', 'a"b.txt', "it's (1)*.txt", 'semi;colon.txt', '100%.txt', '📄.txt'])(
    'is the original as an attachment under its own name: %s',
    async (name) => {
      await using server = await startHttpServer();
      await insert(server, 'd', fileForm('original bytes', name));

      const answer = await fetch(`${server.url}/documents/d/file`);

      expect(await answer.text()).toBe('original bytes');
      expect(answer.headers.get('content-disposition')).toMatch(/^attachment; /);
      expect(parseDisposition(answer.headers.get('content-disposition')!).filename).toBe(name);
    },
  );

  it('is never rendered: no type that runs, a sandbox, no sniffing [S30]', async () => {
    await using server = await startHttpServer();
    await fetch(`${server.url}/documents/d?filename=x.html`, {
      method: 'PUT',
      body: '<script>alert(1)</script>',
      headers: { 'Content-Type': 'text/html' },
    });

    const answer = await fetch(`${server.url}/documents/d/file`);

    expect(answer.headers.get('content-type')).toBe('application/octet-stream');
    expect(answer.headers.get('content-security-policy')).toMatch(/default-src 'none'.*sandbox/);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('content-disposition')).toBe('attachment; filename="x.html"');
  });
});

describe('DELETE /documents/{doc_id}', () => {
  it('removes the document from search, content and disk, and says 404 the second time', async () => {
    await using server = await startHttpServer();
    await insert(server, 'd', fileForm('unique words'));

    const answer = await fetch(`${server.url}/documents/d`, { method: 'DELETE' });
    const again = await fetch(`${server.url}/documents/d`, { method: 'DELETE' });

    expect(await json(answer)).toEqual({ message: 'Document deleted', doc_id: 'd' });
    expect(again.status).toBe(404);
    expect((await fetch(`${server.url}/documents/d/content`)).status).toBe(404);
    expect((await json<{ hits: unknown[] }>(fetch(`${server.url}/search?q=unique`))).hits).toEqual([]);
  });
});
