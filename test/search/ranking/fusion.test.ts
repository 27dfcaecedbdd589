import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Embedder } from '../../../src/embed/embedder.ts';
import type { SearchMode } from '../../../src/search/document-index.ts';
import { openSqliteIndex } from '../../../src/search/sqlite/sqlite-index.ts';
import type { TaskId } from '../../../src/tasks/task.ts';
import { simulatedEmbedders } from '../../support/simulated-embedders.ts';
import { stageDocument } from '../../support/staged-document.ts';

const subjects = 'engine wing court contract kitten river harvest bread'.split(' ');
const aspects = 'price repair history weight colour owner origin danger'.split(' ');
const said = 'report note table summary page chapter list answer record minute'.split(' ');

/** A text for each pair of a subject and an aspect, beside those that only mention them; and the question that it answers. */
const texts = subjects.flatMap((subject, i) =>
  aspects.map((aspect, j) => {
    const others = [subjects[(i + j + 1) % subjects.length], aspects[(i + j + 1) % aspects.length], said[(i + j) % said.length]];
    return `The ${aspect} of the ${subject} is told in the ${others[2]}, which also has the ${others[0]} and its ${others[1]}.`;
  }),
);
const questions = subjects.flatMap((subject, i) =>
  aspects.map((aspect, j) => ({ question: `${subject} ${aspect}`, right: `${i * aspects.length + j}` })),
);

describe('words and vectors together', () => {
  let folder: string;
  let n = 0;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fusion-'));
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** nDCG@10 of the questions, each with one right answer, in two modes. */
  async function ndcg(embedder: Embedder, asked = questions) {
    const index = openSqliteIndex({ indexDir: join(folder, embedder.id), embedder });
    const vectors = await embedder.embed(texts, 'passage');
    for (const [i, text] of texts.entries()) {
      const dir = join(folder, `staged-${++n}`);
      await mkdir(dir);
      const version = `0190a0b0-0000-7000-8000-${String(n).padStart(12, '0')}` as TaskId;
      const staged = { docId: `${i}`, version, texts: [text], embedder: embedder.id, vectors: [vectors[i]!] };
      await index.replace(await stageDocument(dir, staged), dir);
    }
    const of = async (mode: SearchMode): Promise<number> => {
      let sum = 0;
      for (const { question, right } of asked) {
        const { hits } = await index.search({ query: question, mode, topK: 10, offset: 0, filter: {} });
        const place = hits.findIndex(({ docId }) => docId === right);
        sum += place < 0 ? 0 : 1 / Math.log2(place + 2);
      }
      return sum / asked.length;
    };
    const figures = { keyword: await of('keyword'), hybrid: await of('hybrid') };
    await index.close();
    return figures;
  }

  it.each(['random', 'hubs', 'reversed', 'constant', 'words'] as const)(
    'are never worse than the words alone by more than 0.005: %s',
    async (name) => {
      const { keyword, hybrid } = await ndcg(simulatedEmbedders()[name]);
      expect(keyword).toBeGreaterThan(0.5);
      expect(hybrid).toBeGreaterThanOrEqual(keyword - 0.005);
    },
  );

  it('find what the words alone do not, where the model knows more than them', async () => {
    const unworded = new Map(questions.map(({ right }, i) => [`zyx${i} vut${i}`, right]));
    const model = simulatedEmbedders((question) => (unworded.has(question) ? [texts[Number(unworded.get(question))]!] : [])).model;
    const asked = [...unworded].filter((_, i) => i % 8 === 0).map(([question, right]) => ({ question, right }));
    const { keyword, hybrid } = await ndcg(model, asked);
    expect(keyword).toBe(0);
    expect(hybrid).toBeGreaterThan(0.8);
  });
});
