/** A text that is read for a few terms has them where it has them when it is read for all. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  scanForTerms,
  scanForTokens,
  scanTerms,
  scanTokens,
  termsOf,
  type TokenSink,
} from '../../../src/search/analysis/tokens.ts';
import { stemOf } from '../../../src/search/analysis/stems.ts';
import { WantedTerms } from '../../../src/search/analysis/wanted-terms.ts';

type Found = [string, number, number, string][];

function foundBy(scan: (sink: TokenSink) => void, wanted: ReadonlySet<string>): Found {
  const found: Found = [];
  scan((term, start, end, kind) => {
    if (wanted.has(term)) found.push([term, start, end, kind]);
  });
  return found;
}

const endings =
  's es ies sses ed ing eed y ying ied ational tional enci anci izer bli alli entli eli ousli ization ation ator alism iveness fulness ousness aliti iviti biliti icate ative alize iciti ical ful ness al ance er able ement ent ion ism ate iti ous ive ize e ll'.split(
    ' ',
  );
const word = fc
  .tuple(fc.string({ unit: fc.constantFrom(...'aeiouybdlstz'.split('')), maxLength: 4 }), fc.subarray(endings, { maxLength: 2 }))
  .map(([begin, end]) => begin + end.join(''));
const part = fc.oneof(
  word,
  word.map((each) => each.toUpperCase()),
  word.map((each) => each.charAt(0).toUpperCase() + each.slice(1)),
  fc.constantFrom(
    '電腦',
    '电脑程序',
    'データ',
    '한국어',
    '𠮷野家',
    'ＣＡＦＥ',
    'café',
    'Node.js',
    'AB-1234/5',
    '0xbeef',
    '2024年3月15日',
    '12.5%',
    'C++',
    'getUserName',
  ),
  fc.string({ unit: 'binary', maxLength: 3 }),
);
const text = fc
  .array(fc.tuple(part, fc.constantFrom(' ', '', ', ', '-', '\n')), { maxLength: 30 })
  .map((all) => all.flat().join(''));

describe('the terms that a text is read for', () => {
  it('are found where they stand, whatever they are', () => {
    fc.assert(
      fc.property(text, fc.array(fc.nat()), fc.array(word), (read, places, others) => {
        const all = termsOf(read).map(({ term }) => term);
        const wanted = new Set(
          [...places.flatMap((place) => all[place % all.length] ?? []), ...others.map(stemOf)].filter(Boolean),
        );
        expect(foundBy((sink) => scanForTerms(read, new WantedTerms(wanted), sink), wanted)).toEqual(
          foundBy((sink) => scanTerms(read, sink), wanted),
        );
      }),
      { numRuns: 2000 },
    );
  });

  it('leave every other word its place', () => {
    fc.assert(
      fc.property(text, fc.array(word), (read, words) => {
        const [few, all]: [number[], number[]] = [[], []];
        scanForTokens(read, new WantedTerms(words.map(stemOf)), (_term, start, end) => few.push(start, end));
        scanTokens(read, (_term, start, end) => all.push(start, end));
        expect(few).toEqual(all);
      }),
    );
  });

  it('spare all others their letters', () => {
    const spelled: string[] = [];
    scanForTokens('The quick brown fox jumps over them 这是一段中文', new WantedTerms(['zzz']), (term) => spelled.push(term));
    expect(spelled.length).toBeGreaterThan(15);
    expect(spelled.filter((term) => term !== '')).toEqual([]);
  });
});
