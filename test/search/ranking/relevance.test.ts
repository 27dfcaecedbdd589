/** The rating of what a translated question found. */
import { describe, expect, it } from 'vitest';
import { type Asked, askedNothing, ratings, usualRating } from '../../../src/search/ranking/relevance.ts';

const own: Asked = { needs: [{ weight: 1, ways: [{ terms: ['泵'], worth: 1, partly: 0 }] }], doubt: 0, usual: usualRating };
const across: Asked = {
  needs: [
    {
      weight: 2,
      ways: [
        { terms: ['pump'], worth: 1, partly: 0.5 },
        { terms: ['water', 'lifter'], worth: 0.6, partly: 0.5 },
      ],
    },
    { weight: 1, ways: [] },
  ],
  doubt: 1,
  usual: 0.2,
};

/** Of a text that was found by the question's translation, or by its own words. */
function rated(text: string, isAcross = true): number {
  return ratings({ asked: own, askedAcross: across })(isAcross ? { across: true } : {}).takeAll(text).value;
}

describe('a hit of a translated question', () => {
  it('is worth less for a later translation, and less still for a part of one', () => {
    const [first, later, part, none] = ['The pump', 'A water lifter', 'Some water', 'Nothing of it'].map((text) => rated(text));

    expect(first).toBeGreaterThan(later!);
    expect(later).toBeGreaterThan(part!);
    expect(part).toBeGreaterThan(0);
    expect(none).toBe(0);
  });

  it('is never sure, however much of it is met', () => {
    expect(rated('The pump is a water lifter')).toBeLessThan(1);
    expect(rated('泵', false)).toBe(1);
  });

  it('is on one scale with those of other questions: what is usual for it has the rating that is usual', () => {
    const usual: Asked = { ...across, doubt: 7 };
    const value = ratings({ asked: askedNothing, askedAcross: usual })({ across: true }).takeAll('pump').value;

    expect(value).toBe(usualRating);
  });

  it('is rated by the question as it is written where it has it word for word', () => {
    expect(rated('泵')).toBe(1);
  });
});
