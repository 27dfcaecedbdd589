/** What a question needs to know of a whole collection is asked for, and nothing else. */
import { expect, it } from 'vitest';
import { tokenize } from '../../../src/search/analysis/tokens.ts';
import type { SearchMode } from '../../../src/search/document-index.ts';
import { searchedAmong } from '../../../src/search/following/candidates.ts';
import { CollectionFacts } from '../../../src/search/following/collection-facts.ts';
import { drive, readQuestion, type Scene } from '../../../src/search/following/following-ranking.ts';
import { unstoppable } from '../../../src/search/stop.ts';

/** A searcher of a collection where words are as common as said, that keeps what it is asked. */
function watchedSearcher(common: Readonly<Record<string, number>>, words: readonly string[] = []) {
  const asked = { terms: [] as string[], words: [] as string[] };
  const searcher = {
    async count(_collection: string, terms: readonly string[]) {
      asked.terms.push(...terms);
      return new Map(terms.map((term) => [term, common[term] ?? 0]));
    },
    async wordsLike(_collection: string, word: string) {
      asked.words.push(word);
      return words;
    },
  };
  return { searcher, asked };
}

async function readTerms(
  query: string,
  { searcher }: ReturnType<typeof watchedSearcher>,
  { mode = 'hybrid', dictionary = () => null }: { mode?: SearchMode; dictionary?: Scene['dictionary'] } = {},
): Promise<string[]> {
  const facts = new CollectionFacts(searcher, 'all');
  const scene: Scene = {
    searched: searchedAmong([], new Map(), 1000, facts),
    facts,
    text: () => '',
    headings: () => '',
    dictionary,
  };
  const { own } = await drive(scene, unstoppable, readQuestion({ query, mode, topK: 10, offset: 0, filter: {} }, scene));
  return own.map(({ term }) => term);
}

it('words are not asked for while a step lacks counts, by which they may be common', async () => {
  const watched = watchedSearcher({ manual: 500 }, ['manuel']);
  const facts = new CollectionFacts(watched.searcher, 'all');
  const near = await facts.complete(() => (facts.count('manual') > 0 ? null : facts.neighbours('manual', [], () => true)));

  expect(near).toBeNull();
  expect(watched.asked).toEqual({ terms: ['manual'], words: [] });
});

it('words are asked for once the counts say that they are rare', async () => {
  const watched = watchedSearcher({}, ['manual']);
  const facts = new CollectionFacts(watched.searcher, 'all');
  const near = await facts.complete(() => (facts.count('manaul') > 0 ? null : facts.neighbours('manaul', [], () => true)));

  expect(near).toEqual(['manual']);
  expect(watched.asked.words).toEqual(['manaul']);
});

it('of a question whose words are all common none is asked for', async () => {
  const watched = watchedSearcher({ pump: 300, pressur: 400, manual: 500 });

  expect(await readTerms('pump pressure manual', watched)).toEqual(['pump', 'pressur', 'manual']);
  expect(watched.asked.words).toEqual([]);
});

it('of a question with a typing error the word that is wrong is asked for alone', async () => {
  const watched = watchedSearcher({ pump: 300, manual: 500 }, ['manual']);

  expect(await readTerms('pump manaul', watched)).toEqual(['pump', 'manual']);
  expect(watched.asked.words).toEqual(['manaul']);
});

it('of a Chinese question that is right nothing is counted but its own terms and what tells how many chunks are in its language, and nothing is looked up in the dictionary', async () => {
  const common = Object.fromEntries(tokenize('行政法院').map(({ term }) => [term, 100]));
  const watched = watchedSearcher(common);
  let opened = 0;
  await readTerms('行政法院', watched, {
    mode: 'vector',
    dictionary() {
      opened += 1;
      return null;
    },
  });

  expect(watched.asked.terms.toSorted()).toEqual([...Object.keys(common), 'the', '的'].sort());
  expect(opened).toBe(0);
});
