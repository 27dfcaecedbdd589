import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Letters } from '../../../src/search/ranking/letters.ts';

/** The same, said plainly. */
function lettersOf(markdown: string): string {
  const body = markdown.replace(/^[ \t]{0,3}#{1,6}[ \t].*$/gm, '');
  return (/[\p{L}\p{N}]/u.test(body) ? body : markdown)
    .replace(/<\/?[a-z][^<>]{0,200}>/gi, '')
    .replace(/\]\([^()\s]{0,1000}\)/g, '')
    .replace(/[^\p{L}\p{N}]+/gu, '')
    .toLowerCase();
}

const part = fc.oneof(
  fc.constantFrom(
    '# Heading\n',
    '\n## 標題\n',
    '<b>',
    '</b>',
    '[link](http://a.b/c)',
    'ΣΟΦΟΣ ',
    'İstanbul',
    '𝐀𐐀',
    'Ünïcode 12',
    '合同第三条',
    '. ',
  ),
  fc.string({ unit: 'grapheme', maxLength: 5 }),
  fc.string({ unit: fc.constantFrom(...'abAB 1'.split('')), maxLength: 4 }),
);
const text = fc.array(part, { maxLength: 12 }).map((parts) => parts.join(''));

describe('the letters of a text', () => {
  it('are those of another where a plain reading of both says so', () => {
    fc.assert(
      fc.property(text, text, text, (before, own, after) => {
        const [letters, whole] = [lettersOf(own), before + own + after];
        for (const other of [own, whole, after]) {
          expect(new Letters(own).isIn(new Letters(other))).toBe(lettersOf(other).includes(letters));
          expect(new Letters(own).isThatOf(new Letters(other))).toBe(lettersOf(other) === letters);
        }
        expect(new Letters(own).length).toBe(letters.length);
      }),
      { numRuns: 1000 },
    );
  });
});
