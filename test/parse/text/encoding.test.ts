import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalEncoding, decodeAs, decodeText, normalizeLines } from '../../../src/parse/text/encoding.ts';
import { encodeAs, proseOf } from '../../support/text-fixtures.ts';

const long = (text: string): string => text.repeat(3);

describe('decodeText', () => {
  it.each([
    ['gb18030', proseOf.chineseSimplified],
    ['gb18030', '租约到期之前请续约'],
    ['big5', proseOf.chineseTraditional],
    ['euc-tw', proseOf.chineseTraditional],
    ['shift_jis', proseOf.japanese],
    ['euc-jp', proseOf.japanese],
    ['euc-kr', proseOf.korean],
    ['johab', proseOf.korean],
    ['koi8-r', proseOf.russian],
    ['windows-1251', proseOf.russian],
    ['ibm866', proseOf.russian],
    ['ibm855', proseOf.russian],
    ['x-mac-cyrillic', proseOf.russian],
    ['windows-1252', proseOf.german],
    ['utf-16le', proseOf.chineseSimplified],
    ['utf-16be', proseOf.german],
  ])('reads %s without being told: %s', (encoding, text) => {
    const bytes = encodeAs(text.length < 20 ? text : long(text), encoding);

    expect(decodeText(bytes).text).toBe(text.length < 20 ? text : long(text));
  });

  it('reads UTF-16 and UTF-32 of either byte order, with and without a mark', () => {
    const text = 'Rules for travel: 差旅制度 😀\n'.repeat(5);
    const points = Uint32Array.from(Array.from(text), (character) => character.codePointAt(0)!);
    const utf32 = Buffer.from(points.buffer);

    expect(decodeText(utf32).text).toBe(text);
    expect(decodeText(Buffer.from(utf32).swap32()).text).toBe(text);
    expect(decodeText(Buffer.concat([Uint8Array.of(0xff, 0xfe), Buffer.from(text, 'utf16le')])).text).toBe(text);
    expect(decodeText(Buffer.concat([Uint8Array.of(0xfe, 0xff), Buffer.from(text, 'utf16le').swap16()])).text).toBe(text);
    expect(decodeText(Buffer.concat([Uint8Array.of(0xef, 0xbb, 0xbf), Buffer.from(text)])).text).toBe(text);
  });

  it('reads any text as UTF-8 when it is UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (text) => {
        fc.pre(!text.startsWith('\ufeff') && !['\0', '\x1b', '~'].some((sign) => text.includes(sign)));
        expect(decodeText(Buffer.from(text)).text).toBe(text.toWellFormed());
      }),
    );
  });

  it('stays with UTF-8 when a few bytes of it are damaged', () => {
    const bytes = Buffer.concat([Buffer.from(proseOf.chineseSimplified), Uint8Array.of(0xff), Buffer.from('完')]);

    expect(decodeText(bytes).text).toBe(`${proseOf.chineseSimplified}\ufffd完`);
  });

  it('believes a declaration that fits, not one that does not', () => {
    const short = encodeAs('Größe', 'iso-8859-2');
    expect(decodeText(short, 'iso-8859-2').encoding).toBe('iso-8859-2');
    expect(decodeText(encodeAs(long(proseOf.japanese), 'shift_jis'), 'koi8-r-nonsense').encoding).toBe('shift_jis');
    expect(decodeText(Buffer.from(proseOf.russian), 'windows-1251').text).toBe(proseOf.russian);
  });

  it('tells the seven-bit encodings from ASCII', () => {
    expect(decodeText(Buffer.from('1b2429430e475131393e6e0f200e392e3c2d38260f', 'hex')).text).toBe('한국어 문서를');
    expect(decodeText(Buffer.from('1b2429410e364148214e4435350f', 'hex')).text).toBe('读取文档');
    expect(decodeText(Buffer.from('\x1b$B8!:w\x1b(B ok', 'latin1')).text).toBe('検索 ok');
    expect(decodeText(Buffer.from('~{<:Ky2;~}, ~{<:Ky2;~}')).encoding).toBe('hz-gb-2312');
  });
});

describe('decodeAs', () => {
  it('reads EUC-TW and Johab as iconv does', () => {
    const eucTw = 'fbf4ccbdc5c6c7b5a1a2cbf0cca7c6abc5e8f3f4d7c4a1a4e6f1d5e8d5bbead8eabde6fb';
    expect(decodeAs(Buffer.from(eucTw, 'hex'), 'euc-tw')).toBe('讀取文件，使其可以檢索。資料庫與網路');
    expect(decodeAs(Buffer.from('8ea2a1a1', 'hex'), 'euc-tw')).toBe('乂');
    const johab = 'd0658a82b4e120a285ace19f6920b7aa89a120f7d3f1ae95a120c078936594612e';
    expect(decodeAs(Buffer.from(johab, 'hex'), 'johab')).toBe('한국어 문서를 읽고 漢字도 찾는다.');
  });

  it('never throws, whatever the bytes', () => {
    const names = ['euc-tw', 'johab', 'iso-2022-cn', 'iso-2022-kr', 'hz-gb-2312', 'ibm855', 'utf-32le', 'utf-32be', 'gb18030'];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.constantFrom(...names), (bytes, name) => {
        expect(decodeAs(bytes, name).isWellFormed()).toBe(true);
      }),
    );
  });
});

describe('canonicalEncoding', () => {
  it.each([
    ['GB2312', 'gb18030'],
    ['x-sjis', 'shift_jis'],
    ['CP949', 'euc-kr'],
    ['cp855', 'ibm855'],
    ['latin1', 'windows-1252'],
    ['no-such-thing', null],
  ])('knows %s as %s', (label, name) => {
    expect(canonicalEncoding(label)).toBe(name);
  });
});

describe('normalizeLines', () => {
  it('leaves one kind of line end and no NUL', () => {
    expect(normalizeLines('a\r\nb\rc\u2028d\fe\0')).toBe('a\nb\nc\nd\n\ne');
  });
});
