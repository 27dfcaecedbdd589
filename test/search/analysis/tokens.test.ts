import { describe, expect, it } from 'vitest';
import { highlight } from '../../../src/search/ranking/highlights.ts';
import { scanTokens, tokenize } from '../../../src/search/analysis/tokens.ts';
import fc from 'fast-check';

const terms = (text: string): string[] => tokenize(text).map((token) => token.term);
/** Whether a text is found by a query: they share a term. */
const meets = (text: string, query: string): boolean => terms(query).some((term) => terms(text).includes(term));

describe('the terms of a text', () => {
  it.each([
    ['RUNNING foxes', 'runs fox'],
    ['ＦＵＬＬ　ｗｉｄｔｈ １２３', 'full width 123'],
    ['café naïve Müller', 'cafe naive muller'],
    ['ﬁnal oﬃce', 'final office'],
    ["Boeing's wings, don't", 'boeing wing don'],
    ['1,234.5 and 1,000,000', '1234.5 1000000'],
    ['soft\u00adhyphen', 'softhyphen'],
    ['Straße STRASSE GROẞ', 'strasse straße groß'],
    ['ΌΡΟΣ Όρος', 'ορος'],
    ['Işık IŞIK ışık', 'isik'],
    ['Ϊΰ ŉ ǰ', 'ϊΰ ʼn ǰ'],
  ])('are the same for %s and %s', (text, query) => {
    for (const token of tokenize(query)) expect(terms(text)).toContain(token.term);
  });

  it.each([
    ['call get_user_name() first', ['get_user_name', 'getUserName', 'user', 'name']],
    ['class HTTPServerFactory', ['HTTPServerFactory', 'server', 'http', 'factory']],
    ['upgrade to v1.2.3 now', ['v1.2.3', '1.2.3']],
    ['the part AB-1234/X is sold', ['AB-1234', 'AB1234', '1234', 'ab']],
    ['write to john.doe@mail.example.com today', ['john.doe@mail.example.com', 'john.doe', 'mail.example.com', 'doe', 'example']],
    ['the U.S.A. and AT&T', ['USA', 'AT&T']],
    ['written in C++ and C#', ['C++', 'C#']],
    ['runs on Windows7 and Python3.12', ['windows 7', 'Windows-7', 'windows7', 'windows', 'python', 'Python 3', 'python3.12']],
    ['系统为Windows7，语言为Java8', ['Windows 7', 'Java 8', 'java8']],
    ['dated 2024-03-15', ['2024-03-15', '2024', '15']],
  ])('find %s whole and in part', (text, queries) => {
    for (const query of queries) expect(meets(text, query), query).toBe(true);
  });

  it('are the same in every case that Unicode folds', () => {
    for (let point = 0x80; point < 0x20000; point += 1) {
      const sign = String.fromCodePoint(point);
      // An iota below a letter is dropped as accents are; above it, in capitals, it is a letter.
      if (sign.toLowerCase() === sign.toUpperCase() || /[\u0345\u1fbe]/.test(sign.normalize('NFD'))) continue;
      const forms = [sign, sign.toLowerCase(), sign.toUpperCase()].map((form) => terms(`${form}`).join(' '));
      expect(new Set(forms).size, `U+${point.toString(16)}: ${forms.join(', ')}`).toBe(1);
    }
  });

  it('leave short names with a digit whole', () => {
    for (const name of ['mp3', 'h2o', 'b12', 'a4']) expect(terms(name), name).toEqual([name]);
  });

  it('tell C++ from C#, and numbers from their neighbours', () => {
    expect(terms('C#')).not.toContain('c++');
    expect(meets('version 1.2.3', '1.2.4x')).toBe(false);
    expect(meets('12345', '123')).toBe(false);
  });

  it('are characters and pairs in Chinese, the same in both scripts', () => {
    expect(terms('行政法院')).toEqual(['行', '政', '行政', '法', '政法', '院', '法院']);
    expect(terms('漢語圖書館')).toEqual(terms('汉语图书馆'));
    expect(meets('臺灣的發展', '台湾')).toBe(true);
  });

  it('do not join Chinese across spaces, signs or Latin words', () => {
    expect(terms('甲。乙')).toEqual(['甲', '乙']);
    expect(terms('使用API接口')).toContain('api');
    expect(terms('使用API接口')).not.toContain('用接');
  });

  it('cover Japanese, Korean and Thai without spaces, and Cyrillic and Greek with them', () => {
    for (const [text, query] of [
      ['東京タワーの高さ', 'タワー'],
      ['한국어 문서를', '문서'],
      ['ภาษาไทย', 'ไทย'],
      ['Красная площадь', 'ПЛОЩАДЬ'],
      ['Αθήνα', 'αθηνα'],
    ] as const) {
      expect(meets(text, query), text).toBe(true);
    }
  });

  it('stand where they say, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
        let before = 0;
        scanTokens(text, (term, start, end) => {
          expect(term).not.toBe('');
          expect(start).toBeLessThan(end);
          expect(end).toBeLessThanOrEqual(text.length);
          expect(start).toBeGreaterThanOrEqual(0);
          before = start;
        });
        return before >= 0;
      }),
    );
  });

  it('cost time in proportion to the text, whatever the text', () => {
    for (const text of [
      'a.'.repeat(50_000),
      'aB'.repeat(50_000),
      '1,'.repeat(50_000),
      "x'".repeat(50_000),
      '中'.repeat(100_000),
      'a@'.repeat(50_000),
    ]) {
      let longest = 0;
      scanTokens(text, (term) => (longest = Math.max(longest, term.length)));
      expect(longest).toBeLessThanOrEqual(64);
    }
  });
});

describe('highlights', () => {
  const marked = (text: string, query: string, chars = false): string[] =>
    highlight(text, new Set(terms(query)), { chars }).map(([start, end]) => text.slice(start, end));

  it('mark word forms, folded letters and identifiers as the text has them', () => {
    expect(marked('He was Running to the ＣＡＦＥ of café-lovers', 'runs cafe')).toEqual(['Running', 'ＣＡＦＥ', 'café']);
    expect(marked('call getUserName now', 'get_user_name')).toEqual(['getUserName']);
  });

  it('mark Chinese by pairs, joined, in both scripts', () => {
    expect(marked('臺北行政法院的判決', '行政法院')).toEqual(['行政法院']);
    expect(marked('漢語', '汉语')).toEqual(['漢語']);
    expect(marked('法律与方法', '法律')).toEqual(['法律']);
    expect(marked('方法', '法', true)).toEqual(['法']);
  });

  it('count in UTF-16 units past characters outside the basic plane', () => {
    const text = '😀😀 apple 𠮷野家';
    expect(highlight(text, new Set(['appl']), { chars: false })).toEqual([[5, 10]]);
    expect(marked(text, '𠮷野')).toEqual(['𠮷野']);
  });
});
