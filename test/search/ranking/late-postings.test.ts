/** A question is read where postings come into memory only once they were asked for, as in PostgreSQL. */
import { expect, it } from 'vitest';
import { tokenize } from '../../../src/search/analysis/tokens.ts';
import type { Segment } from '../../../src/search/index/segments.ts';
import { markerTerms } from '../../../src/search/translation/chunk-languages.ts';
import { rankInSteps } from '../../../src/search/ranking/ranking.ts';
import { makeSegment, randomFrom } from '../../support/memory-segment.ts';

/** Chunks of the same text: a word of fewer is looked at as one that may be wrong. */
const chunks = 5;

/** A segment that finds nothing of a term before `read`, and all terms that it was asked for. */
function lateSegment(text: string) {
  const counts = Map.groupBy(tokenize(text), ({ term }) => term);
  const terms = [...counts].map(([term, { length }]) => [term, length] as const);
  const segment: Segment = makeSegment(chunks, 1, () => terms, randomFrom(1)).open(0);
  const [asked, missing] = [new Set<string>(), new Set<string>()];
  const find = segment.find.bind(segment);
  segment.find = (term) => {
    if (!asked.has(term)) missing.add(term);
    return asked.has(term) ? find(term) : null;
  };
  const read = (): boolean => {
    const lacked = missing.size > 0;
    for (const term of missing) asked.add(term);
    missing.clear();
    return lacked;
  };
  return { segment, asked, read };
}

/** What is looked up for a question, beside what tells languages: terms of the texts, words near another, the dictionary. */
function lookedUpFor(query: string, text: string) {
  const { segment, asked, read } = lateSegment(text);
  const near: string[] = [];
  let scored = 0;
  segment.unpacked = () => {
    scored += 1;
    return null;
  };
  let opened = 0;
  const steps = rankInSteps({
    text: () => text,
    snapshot: { segments: [segment], collection: { chunks, averageLength: 10 } },
    vocabulary: {
      neighbours(word) {
        near.push(word);
        return [];
      },
    },
    near: () => [],
    query,
    mode: 'vector',
    allowed: () => null,
    limit: 10,
    dictionary() {
      opened += 1;
      return null;
    },
  });
  for (let step = steps.next(); !step.done;) {
    let value = step.value();
    while (read()) value = step.value();
    step = steps.next(value);
  }
  const terms = [...asked].filter((term) => !markerTerms.includes(term)).sort();
  return { terms, near, opened, scored };
}

it.each(['行政法院', 'the pump manual'])(
  'looks up nothing but its own terms for what texts have, and adds up no scores where vectors alone are asked: %s',
  (text) => {
    const own = new Set(tokenize(text).flatMap(({ term, kind }) => (kind === 'stop' ? [] : [term])));

    expect(lookedUpFor(text, text)).toEqual({ terms: [...own].sort(), near: [], opened: 0, scored: 0 });
  },
);

it('looks for what was meant where no text has a word or a pair', () => {
  expect(lookedUpFor('the pump manaul', 'the pump manual').near).toEqual(['manaul']);
  expect(lookedUpFor('政行法院', '行政法院')).toMatchObject({ terms: expect.arrayContaining(['行政']) as unknown });
});
