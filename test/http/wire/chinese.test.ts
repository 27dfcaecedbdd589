/** Problems in Chinese: every sentence that the sources refuse a request with, and who gets to read it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { prefersChinese, sentenceInChinese, sentences } from '../../../src/http/wire/chinese.ts';
import { unreadKinds } from '../../../src/parse/detect.ts';
import { json, startHttpServer } from '../../support/http-server.ts';
import { sentences as listedSentences } from '../../support/sentences.ts';

const source = join(import.meta.dirname, '../../../src');
const texts = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !/^(?:web|cli)\//.test(name) && !name.startsWith('http/wire/chinese'))
  .map((name) => readFileSync(join(source, name), 'utf8'));

/** The sentences of `new AppError(code, 'sentence' …)` and `new SettingError('sentence' …)`, what differs as `{}`. */
function refusals(): string[] {
  const literal = /new (?:AppError\(\s*[^,()]+,|SettingError\()\s*('(?:[^'\\]|\\.)*'|"[^"]*"|`(?:[^`\\]|\\.)*`)/g;
  return texts.flatMap((text) => [...text.matchAll(literal)].map(([, quoted]) => plain(quoted!)));
}

function plain(quoted: string): string {
  return quoted
    .slice(1, -1)
    .replaceAll(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, '{}')
    .replaceAll(/\\(.)/g, '$1');
}

describe('problems in Chinese', () => {
  it('have a translation of every sentence that docs/messages.md lists for requests and for what is wrong with documents', () => {
    // Who cannot be asked what they read, and what stands before a sentence.
    const listed = listedSentences()
      .filter(({ kind, code }) => kind === 'refusal' || (kind === 'document' && code !== ''))
      .filter(({ file, text }) => file !== 'http/connections.ts' && text !== 'Invalid document: {…}');

    expect(listed.length).toBeGreaterThan(250);
    expect(listed.filter(({ text }) => sentenceInChinese(text.replaceAll('{…}', '7')) === null).map(({ text }) => text)).toEqual(
      [],
    );
  });

  it('has a translation of every sentence that a request is refused with', () => {
    const all = refusals().filter((sentence) => /[a-z]{3}/i.test(sentence.replaceAll('{}', '')));
    expect(all.length).toBeGreaterThan(120);
    expect(all.filter((sentence) => sentences[sentence] === undefined && sentenceInChinese(sentence) === null)).toEqual([]);
  });

  it('keeps no translation of what is not said any more, and every gap in it', () => {
    const everything = texts
      .join('\n')
      .replaceAll(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, '{}')
      .replaceAll(/\\(['`"])/g, '$1');
    expect(Object.keys(sentences).filter((english) => !everything.includes(english))).toEqual([]);
    const gaps = (text: string): number => text.split(/\{(?:word)?\}/).length;
    for (const [english, chinese] of Object.entries(sentences)) {
      expect([english, gaps(chinese)]).toEqual([english, gaps(english)]);
      expect(chinese).toMatch(/\p{Script=Han}/u);
    }
  });

  it('say of every kind of file that is known and not read what to do, and keep the name of the file', () => {
    for (const sentence of Object.values(unreadKinds)) {
      const said = sentenceInChinese(`Unsupported file format: a. b.x. ${sentence}`);

      expect(said).toBe(`不支持的文件格式：a. b.x。${sentences[sentence]}`);
    }
    for (const name of ['a. b.x', 'a. constructor', 'a. toString', 'a. __proto__'])
      expect(sentenceInChinese(`Unsupported file format: ${name}`)).toBe(`不支持的文件格式：${name}`);
  });

  it.each([
    ['/search?q=a&top_k=9999', 'top_k：须不超过 100'],
    ['/search?q=a&top_k=x', 'top_k：须为 1 到 100 的整数'],
    ['/search?q=a&min_relevance=2', 'min_relevance：须为 0 到 1 的数字，例如 0.3'],
    ['/search', 'q：缺少此项'],
    ['/search?q=a&q=b', 'q：只能给出一次'],
  ])('say what a value must be, in the list of errors too: %s', async (path, detail) => {
    await using server = await startHttpServer();

    const problem = await json<{ detail: string; errors: { name: string; message: string }[] }>(
      fetch(server.url + path, { headers: { 'Accept-Language': 'zh' } }),
    );

    expect(problem.detail).toBe(detail);
    expect(problem.errors.map(({ name, message }) => `${name}：${message}`)).toEqual([detail]);
  });

  it('name files inside of a file as they are called', () => {
    expect(
      sentenceInChinese('None of the 1 file(s) in the archive could be read. The attached file my x.ofd was not read: it is empty'),
    ).toBe('压缩包中的 1 个文件都无法读取。没有读取附件 my x.ofd：它是空的');
  });

  it.each([
    ['', false],
    ['en', false],
    ['zh', true],
    ['zh-CN,zh;q=0.9,en;q=0.8', true],
    ['en-US,en;q=0.9,zh-CN;q=0.8', false],
    ['en;q=0.5, zh-Hant-TW;q=0.7', true],
    ['zh,en', true],
    ['en,zh', false],
    ['zh;q=0', false],
    ['de, zh;q=0.1', true],
    ['*', false],
    [';;,=,zh;q=x', true],
  ])('go by Accept-Language: %s', (header, chinese) => {
    expect(prefersChinese(header)).toBe(chinese);
  });

  it('come with their code, their numbers and the language that they are in', async () => {
    await using server = await startHttpServer();
    const ask = (language: string, path: string, init: RequestInit = {}): Promise<Response> =>
      fetch(server.url + path, { ...init, headers: { 'Accept-Language': language } });

    const chinese = await ask('zh-CN', '/documents/none');
    expect(chinese.headers.get('content-language')).toBe('zh-CN');
    expect(chinese.headers.get('vary')).toMatch(/Accept-Language/);
    expect(await json(chinese)).toMatchObject({ code: 'not_found', title: '不存在', detail: '文档不存在', status: 404 });
    expect(await json(await ask('zh', '/tasks', { method: 'PUT' }))).toMatchObject({
      detail: '这里不支持 PUT；请用 GET。',
    });
    const named = await json<{ detail: string }>(await ask('zh', '/tasks?stauts=failed'));
    expect(named.detail).toMatch(/^未知的参数 `stauts`；是否指 `status`？可用的有：`/);
    expect((await json(await ask('zh', '/insert?doc_id=d', { method: 'POST' }))).detail).toMatch(/^请以 multipart/);

    const english = await ask('en', '/documents/none');
    expect(english.headers.get('content-language')).toBe('en');
    expect(await json(english)).toMatchObject({ title: 'Not found', detail: 'Document not found' });
  });
});
