/** What a searcher that follows is asked for one question. */
import { expect, it } from 'vitest';
import { createBuiltinEmbedder } from '../../../src/embed/builtin-embedder.ts';
import { createFollowingAnswers } from '../../../src/search/following/following-answers.ts';
import type { FollowingSearcher, TermQuestion } from '../../../src/search/following/following-searcher.ts';
import { unstoppable } from '../../../src/search/stop.ts';

const candidate = { id: 1, document: 1, title: null, text: 'The pump of the well', context: '', section: [] };

/** Of a thousand chunks that have the words, of which it shows one; all that it was asked to find. */
function manyFound() {
  const asked: TermQuestion[] = [];
  const searcher = {
    async find(question: TermQuestion) {
      asked.push(question);
      return { chunks: [1], total: 1000 };
    },
    count: async (_collection: string, terms: readonly string[]) => new Map(terms.map((term) => [term, term === '的' ? 0 : 1000])),
    wordsLike: async () => [],
  } as Partial<FollowingSearcher> as FollowingSearcher;
  const view = { chunks: async () => 2000, candidates: async () => [candidate] };
  const answers = createFollowingAnswers(searcher, { embedder: createBuiltinEmbedder(), translates: false });
  const ask = (offset: number) =>
    answers.answer(
      { query: 'pump', mode: 'hybrid', topK: 10, offset, filter: {} },
      { collection: 'all', documents: null, view, stop: unstoppable },
    );
  return { asked, ask };
}

it('is asked once where nothing widens the question and the first page shows no more than was found', async () => {
  const { asked, ask } = manyFound();

  await ask(0);
  expect(asked.map(({ limit }) => limit)).toEqual([256]);
});

it('is asked for more of the same for a later page', async () => {
  const { asked, ask } = manyFound();

  await ask(200);
  expect(asked.map(({ limit }) => limit)).toEqual([256, 1024]);
});
