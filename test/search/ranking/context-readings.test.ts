/** Chinese characters typed for any others, read by what stands around them in the best answers. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { tokenize } from '../../../src/search/analysis/tokens.ts';
import { contextReadings, placesOf } from '../../../src/search/ranking/context-readings.ts';
import type { Reading } from '../../../src/search/ranking/sound-alikes.ts';

/** Readings of a question whose best answers these are, each half as good as the one before; `words`: those of the language. */
function read(query: string, texts: readonly string[], { words = [], settled = '' }: { words?: string[]; settled?: string } = {}) {
  const tokens = tokenize(query);
  const has = (term: string) => texts.filter((text) => tokenize(text).some((token) => token.term === term)).length;
  const chunksOf = new Map(tokens.map(({ term }) => [term, has(term)]));
  const wordsOf = (run: string) => run.match(new RegExp([...words, '.'].join('|'), 'gu')) ?? [];
  const best = texts.map((text, i) => ({ text, share: 0.5 ** i }));
  return contextReadings(placesOf({ tokens, chunksOf, isSettled: ({ term }) => settled.includes(term) }), best, {
    tokens,
    wordsOf,
  });
}

function said(readings: readonly Reading[]): string[] {
  return readings.flatMap(({ replacement }) => (replacement === null ? [] : [replacement.by]));
}

it('are read as what stands between the same neighbours, with the pairs that it makes with them', () => {
  const readings = read('城人帶', ['英國的城市帶']);

  expect(said(readings)).toEqual(['市']);
  expect(readings.map(({ term, of }) => [term, of])).toEqual([
    ['市', '人'],
    ['城市', '城人'],
    ['市带', '人带'],
  ]);
});

it('are read where each pair stands in a text by chance, and not where one of the best answers has it so', () => {
  expect(said(read('城人帶', ['城市帶', '古城人，人帶來']))).toEqual([]);
  expect(said(read('城人帶', ['城市帶']))).toEqual(['市']);
});

it('are said to have been meant only where the answers agree', () => {
  const readings = read('城人帶', ['城市帶', '城中帶']);
  expect(said(readings)).toEqual(['市']);
  expect(readings.filter(({ of }) => of === '人').map(({ term, weight }) => [term, weight])).toEqual([
    ['市', 1],
    ['中', 0.5],
  ]);

  const [first, second, third] = ['城市帶', '城中帶', '城東帶'];
  expect(
    said(
      read(
        '城人帶',
        [first, second, third].map((text) => `${text}，${text}`),
      ),
    ),
  ).toEqual([]);
});

it('are read at an end by the two characters beside them', () => {
  expect(said(read('法維埃', ['蘇維埃俄國']))).toEqual(['苏']);
  expect(said(read('納瓦運', ['納瓦拉的首府']))).toEqual(['拉']);
  expect(said(read('法維', ['蘇維埃俄國']))).toEqual([]);
});

it('are told by one neighbour more where one of them says nothing', () => {
  expect(said(read('事件的策劃', ['他的計劃']))).toEqual([]);
  expect(said(read('事件的策劃', ['事件的計劃']))).toEqual(['计']);
});

it('are left alone where they are of a word of the language, say nothing, or are read otherwise already', () => {
  expect(read('現用漢語', ['通用漢語', '現代漢語'], { words: ['现用'] })).toEqual([]);
  expect(read('多在多', ['多倫多'])).toEqual([]);
  expect(read('城人帶', ['城市帶'], { settled: '人' })).toEqual([]);
});

it('are read the right way round where two stand in each other’s place, though each makes a word', () => {
  expect(said(read('薩格勒宣布言', ['薩格勒布宣言']))).toEqual(['布宣']);
  expect(said(read('薩格勒宣布言', ['薩格勒布宣言'], { words: ['宣布'] }))).toEqual(['布宣']);
  expect(said(read('中國法', ['國中'], { words: ['中国'] }))).toEqual([]);
});

const characters = Array.from('天地玄黃宇宙洪荒日月盈昃辰宿列張寒來暑往');

it('are never seen in what stands in one of the best answers as it was written, whatever it is', () => {
  const text = fc
    .array(fc.constantFrom(...Array.from('甲乙丙丁戊己，')), { minLength: 2, maxLength: 40 })
    .map((list) => list.join(''));
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), fc.nat(), fc.nat(), (texts, from, length) => {
      const whole = texts[from % texts.length]!;
      const query = whole.slice(from % whole.length, (from % whole.length) + 1 + (length % whole.length));
      expect(read(query, texts)).toEqual([]);
    }),
  );
});

it('are mended wherever one character of a passage is another', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: characters.length - 1 }), (at) => {
      const [query, text] = [characters.with(at, '龜').join(''), characters.join('')];
      const [meant] = tokenize(characters[at]!);
      expect(said(read(query, [text]))).toEqual([meant!.term]);
    }),
  );
});
