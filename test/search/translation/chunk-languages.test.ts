/** The chunks by which a question is weighed: those in its language. */
import { expect, it } from 'vitest';
import { clearLanguage, type Language } from '../../../src/search/translation/concepts.ts';
import { weighedIn } from '../../../src/search/translation/chunk-languages.ts';
import { chunksWith, postingsOf, rarity } from '../../../src/search/ranking/scorer.ts';
import type { Searched } from '../../../src/search/index/snapshot.ts';
import { runSteps } from '../../../src/search/ranking/ranking.ts';
import { unstoppable } from '../../../src/search/stop.ts';
import { termsOf } from '../../../src/search/analysis/tokens.ts';
import { makeSegment, randomFrom } from '../../support/memory-segment.ts';

/** Documents of one chunk each, of these words. */
function searchedIn(texts: readonly string[]): Searched {
  const segment = makeSegment(
    texts.length,
    1,
    (row) => texts[row]!.split(' ').map((word) => [word, 1] as const),
    randomFrom(1),
  ).open(0);
  return { segments: [segment], collection: { chunks: texts.length, averageLength: segment.liveLength / texts.length } };
}

const weighed = (searched: Searched, language: Language | null) => runSteps(unstoppable, weighedIn(language, searched));
const countOf = (term: string, searched: Searched, language: Language | null) =>
  chunksWith(postingsOf(term, searched.segments), weighed(searched, language));

const chinese = Array.from({ length: 100 }, () => '的 api');
const english = ['the api', 'the pump', 'the valve of'];

it('are those in it, and those of which nobody knows what they are in', () => {
  const searched = searchedIn([...chinese, ...english, '42']);

  expect(weighed(searched, 'en')).toMatchObject({ chunks: 4 });
  expect(weighed(searched, 'zh')).toMatchObject({ chunks: 101 });
});

it('are all there are for a question in no language that is known, and where the texts are in one', () => {
  const both = searchedIn([...chinese, ...english]);
  const one = searchedIn([...english, '42']);

  expect(weighed(both, null)).toBe(both.collection);
  expect(weighed(one, 'en')).toBe(one.collection);
  expect(weighed(one, 'zh')).toBe(one.collection);
});

it('say how common a word is among them, so that one that more of the others have than there are of them tells something', () => {
  const searched = searchedIn([...chinese, ...english]);

  expect([countOf('api', searched, 'en'), countOf('api', searched, 'zh'), countOf('pump', searched, 'zh')]).toEqual([1, 100, 0]);
  const tells = (term: string) => rarity(postingsOf(term, searched.segments), weighed(searched, 'en'));
  expect(tells('api')).toBe(tells('pump'));
  expect(tells('api')).toBeGreaterThan(0);
});

it('are without those that were removed since they were counted', () => {
  const searched = searchedIn([...chinese, ...english]);
  expect(countOf('api', searched, 'zh')).toBe(100);

  for (let document = 1; document <= 40; document += 1) searched.segments[0]!.hide(document);
  expect(weighed(searched, 'zh')).toMatchObject({ chunks: 60 });
  expect(countOf('api', searched, 'zh')).toBe(60);
});

it('are all there are as soon as the last text of the other language is removed, whoever asks first', () => {
  const searched = searchedIn([...chinese, ...english, '42']);
  weighed(searched, 'en');

  for (let document = 101; document <= 103; document += 1) searched.segments[0]!.hide(document);
  expect(weighed(searched, 'en')).toBe(searched.collection);
  expect(weighed(searched, 'zh')).toBe(searched.collection);
});

it('are learnt in steps, between which others have their turn, where there are many', () => {
  const searched = searchedIn([...Array.from({ length: 80_000 }, () => 'the of and in to a is for on with'), ...chinese]);
  let stepCount = 0;
  const steps = weighedIn('en', searched);
  for (let step = steps.next(); !step.done; step = steps.next(step.value())) stepCount += 1;

  expect(stepCount).toBeGreaterThanOrEqual(2);
});

it('are told by the letters and characters of a question, not by its numbers', () => {
  const languages = ['wing lift 42', '机翼 wing', '2024-03-15', '42', 'ひらがな', ''].map((query) => clearLanguage(termsOf(query)));

  expect(languages).toEqual(['en', 'zh', null, null, null, null]);
});
