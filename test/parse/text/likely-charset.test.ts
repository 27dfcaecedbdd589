import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeAs, decodeText } from '../../../src/parse/text/encoding.ts';
import { likelyCharset } from '../../../src/parse/text/likely-charset.ts';
import { shortTexts } from '../../support/short-texts.ts';
import { encodeAs } from '../../support/text-fixtures.ts';

const all = shortTexts.flatMap(({ language, encoding, texts }) => texts.map((text) => ({ language, encoding, text })));

describe('a short text in an old encoding', () => {
  it('is read right 95 times in 100 where nothing says what it is', () => {
    const wrong = all.filter(({ encoding, text }) => decodeText(encodeAs(text, encoding)).text !== text);

    expect(all.length).toBeGreaterThanOrEqual(200);
    expect(wrong.map(({ language, text }) => `${language}: ${text}`).slice(Math.floor(all.length * 0.05))).toEqual([]);
  });

  it('is read right always where its encoding is given', () => {
    for (const { encoding, text } of all) expect(decodeText(encodeAs(text, encoding), encoding).text).toBe(text);
  });

  it('is read right inside a long file of ASCII', () => {
    const line = 'GET /index 200 12 ms\n'.repeat(500);
    for (const sign of ['20°C', 'Café', '5 €', '“quoted”', 'Zoë'])
      expect(decodeText(encodeAs(`${line}${sign}\n${line}`, 'windows-1252')).text).toContain(sign);
  });

  it.each([
    ['gb18030', '李明,男,25'],
    ['gb18030', '价格：￥5'],
    ['gb18030', '￥1,850.50'],
    ['gb18030', '是'],
    ['windows-1255', 'Note: שלום עולם'],
    ['windows-874', 'Note: สวัสดีครับ'],
    ['windows-1251', 'Note: договор готов'],
    ['shift_jis', 'Note: 契約書です'],
  ])('is read right among numbers and words in Latin letters: %s %s', (encoding, text) => {
    expect(decodeText(encodeAs(text, encoding)).text).toBe(text);
  });

  it('is a rare code page only on strong evidence', () => {
    expect(decodeText(encodeAs('Größe: 20 cm, Äpfel und Öl für die Tür', 'ibm850')).text).toBe(
      'Größe: 20 cm, Äpfel und Öl für die Tür',
    );
    for (const text of ['5 €', 'and so on…', '• 3', '§ 12', '30 °', 'Note: £100', '10 µm', '1 × 2', 'Nº 5', '± 3 %'])
      expect(decodeText(encodeAs(text, 'windows-1252')).text).toBe(text);
  });
});

describe('likelyCharset', () => {
  it('leaves it to statistics where there is much to weigh', () => {
    expect(likelyCharset(encodeAs('Сообщение '.repeat(100), 'koi8-r'), decodeAs)).toBeNull();
  });

  it('is linear in a file that is all signs above ASCII', () => {
    expect(likelyCharset(readFileSync(new URL(import.meta.url)).fill(0xe9), decodeAs)).toBeNull();
  });
});

describe('a few words in UTF-16 without a mark', () => {
  it.each([
    '合同',
    '价格',
    '你好',
    '北京',
    '会议记录',
    '测试文档',
    '第一章',
    '價格',
    '契約書',
    'カタカナ',
    'Привет',
    'да',
    'שלום',
    'مرحبا',
    '서울',
    '价格：100元',
  ])('are read as they are, in both orders of bytes: %s', (text) => {
    for (const encoding of ['utf-16le', 'utf-16be']) expect(decodeText(encodeAs(text, encoding)).text).toBe(text);
  });

  it('are nothing that a text of single bytes could be', () => {
    const texts = [
      'abcd',
      'that',
      'Bush hid the facts',
      'a<b',
      'if(a)',
      '{"a":1}',
      'x|y|z.',
      'user@host.de',
      'a\x1b[1mb\x1b[0m',
      'Größe',
      'año',
      '5 €',
    ];
    for (const text of texts) expect(decodeText(encodeAs(text, 'windows-1252')).text).toBe(text);
  });
});

describe('a NUL here and there', () => {
  it.each([1, 2, 3, 5])('does not make UTF-16 of a log: %i of them', (count) => {
    const line = '2024-01-01 10:00:00 INFO request served ok';
    const bytes = Buffer.from(`${line}\n`.repeat(3));
    for (let n = 0; n < count; n += 1) bytes[7 + n * 10] = 0;
    expect(decodeText(bytes).encoding).toBe('utf-8');
    expect(decodeText(bytes.subarray(1)).encoding).toBe('utf-8');
  });
});
