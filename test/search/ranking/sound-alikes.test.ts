/** Chinese characters typed for others that sound like them. */
import { expect, it } from 'vitest';
import { tokenize } from '../../../src/search/analysis/tokens.ts';
import { postingsOf } from '../../../src/search/ranking/scorer.ts';
import { type Reading, soundAlikes } from '../../../src/search/ranking/sound-alikes.ts';
import { makeSegment, randomFrom } from '../../support/memory-segment.ts';

/** Readings of a question, where all of `sounds` sound alike and no run is a word. */
function read(query: string, texts: readonly string[], sounds: string, settled = ''): Reading[] {
  const counts = texts.map((text) => Map.groupBy(tokenize(text), ({ term }) => term));
  const rowTerms = (row: number) => [...counts[row]!].map(([term, { length }]) => [term, length] as const);
  const segment = makeSegment(texts.length, 1, rowTerms, randomFrom(1)).open(0);
  const tokens = tokenize(query);
  const chunksOf = new Map(tokens.map(({ term }) => [term, postingsOf(term, [segment]).chunks]));
  const homophones = (character: string) =>
    sounds.includes(character) ? Array.from(sounds).filter((other) => other !== character) : [];
  const language = { homophones, wordsOf: (run: string) => Array.from(run) };
  return soundAlikes(tokens, chunksOf, [segment], language, ({ term }) => settled.includes(term));
}

const texts = ['行政法院', '行政法规', '行正法师'];

it('are read as the commonest that goes with both neighbours, which weighs as what was written', () => {
  const readings = read('行证法', texts, '政证正');
  const weights = new Map(readings.map(({ term, weight }) => [term, weight]));

  expect(weights.get('行政')).toBe(1);
  expect(weights.get('政法')).toBe(1);
  expect(weights.get('行正')).toBe(0.5);
  expect(readings.find(({ replacement }) => replacement !== null)!.replacement).toMatchObject({ by: '政' });
});

it('are found by the character that was meant too, by each reading as likely as it is', () => {
  const characters = read('行证法', texts, '政证正').filter(({ of }) => of === '证');

  expect(characters.map(({ term }) => term)).toEqual(['政', '正']);
  expect(characters.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1);
});

it('are left where they are read otherwise already', () => {
  expect(read('行证法', texts, '政证正', '证')).toEqual([]);
});
