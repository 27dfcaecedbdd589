import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBuiltinEmbedder } from '../../../src/embed/builtin-embedder.ts';
import type { Embedder } from '../../../src/embed/embedder.ts';
import { type IndexedDocument, type SearchMode, searchModes } from '../../../src/search/document-index.ts';
import { openSqliteIndex, type SqliteIndex } from '../../../src/search/sqlite/sqlite-index.ts';
import { editDistance } from '../../../src/search/analysis/vocabulary.ts';
import type { TaskId } from '../../../src/tasks/task.ts';
import { stageDocument } from '../../support/staged-document.ts';

const version = (n: number): TaskId => `0190a0b0-0000-7000-8000-${String(n).padStart(12, '0')}` as TaskId;

describe('the order of the hits', () => {
  let folder: string;
  let index: SqliteIndex;
  let n: number;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ranking-'));
    index = openSqliteIndex({ indexDir: join(folder, 'index'), embedder: createBuiltinEmbedder() });
    n = 0;
  });

  afterEach(async () => {
    await index.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function put(docId: string, texts: readonly string[], change: Partial<IndexedDocument> & { section?: string[] } = {}) {
    const dir = join(folder, `staged-${++n}`);
    await mkdir(dir);
    await index.replace(await stageDocument(dir, { docId, version: version(n), texts, ...change }), dir);
  }

  async function found(query: string, mode: SearchMode = 'hybrid', topK = 10): Promise<string[]> {
    return (await index.search({ query, mode, topK, offset: 0, filter: {} })).hits.map((hit) => hit.docId);
  }

  it.each(['aerodynmaic', 'aerodynamc', 'aerodinamic', 'aerodynnamic'])('forgives a typing error: %s', async (query) => {
    await put('right', ['the aerodynamic centre of a wing']);
    await put('other', ['the thermodynamic state of a gas']);
    expect(await found(`${query} centre`)).toEqual(['right']);
    expect(await found(query)).toEqual(['right']);
    expect(await found(query, 'keyword')).toEqual([]);
  });

  it.each([
    ['youtube', 'YouTube'],
    ['AIRPODS', 'AirPods'],
    ['iphone', 'iPhone'],
    ['getusernames', 'getUserNames'],
  ])('finds a word that a text writes with capitals inside, and takes it for no error: %s, %s', async (query, written) => {
    await put('right', [`what the manual of ${written} says`]);
    await put('other', ['the phone and the tubes of others have names and pods']);

    for (const mode of ['hybrid', 'keyword'] as const) {
      const { hits, shownFor } = await index.search({ query, mode, topK: 10, offset: 0, filter: {} });
      expect(hits[0]).toMatchObject({ docId: 'right', relevance: 1 });
      expect(hits[0]!.highlights.map(([from, to]) => hits[0]!.text.slice(from, to))).toEqual([written]);
      expect(shownFor ?? null).toBe(null);
    }
  });

  it.each(['一万二千五百元', '百分之二十五', '二〇二四年三月十五日'])(
    'takes no sign of a number that some text has for an error: %s',
    async (query) => {
      await put('right', ['合同总价为 12,500元，首付比例为25%，签订日期为2024年3月15日。']);
      await put('other', ['百分之二十五的人付了一万二十元，二〇二四年五月十三日。']);

      const { hits, shownFor } = await index.search({ query, mode: 'hybrid', topK: 10, offset: 0, filter: {} });
      expect(hits.map(({ docId }) => docId)).toContain('right');
      expect(shownFor).toBe(null);
    },
  );

  it('marks the word that was meant', async () => {
    await put('a', ['the aerodynamic centre']);
    const { hits } = await index.search({ query: 'aerodynmaic', mode: 'hybrid', topK: 1, offset: 0, filter: {} });
    expect(hits[0]!.highlights.map(([from, to]) => hits[0]!.text.slice(from, to))).toEqual(['aerodynamic']);
  });

  it('puts words that stand together before words that stand apart', async () => {
    await put('apart', ['contract law was old and the court of that century had no say about supreme matters of state there']);
    await put('together', ['of that century the supreme court had no say about old matters of state and contract law was there']);
    expect((await found('supreme court'))[0]).toBe('together');
  });

  it.each(['keyword', 'hybrid'] as const)('puts what has a quoted phrase word for word first: %s', async (mode) => {
    await put('near', ['the art of the state: state art, state art, state art']);
    await put('exact', [
      'Much is said of old books and older paintings here, and this one is called State of the Art by some people.',
    ]);
    expect(await found('art state', mode)).toEqual(['near', 'exact']);
    expect(await found('"state of the art"', mode)).toEqual(['exact', 'near']);
    await put('近', ['法院行政，行政法院院长，法院之行政']);
    await put('正', ['许多年以前这里有人说过很多话，后来大家都知道「最高行政法院」是什么意思，也就不再问了']);
    expect(await found('“最高行政法院”', mode)).toEqual(['正', '近']);
    expect((await found('「最高行政法院」', mode))[0]).toBe('正');
  });

  it('finds by title and by heading', async () => {
    await put('titled', ['plain text'], { title: 'Quarterly report' });
    await put('headed', ['plain text'], { section: ['Appendix', 'Tolerances'] });
    expect(await found('quarterly')).toEqual(['titled']);
    expect(await found('tolerance')).toEqual(['headed']);
  });

  it('does not let one document fill the page, and still gives all its hits', async () => {
    await put(
      'long',
      Array.from({ length: 30 }, (_, i) => `apple apple apple ${i}`),
    );
    for (let i = 0; i < 10; i++) await put(`short-${i}`, [`an apple among other fruit ${i}`]);
    const page = await found('apple');
    expect(page.filter((docId) => docId === 'long')).toHaveLength(3);
    expect((await found('apple', 'hybrid', 40)).filter((docId) => docId === 'long')).toHaveLength(30);
  });

  it('reads a long question to its end', async () => {
    const said = Array.from({ length: 400 }, (_, i) => String.fromCharCode(0x4e00 + 7 * i)).join('');
    await put('beginning', [said.slice(0, 60)]);
    await put('most', [said.slice(60)]);
    expect(await found(said, 'keyword')).toEqual(['most', 'beginning']);
  });

  it('prefers the document that has more to say about it, of two whose best chunks are alike', async () => {
    await put('once', ['the lift of a wing in a stream', 'bread is made of flour and of water']);
    await put('twice', ['the lift of a wing in a stream', 'a wing is made of wood and of cloth']);
    expect((await found('wing lift', 'keyword'))[0]).toBe('twice');
  });

  it('widens a question by what its best answers share, behind what it asked for', async () => {
    for (let i = 0; i < 6; i++) await put(`both-${i}`, [`lift of a wing grows with circulation, case ${i}`]);
    await put('related', ['circulation is caused by the case of a vortex']);
    for (let i = 0; i < 40; i++) await put(`unrelated-${i}`, [`bread number ${i} is made of flour`]);
    expect((await found('wing lift', 'vector')).sort()).toEqual([...Array.from({ length: 6 }, (_, i) => `both-${i}`), 'related']);
    expect((await found('wing lift')).at(-1)).toBe('related');
    expect(await found('wing lift', 'keyword')).not.toContain('related');
  });

  it('keeps finding the same after segments were merged and documents replaced', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            doc: fc.integer({ min: 0, max: 5 }),
            words: fc.array(fc.constantFrom('red', 'green', 'blue', '红色', '绿色'), { maxLength: 4 }),
          }),
          { minLength: 10, maxLength: 25 },
        ),
        async (steps) => {
          const current = new Map<string, readonly string[]>();
          for (const { doc, words } of steps) {
            await put(`d${doc}`, words);
            current.set(`d${doc}`, words);
            index.tidy();
          }
          for (let doc = 0; doc <= 5; doc++) if (!current.has(`d${doc}`)) await index.remove(`d${doc}`, ++n);
          for (const word of ['red', 'green', 'blue', '红色', '绿色']) {
            const expected = [...current].flatMap(([docId, words]) => words.filter((each) => each === word).map(() => docId));
            const { hits, total } = await index.search({ query: word, mode: 'keyword', topK: 100, offset: 0, filter: {} });
            const exact = hits.filter((hit) => hit.text === word).map((hit) => hit.docId);
            expect(exact.sort()).toEqual(expected.sort());
            expect(total).toBeGreaterThanOrEqual(expected.length);
          }
        },
      ),
      { numRuns: 15 },
    );
    expect(index.check()).toEqual([]);
  });
});

/** Two indexes of the same documents, of which one was merged at other times than the other, if ever. */
describe('answers and merges', () => {
  const words = ['red', 'green', 'blue', 'greek', 'bleu', '红色', '绿色', 'of the'];
  const anyText = fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 6 }).map((chosen) => chosen.join(' '));
  const anyStep = fc.record({
    doc: fc.integer({ min: 0, max: 24 }),
    texts: fc.array(anyText, { minLength: 0, maxLength: 3 }),
    merges: fc.boolean(),
  });
  const letters: Embedder = {
    id: 'letters',
    dimensions: 32,
    embed: async (texts) =>
      texts.map((text) => Float32Array.from({ length: 32 }, (_, i) => (text.charCodeAt(0) % 32 === i ? 1 : -0.1))),
  };

  it.each([createBuiltinEmbedder(), letters])(
    'are the same and show every hit once, whatever was merged between two pages: $id',
    async (embedder) => {
      await fc.assert(
        fc.asyncProperty(fc.array(anyStep, { minLength: 20, maxLength: 60 }), async (steps) => {
          const folder = await mkdtemp(join(tmpdir(), 'merges-'));
          const open = (name: string): SqliteIndex => openSqliteIndex({ indexDir: join(folder, name), embedder });
          const [scattered, merged] = [open('scattered'), open('merged')];
          for (const [n, { doc, texts, merges }] of steps.entries()) {
            const dir = await mkdtemp(join(folder, 'staged-'));
            const vectors =
              embedder.dimensions === 0 ? {} : { vectors: await embedder.embed(texts, 'passage'), embedder: embedder.id };
            const staged = await stageDocument(dir, { docId: `d${doc}`, version: version(n + 1), texts, ...vectors });
            for (const index of [scattered, merged]) expect(await index.replace(staged, dir)).toBe('ok');
            if (merges) while (merged.tidy());
          }
          while (merged.tidy());

          for (const query of ['red', 'gren', 'bule green', '红色 blue', '"red green" blue', 'of the'])
            for (const mode of searchModes) {
              const seen: string[] = [];
              for (let offset = 0; ; offset += 7) {
                const asked = { query, mode, topK: 7, offset, filter: {} };
                const [before, after] = [await scattered.search(asked), await merged.search(asked)];
                expect({ ...after, tookMs: 0 }, `${mode}: ${query}`).toEqual({ ...before, tookMs: 0 });
                if (before.hits.length === 0) break;
                expect(before.total).toBeGreaterThanOrEqual(offset + before.hits.length);
                seen.push(...(offset % 2 === 0 ? before : after).hits.map((hit) => `${hit.version} ${hit.chunkIndex}`));
              }
              expect(new Set(seen).size, `${mode}: ${query}`).toBe(seen.length);
            }
          await Promise.all([scattered.close(), merged.close()]);
          await rm(folder, { recursive: true, force: true });
        }),
        { numRuns: 5 },
      );
    },
  );
});

describe('texts in another language', () => {
  const english = ['red', 'green', 'blue', 'stone', 'river', 'castle'];
  const chinese = ['红色', '绿色', '蓝色', '石头', '河流', '城堡'];
  const textOf = (words: readonly string[], between: string) =>
    fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 9 }).map((chosen) => chosen.join(between));
  const englishText = textOf(english, ' of the ').map((text) => `the ${text}`);
  const chineseText = textOf(chinese, '是').map((text) => `这里的${text}`);
  const bothText = textOf([...english, ...chinese], '的').map((text) => `这里是${text}`);
  const version2 = (of: number, doc: number): TaskId => version(1000 * of + doc);

  it.each([
    { own: englishText, other: chineseText, query: 'castle red river', mode: 'hybrid' },
    { own: chineseText, other: englishText, query: '城堡红色的河流', mode: 'hybrid' },
    { own: englishText, other: bothText, query: 'castle red river', mode: 'keyword' },
  ] as const)('change nothing in how texts in the language of a question are ordered and rated: $query, $mode', async (given) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(given.own, { minLength: 3, maxLength: 12 }),
        fc.array(given.other, { minLength: 1, maxLength: 30 }),
        fc.boolean(),
        async (own, other, merges) => {
          const folder = await mkdtemp(join(tmpdir(), 'languages-'));
          const index = openSqliteIndex({ indexDir: join(folder, 'index'), embedder: createBuiltinEmbedder() });
          const put = async (of: number, texts: readonly string[]): Promise<void> => {
            for (const [doc, text] of texts.entries()) {
              const dir = await mkdtemp(join(folder, 'staged-'));
              const staged = await stageDocument(dir, { docId: `${of}-${doc}`, version: version2(of, doc), texts: [text] });
              await index.replace(staged, dir);
            }
          };
          const answer = async () => {
            const { hits } = await index.search({ query: given.query, mode: given.mode, topK: 100, offset: 0, filter: {} });
            return hits
              .filter(({ docId, acrossLanguages }) => docId.startsWith('1-') && !acrossLanguages)
              .map(({ docId, score, relevance }) => ({ docId, score, relevance }));
          };
          await put(1, own);
          const alone = await answer();
          await put(2, other);
          if (merges) while (index.tidy());
          expect(await answer()).toEqual(alone);
          for (const doc of other.keys()) if (doc % 2 === 0) await index.remove(`2-${doc}`, 5000 + doc);
          expect(await answer()).toEqual(alone);
          await index.close();
          await rm(folder, { recursive: true, force: true });
        },
      ),
      { numRuns: 15 },
    );
  });
});

describe('the distance of two words', () => {
  it('counts insertions, deletions, substitutions and swaps, up to a bound', () => {
    expect(editDistance('wing', 'wing', 2)).toBe(0);
    expect(editDistance('wing', 'wign', 2)).toBe(1);
    expect(editDistance('wing', 'win', 2)).toBe(1);
    expect(editDistance('wing', 'swing', 2)).toBe(1);
    expect(editDistance('wing', 'ring', 2)).toBe(1);
    expect(editDistance('wing', 'rings', 2)).toBe(2);
    expect(editDistance('wing', 'wonderful', 2)).toBe(3);
  });
});
