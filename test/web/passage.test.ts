import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { locatePassage, type Span } from '../../src/web/passage.ts';

function cut(items: readonly string[], spans: readonly Span[]): string[] {
  return spans.map(({ item, start, end }) => (items[item] ?? '').slice(start, end));
}

describe('locatePassage', () => {
  it('finds a passage over line ends, Markdown marks and another case', () => {
    const items = ['Header of the page', 'The keeper trims the', 'lighthouse lamp at dusk.', 'Something else follows here.'];
    const passage = '## The **keeper** trims the LIGHTHOUSE lamp\nat dusk.';

    const { passage: found } = locatePassage(items, passage);

    expect(cut(items, found)).toEqual(['The keeper trims the', 'lighthouse lamp at dusk.']);
  });

  it('finds words that the page hyphenates, joins by ligatures or writes at full width', () => {
    const items = ['the proof of ﬁnal pay-', 'ment is due on day １２ of the month'];

    const { passage: found } = locatePassage(items, 'proof of final payment is due on day 12');

    expect(cut(items, found)).toEqual(['proof of ﬁnal pay-', 'ment is due on day １２']);
  });

  it('finds Chinese, with its closing mark', () => {
    const items = ['前面的文字没有关系。', '灯塔守护人在黄昏点亮灯火。后面还有别的。'];

    const { passage: found, words } = locatePassage(items, '灯塔守护人在黄昏点亮灯火', [[0, 2]]);

    expect(cut(items, found)).toEqual(['灯塔守护人在黄昏点亮灯火。']);
    expect(cut(items, words)).toEqual(['灯塔']);
  });

  it('marks the word at its own place, not where it also stands', () => {
    const items = ['A lamp stands in the hall of the old house.', 'The keeper trims the lamp at dusk every single day.'];
    const passage = 'The keeper trims the lamp at dusk every single day.';

    const { words } = locatePassage(items, passage, [[21, 25]]);

    expect(words).toEqual([{ item: 1, start: 21, end: 25 }]);
  });

  it('says so when the passage is not on the page', () => {
    expect(locatePassage(['Something else entirely is written here.'], 'The keeper trims the lamp')).toEqual({
      passage: [],
      words: [],
    });
    expect(locatePassage([], 'anything')).toEqual({ passage: [], words: [] });
    expect(locatePassage(['text'], '***')).toEqual({ passage: [], words: [] });
  });

  it('finds any sentence again however it is cut into items, and never reaches outside of them', () => {
    const word = fc.constantFrom('harbour', 'keeper', 'lantern', 'quay', '灯塔', '码头', 'tide', 'rope', '12', 'anchor');
    fc.assert(
      fc.property(fc.array(word, { minLength: 6, maxLength: 40 }), fc.array(fc.nat(200), { maxLength: 8 }), (words, cuts) => {
        const text = words.join(' ');
        const places = [...new Set([0, ...cuts.map((at) => at % text.length), text.length])].sort((a, b) => a - b);
        const items = places.slice(1).map((end, index) => text.slice(places[index], end));

        const { passage } = locatePassage(items, text);

        expect(cut(items, passage).join('').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''));
        for (const { item, start, end } of passage)
          expect(start >= 0 && end <= (items[item] ?? '').length && start < end).toBe(true);
      }),
    );
  });
});
