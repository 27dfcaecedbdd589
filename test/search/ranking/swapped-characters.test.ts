/** Two Chinese characters typed in each other's place. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { tokenize } from '../../../src/search/analysis/tokens.ts';
import type { Segment } from '../../../src/search/index/segments.ts';
import { postingsOf } from '../../../src/search/ranking/scorer.ts';
import { swappedCharacters, type Swapped } from '../../../src/search/ranking/swapped-characters.ts';
import { makeSegment, randomFrom } from '../../support/memory-segment.ts';

/** An index of some texts. */
function indexOf(texts: readonly string[]): Segment {
  const counts = texts.map((text) => Map.groupBy(tokenize(text), ({ term }) => term));
  const rowTerms = (row: number) => [...counts[row]!].map(([term, { length }]) => [term, length] as const);
  return makeSegment(texts.length, 1, rowTerms, randomFrom(1)).open(0);
}

/** What is read otherwise, where the language knows these words. */
function read(query: string, texts: readonly string[], words: readonly string[] = []): Swapped {
  const segment = indexOf(texts);
  const tokens = tokenize(query);
  const chunksOf = new Map(tokens.map(({ term }) => [term, postingsOf(term, [segment]).chunks]));
  const wordsOf = (run: string) => run.match(new RegExp([...words, '.'].join('|'), 'gu')) ?? [];
  return swappedCharacters(tokens, chunksOf, [segment], { wordsOf });
}

function shown({ readings }: Swapped): string[] {
  return readings.flatMap(({ replacement }) => (replacement === null ? [] : [replacement.by]));
}

it('are read the right way round, with the pairs that they make then', () => {
  const swapped = read('审理行案政件', ['审理行政案件的机关']);

  expect(shown(swapped)).toEqual(['政案']);
  expect(swapped.readings.map(({ term }) => term)).toEqual(['政案', '行政', '案件']);
});

it('are left where one neighbour goes with them as they are and they are a word, and read where none does', () => {
  const texts = ['一国的法律', '在国法中'];
  expect(shown(read('在法国中', texts, ['法国']))).toEqual(['国法']);
  expect(shown(read('在法国', texts, ['法国']))).toEqual([]);
  expect(shown(read('法国', texts, ['法国']))).toEqual([]);
});

it('are never seen in what stands in a text as it was written, whatever it is', () => {
  const text = fc
    .array(fc.constantFrom(...Array.from('甲乙丙丁戊己，')), { minLength: 2, maxLength: 40 })
    .map((list) => list.join(''));
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), fc.nat(), fc.nat(), (texts, from, length) => {
      const whole = texts[from % texts.length]!;
      const query = whole.slice(from % whole.length, (from % whole.length) + 1 + (length % whole.length));
      expect(read(query, texts).readings).toEqual([]);
    }),
  );
});

it('are seen wherever two stand in each other’s place between others that a text has once', () => {
  const characters = Array.from('天地玄黄宇宙洪荒日月盈昃辰宿列张寒来暑往');
  fc.assert(
    fc.property(fc.integer({ min: 1, max: characters.length - 3 }), (at) => {
      const swapped = characters
        .with(at, characters[at + 1]!)
        .with(at + 1, characters[at]!)
        .join('');
      expect(shown(read(swapped, [characters.join('')]))).toEqual([characters.slice(at, at + 2).join('')]);
    }),
  );
});
