/** What is wrong with a document, in Chinese, through every route that answers a request with it. */
import { describe, expect, it } from 'vitest';
import type { DocumentErrorCode } from '../../../src/errors.ts';
import { sentenceInChinese } from '../../../src/http/wire/chinese.ts';
import { unreadKinds } from '../../../src/parse/detect.ts';
import { noOcr } from '../../../src/parse/images/ocr.ts';
import { fileForm, insert, json, startHttpServer, type TestServer } from '../../support/http-server.ts';
import { sentences } from '../../support/sentences.ts';

type Said = { readonly code: DocumentErrorCode; readonly message: string };

/** Every `error` of a document in docs/messages.md that has a code, and every kind of file that is not read; what differs is a number. */
const all: readonly Said[] = [
  ...sentences()
    .filter(({ kind, code, text }) => kind === 'document' && code !== '' && text !== 'Unsupported file format: {…}{…}')
    .map(({ code, text }) => ({ code: code as DocumentErrorCode, message: text.replaceAll('{…}', '7') })),
  ...Object.values(unreadKinds).map((kind) => unsupported(`Unsupported file format: a.x. ${kind}`)),
  unsupported('Unsupported file format: a.x'),
  ...Object.values(noOcr).map(({ scanSentence }) => ({ code: 'no_text' as const, message: scanSentence })),
];

function unsupported(message: string): Said {
  return { code: 'unsupported_format', message };
}

const chinese = { 'Accept-Language': 'zh-CN,zh;q=0.9,en;q=0.8' };

/** Each answers with what is wrong with the document that it is sent. */
const routes: Readonly<Record<string, (server: TestServer, headers: Record<string, string>) => Promise<Response>>> = {
  'POST /insert': (server, headers) => insert(server, 'd', fileForm('x', 'a.x'), headers),
  'PUT /documents/{doc_id}': (server, headers) => fetch(`${server.url}/documents/d`, { method: 'PUT', body: 'x', headers }),
  'POST /parse': (server, headers) => fetch(`${server.url}/parse`, { method: 'POST', body: 'x', headers }),
  'PUT /process': (server, headers) => fetch(`${server.url}/process`, { method: 'PUT', body: 'x', headers }),
};

/** A server where every document has this wrong with it at the moment. */
async function serverThatSays(said: () => Said): Promise<TestServer> {
  return startHttpServer({
    memory: {
      ingest: ({ id }, memory) => void memory.finish(id, { status: 'failed', error: { ...said(), retryable: false } }),
      read: async () => ({ ok: false, ...said(), retryable: false }),
    },
  });
}

describe('what is wrong with a document', () => {
  it.each(Object.keys(routes))('comes in Chinese, every sentence of it: %s', async (name) => {
    let said = all[0]!;
    await using server = await serverThatSays(() => said);
    expect(all.length).toBeGreaterThan(100);
    const english: string[] = [];

    for (said of all) {
      const answer = await routes[name]!(server, chinese);
      const { detail, title, error_code } = await json(answer);

      expect([error_code, answer.headers.get('content-language'), title]).toEqual([
        said.code,
        'zh-CN',
        expect.stringMatching(/^\p{Script=Han}+$/u),
      ]);
      expect(answer.headers.get('vary')).toMatch(/Accept-Language/);
      if (!detail!.endsWith(sentenceInChinese(said.message) ?? '…') || detail!.includes('Invalid')) english.push(detail!);
    }

    expect(english).toEqual([]);
  });

  it.each(Object.keys(routes))('stays as it was for who asks for no Chinese: %s', async (name) => {
    await using server = await serverThatSays(() => unsupported('Unsupported file format: large_document.pdf'));

    const answer = await routes[name]!(server, {});

    expect(answer.headers.get('content-language')).toBe('en');
    expect(answer.headers.get('vary')).toMatch(/Accept-Language/);
    expect(await json(answer)).toMatchObject({
      title: 'Invalid document',
      detail: 'Invalid document: Unsupported file format: large_document.pdf',
    });
  });

  it('comes in Chinese as a conversion of docling-serve', async () => {
    await using server = await serverThatSays(() => unsupported(`Unsupported file format: a.rar. ${unreadKinds.rar}`));
    const form = new FormData();
    form.append('files', new Blob(['x']), 'a.rar');

    const answer = await fetch(`${server.url}/v1/convert/file`, { method: 'POST', body: form, headers: chinese });
    const { errors } = await json<{ errors: { error_message: string }[] }>(answer);

    expect(errors[0]!.error_message).toBe(
      '文档无法接收：不支持的文件格式：a.rar。不支持 RAR 压缩包：请解压，把其中的文件打包成 ZIP 再上传',
    );
    expect([answer.headers.get('content-language'), answer.headers.get('vary')]).toEqual([
      'zh-CN',
      expect.stringContaining('Accept-Language'),
    ]);
  });

  it('is kept for a repeated upload in no language: who repeats it is answered in theirs', async () => {
    await using server = await serverThatSays(() => ({ code: 'corrupt', message: 'The PDF is damaged and could not be read' }));
    const key = { 'Idempotency-Key': 'once' };

    const first = await json(insert(server, 'd', fileForm('x', 'a.pdf'), { ...key, ...chinese }));
    const again = await json(insert(server, 'd', fileForm('x', 'a.pdf'), key));

    expect([first.detail, again.detail]).toEqual([
      '文档无法接收：PDF 已损坏，无法读取',
      'Invalid document: The PDF is damaged and could not be read',
    ]);
  });

  it('is put behind what its code means where it is of a reader that the table does not know', async () => {
    await using server = await serverThatSays(() => ({ code: 'corrupt', message: 'Something new' }));

    expect((await json(insert(server, 'd', fileForm('x'), chinese))).detail).toBe('文档无法接收（Something new）');
  });
});
