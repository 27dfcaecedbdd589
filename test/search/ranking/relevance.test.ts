/** How well passages answer: what a translated question found, and questions with numbers. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { queryWords, tellingWords } from '../../../src/search/ranking/query-terms.ts';
import { type Asked, askedNothing, askedOf, ratings, usualRating } from '../../../src/search/ranking/relevance.ts';

const own: Asked = { ...askedNothing, needs: [{ weight: 1, ways: [{ terms: ['泵'], worth: 1, partly: 0 }] }] };
const across: Asked = {
  ...askedNothing,
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

  it('counts a word of the text whole for one word of the question alone', () => {
    const way = { terms: ['good'], worth: 1, partly: 0 };
    const twice: Asked = { ...askedNothing, needs: [1, 1].map((weight) => ({ weight, ways: [way] })), doubt: 1 };
    const [strict, lax] = [0.5, 1].map((again) => ratedBy({ ...twice, again }, 'A good text'));

    expect(strict).toBeLessThan(lax!);
    expect(strict).toBeGreaterThan(0);
  });

  it('is rated higher where its words stand together than where they are spread over the text', () => {
    const near: Asked = { ...words('pump', 'valv', 'pressur'), stretch: { units: 40, share: 0.5 } };
    const apart = 'and so on, '.repeat(20);
    const [together, spread, none] = [
      `${apart}The pump, its valve and the pressure`,
      `The pump ${apart} its valve ${apart} and the pressure`,
      apart,
    ].map((text) => ratedBy(near, text));

    expect(together).toBeGreaterThan(spread!);
    expect(spread).toBeGreaterThan(0);
    expect(none).toBe(0);
    expect(ratedBy({ ...near, stretch: null }, `The pump ${apart} its valve ${apart} and the pressure`)).toBe(1);
  });

  it('counts what stands in its headings in no stretch', () => {
    const near: Asked = { ...words('pump'), doubt: 1, stretch: { units: 40, share: 0.5 } };
    const rating = () => ratings({ asked: near, askedAcross: askedNothing })({});

    expect(rating().takeHeadings('The pump').value).toBeGreaterThan(0);
    expect(rating().takeAll('The pump').value).toBeGreaterThan(rating().takeHeadings('The pump').value);
  });

  it('is rated by what a text has beside its words', () => {
    const heard: Asked = { ...words('\0name'), more: (text, take) => void (text.includes('Elway') && take('\0name', 4)) };

    expect(ratedBy(heard, 'John Elway')).toBe(1);
    expect(ratedBy(heard, 'John')).toBe(0);
  });

  it('is rated between 0 and 1, and never lower for more text where a word counts whole again', () => {
    fc.assert(
      fc.property(anyAsked, anyText, anyText, (generated, first, second) => {
        const asked: Asked = { ...askedNothing, ...generated, again: 1 };
        const [less, more] = [ratedBy(asked, first), ratedBy(asked, `${first} ${second}`)];
        expect(less).toBeGreaterThanOrEqual(0);
        expect(more).toBeLessThanOrEqual(1);
        expect(more).toBeGreaterThanOrEqual(less);
      }),
    );
  });

  // It may be lower for more text: the better way to meet one word of the question may take a word that another one alone was met by.
  it('is rated between 0 and 1 where a word counts half for a second word of the question', () => {
    fc.assert(
      fc.property(anyAsked, anyText, (generated, text) => {
        const asked: Asked = { ...askedNothing, ...generated, again: 0.5 };
        const [half, full] = [asked, { ...asked, again: 1 }].map((each) => ratedBy(each, text));
        expect(half).toBeGreaterThanOrEqual(0);
        expect(half).toBeLessThanOrEqual(full!);
        expect(full).toBeLessThanOrEqual(1);
      }),
    );
  });
});

const anyTerms = ['pump', 'cold', 'seal', 'flow'];
const anyText = fc
  .array(fc.constantFrom(...anyTerms, 'and', 'other words in between'), { maxLength: 30 })
  .map((list) => list.join(' '));
const anyShare = fc.double({ min: 0, max: 1, noNaN: true });
const anyWay = fc.record({
  terms: fc.uniqueArray(fc.constantFrom(...anyTerms), { minLength: 1 }),
  worth: anyShare,
  partly: anyShare,
});
const anyAsked = fc.record({
  needs: fc.array(fc.record({ weight: fc.double({ min: 0.1, max: 5, noNaN: true }), ways: fc.array(anyWay, { maxLength: 3 }) }), {
    maxLength: 4,
  }),
  doubt: fc.double({ min: 0, max: 3, noNaN: true }),
  stretch: fc.constantFrom(null, { units: 20, share: 0.5 }, { units: 200, share: 1 }),
});

function words(...asked: string[]): Asked {
  return { ...askedNothing, needs: asked.map((term) => ({ weight: 1, ways: [{ terms: [term], worth: 1, partly: 0 }] })) };
}

function ratedBy(asked: Asked, text: string): number {
  return ratings({ asked, askedAcross: askedNothing })({}).takeAll(text).value;
}

describe('a hit of a question with numbers', () => {
  const collection = { chunks: 1000, averageLength: 100 };
  function ratedFor(question: string, text: string): number {
    const tokens = tellingWords(queryWords(question));
    const terms = tokens.map(({ term }) => ({ term, weight: 1, postings: { lists: [], chunks: 10 } }));
    const asked = askedOf(tokens, terms, collection);
    return ratings({ asked, askedAcross: askedNothing })({}).takeAll(text).value;
  }

  it('is rated lower without the number than with it, in either language', () => {
    for (const [question, without, whole] of [
      ['invoice 4710', 'This invoice is paid.', 'Invoice 4710 is paid.'],
      ['发票 4710', '这张发票已付。', '发票4710已付。'],
      ['release 1.2.3', 'Notes of this release.', 'Notes of release 1.2.3'],
      ['room 12', 'The room is on the left.', 'Room 12 is on the left.'],
    ] as const) {
      expect(ratedFor(question, without), question).toBeGreaterThan(0);
      expect(ratedFor(question, without), question).toBeLessThanOrEqual(0.75);
      expect(ratedFor(question, whole), question).toBe(1);
    }
  });

  it('is rated by the parts of an identifier, and by a quantity however it is written', () => {
    expect(ratedFor('order AB-1234', 'The order ab 1234 came')).toBe(1);
    expect(ratedFor('weighs 2,000 g', 'It weighs 2000g')).toBe(1);
  });
});
