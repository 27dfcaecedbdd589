/** A charset that was sent with a file is obeyed, in every kind of text, however short, and whatever it looks like. */
import { describe, expect, it } from 'vitest';
import { createDocumentParser } from '../../../src/parse/document-parser.ts';
import { parseBytes } from '../../support/parse.ts';
import { encodeAs } from '../../support/text-fixtures.ts';

const parser = createDocumentParser({});

const read = (bytes: Uint8Array, filename: string, declaredMediaType: string): ReturnType<typeof parseBytes> =>
  parseBytes(parser, bytes, { filename, declaredMediaType });

describe('a charset that was sent with a file', () => {
  it.each([
    ['windows-1252', 'Preis: 12,50 €'],
    ['windows-1252', '“Hello,” said the niño'],
    ['ISO-8859-1', 'El niño comió'],
    ['windows-1250', 'Zażółć gęślą jaźń'],
    ['windows-1255', 'שלום'],
    ['koi8-r', 'Привет'],
    ['ibm866', 'Привет'],
    ['big5', '測試'],
    ['gb2312', '测试'],
    ['shift_jis', 'テスト'],
    ['euc-kr', '시험'],
    ['utf-8', 'Ã©'],
    ['utf-16le', 'ab'],
  ])('%s is obeyed: %s', async (charset, text) => {
    const bytes = encodeAs(
      text,
      charset.toLowerCase() === 'iso-8859-1' ? 'windows-1252' : charset === 'gb2312' ? 'gb18030' : charset,
    );

    const { markdown, warnings } = await read(bytes, 'a.txt', `text/plain; charset=${charset}`);

    expect([markdown.trim(), warnings]).toEqual([text, []]);
  });

  it.each([
    ['a.md', (text: string) => `# ${text}`],
    ['a.csv', (text: string) => `name,price\n${text},1`],
    ['a.json', (text: string) => `{"name":"${text}"}`],
    ['a.xml', (text: string) => `<a><b>${text}</b></a>`],
    ['a.html', (text: string) => `<!doctype html><title>t</title><p>${text}</p>`],
    ['a.srt', (text: string) => `1\n00:00:01,000 --> 00:00:02,000\n${text}\n`],
    ['a.log', (text: string) => `12:00 ${text}`],
  ])('holds for %s', async (filename, write) => {
    const { markdown } = await read(encodeAs(write('5 €'), 'windows-1252'), filename, 'text/plain; charset="windows-1252"');

    expect(markdown).toContain('5 €');
  });

  it('comes before what HTML says of itself, and after a byte order mark', async () => {
    const html = encodeAs('<!doctype html><meta charset="windows-1251"><title>t</title><p>5 €</p>', 'windows-1252');
    const marked = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from('5 €')]);

    expect((await read(html, 'a.html', 'text/html; charset=windows-1252')).markdown).toContain('5 €');
    expect((await read(marked, 'a.txt', 'text/plain; charset=windows-1252')).markdown).toContain('5 €');
  });

  it('is not obeyed where it gives no text, and is spoken of where it is not known', async () => {
    const russian = encodeAs('Привет, как дела? Это обычный русский текст для проверки.', 'windows-1251');

    const contradicted = await read(russian, 'a.txt', 'text/plain; charset=utf-8');
    const unknown = await read(russian, 'a.txt', 'text/plain; charset=klingon');

    expect(contradicted.markdown).toContain('Привет');
    expect(unknown.warnings).toEqual(['The charset klingon that was sent with the file is unknown; its encoding was guessed']);
  });
});
