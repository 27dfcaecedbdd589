/**
 * `npm run eval -- FOLDER [--typos] [--homophones] [--others] [--swaps] [--queries N] [--keep FOLDER] [--also PREFIX=FOLDER]… [--unrelated OTHER] [--vectors NAME]`: how well the product finds, measured through its own pipeline. FOLDER holds
 * `docs.jsonl` {id, title, text}, `queries.jsonl` {id, text} and `qrels.tsv` (query-id, corpus-id, score). Every document is
 * parsed, chunked, embedded and indexed as an upload would be; a document is as good as its best chunk. Beside it, plain BM25
 * (k1 1.2, b 0.75) over whole documents with their titles, computed here in a few lines. `--typos` adds the same with one typing error a query.
 * `--homophones`: one Chinese character a question is another that sounds like it; `--others`: any other of the questions' characters; `--swaps`: two
 * neighbours stand in each other's place. What an error costs where nothing is repaired: `keyword`.
 * `--keep`: the index stays there, and is taken from there the next time. `--also`: the questions of another folder as well, whose documents
 * are among these under ids with that prefix. Beside each mode stands what it has over plain BM25 in nDCG@10, beside `keyword` what `hybrid` has over it, with paired bootstrap intervals (95 %).
 * `--vectors`: a simulated embedder (`simulated-embedders.ts`) in place of the configured one;
 * `--unrelated` adds what relevance tells apart (`relevance.ts`), with the questions of another such folder as the unrelated ones.
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config.ts';
import { createEmbedder, embedderSettings } from '../../src/embed/create-embedder.ts';
import { type SearchMode, searchModes } from '../../src/search/document-index.ts';
import { openSqliteIndex, type SqliteIndex } from '../../src/search/sqlite/sqlite-index.ts';
import { stopWords } from '../../src/search/analysis/stop-words.ts';
import { tokenize } from '../../src/search/analysis/tokens.ts';
import { type EvaluatedFile, fillIndex } from './fill-index.ts';
import { type SimulatedEmbedder, simulatedEmbedders } from '../support/simulated-embedders.ts';
import { relevanceFigures } from './relevance.ts';
import { dictionaryFor } from '../../src/search/translation/dictionary.ts';

type Doc = { readonly id: string; readonly title?: string; readonly text: string };
type Query = { readonly id: string; readonly text: string };
type Collection = {
  readonly docs: readonly Doc[];
  readonly queries: readonly Query[];
  /** Grades by document, by query. */
  readonly grades: ReadonlyMap<string, ReadonlyMap<string, number>>;
};
/** Document ids, best first. */
type Finder = (query: string) => Promise<string[]> | string[];

const depth = 100;
const pagesMax = 3;

if (import.meta.main) {
  const [folder, ...options] = process.argv.slice(2);
  if (folder === undefined) {
    console.error(
      'Usage: npm run eval -- FOLDER [--typos] [--queries N] [--keep FOLDER] [--also PREFIX=FOLDER]… [--unrelated OTHER] [--vectors NAME]',
    );
    process.exit(2);
  }
  const values = (name: string) => options.flatMap((option, i) => (option === name ? [options[i + 1] ?? ''] : []));
  await evaluate(folder, {
    typos: options.includes('--typos'),
    homophones: options.includes('--homophones'),
    others: options.includes('--others'),
    swaps: options.includes('--swaps'),
    queriesMax: Number(values('--queries')[0] ?? Infinity),
    keep: values('--keep')[0] ?? null,
    unrelated: values('--unrelated')[0] ?? null,
    vectors: (values('--vectors')[0] as SimulatedEmbedder | undefined) ?? null,
    also: values('--also').map((value) => value.split('=') as [string, string]),
  });
}

type Options = {
  readonly typos: boolean;
  readonly homophones: boolean;
  readonly others: boolean;
  readonly swaps: boolean;
  readonly queriesMax: number;
  /** Where the index stays. */
  readonly keep: string | null;
  readonly unrelated: string | null;
  readonly vectors: SimulatedEmbedder | null;
  /** Prefixes of ids, and folders whose questions are asked as well. */
  readonly also: readonly (readonly [string, string])[];
};

async function evaluate(folder: string, options: Options): Promise<void> {
  const collection = await loadCollection(folder, options.queriesMax);
  const config = loadConfig(process.env);
  const embedder =
    options.vectors === null
      ? await createEmbedder(embedderSettings(config))
      : simulatedEmbedders(answersIn(collection))[options.vectors];
  const work = options.keep ?? (await mkdtemp(join(tmpdir(), 'eval-')));
  const kept = existsSync(join(work, 'index'));
  await mkdir(work, { recursive: true });
  const index = openSqliteIndex({ indexDir: join(work, 'index'), embedder, translates: config.translate });
  try {
    const started = performance.now();
    if (!kept) await fillIndex(filesOf(collection.docs), { work, config, embedder, index });
    const { chunks } = await index.stats();
    console.log(
      `${collection.docs.length} documents, ${chunks} chunks in ${Math.round(performance.now() - started)} ms; embedder ${embedder.id}`,
    );
    const finders: [string, Finder][] = [['plain BM25', plainBm25(collection.docs)]];
    for (const mode of searchModes) finders.push([mode, (query) => findDocuments(index, mode, query)]);
    console.table(await table(collection, finders, (query) => query));
    if (options.homophones) {
      console.log('one character a question that sounds like the right one');
      console.table(await table(collection, finders, soundAlike));
    }
    if (options.others) {
      console.log('one character a question that is any other');
      console.table(await table(collection, finders, anyOther(collection.queries)));
    }
    if (options.swaps) {
      console.log('two Chinese characters a question in each other’s place');
      console.table(await table(collection, finders, swapNeighbours));
    }
    for (const [prefix, other] of options.also) {
      console.log(`questions of ${other}`);
      console.table(
        await table(await withQuestionsOf(collection.docs, [prefix, other], options.queriesMax), finders, (query) => query),
      );
    }
    if (options.typos) {
      console.log('one typing error a query');
      console.table(await table(collection, finders, mistype));
    }
    if (options.unrelated !== null) {
      const tenth = openSqliteIndex({ indexDir: join(work, 'tenth'), embedder });
      const few = collection.docs.filter((_, i) => i % 10 === 0);
      await fillIndex(filesOf(few), { work, config, embedder, index: tenth });
      const isRight = (query: string, docId: string) => (collection.grades.get(query)?.get(docId) ?? 0) > 0;
      const unrelated = (await loadCollection(options.unrelated, options.queriesMax)).queries;
      console.table(await relevanceFigures({ index, tenth, queries: collection.queries, isRight, unrelated }));
      await tenth.close();
    }
  } finally {
    await index.close();
    if (options.keep === null) await rm(work, { recursive: true, force: true });
  }
}

/** The questions of another folder, asked of these documents. */
async function withQuestionsOf(
  docs: readonly Doc[],
  [prefix, folder]: readonly [string, string],
  queriesMax: number,
): Promise<Collection> {
  const { queries, grades } = await loadCollection(folder, queriesMax);
  const renamed = [...grades].map(
    ([query, known]) => [query, new Map([...known].map(([id, grade]) => [prefix + id, grade]))] as const,
  );
  return { docs, queries, grades: new Map(renamed) };
}

async function loadCollection(folder: string, queriesMax: number): Promise<Collection> {
  const lines = async (name: string) =>
    (await readFile(join(folder, name), 'utf8')).split('\n').filter((line) => line.trim() !== '');
  const docs = (await lines('docs.jsonl')).map((line) => JSON.parse(line) as Doc);
  const grades = new Map<string, Map<string, number>>();
  for (const line of await lines('qrels.tsv')) {
    const [query, doc, grade] = line.split('\t');
    if (!Number.isFinite(Number(grade))) continue; // the heading
    const known = grades.get(query!) ?? new Map<string, number>();
    grades.set(query!, known.set(doc!, Number(grade)));
  }
  const judged = (await lines('queries.jsonl')).map((line) => JSON.parse(line) as Query).filter((query) => grades.has(query.id));
  const step = Math.max(1, Math.ceil(judged.length / queriesMax));
  return { docs, queries: judged.filter((_, i) => i % step === 0), grades };
}

function filesOf(docs: readonly Doc[]): EvaluatedFile[] {
  return docs.map((doc, i) => ({
    docId: doc.id,
    filename: `${i}.md`,
    bytes: doc.title ? `# ${doc.title.replaceAll('\n', ' ')}\n\n${doc.text}\n` : `${doc.text}\n`,
  }));
}

/** The texts that answer a question. */
function answersIn({ docs, queries, grades }: Collection): (question: string) => string[] {
  const texts = new Map(docs.map((doc) => [doc.id, wholeText(doc)]));
  const ids = new Map(queries.map(({ id, text }) => [text, id]));
  const isRight = ([, grade]: [string, number]) => grade > 0;
  return (question) => [...(grades.get(ids.get(question) ?? '') ?? [])].filter(isRight).flatMap(([id]) => texts.get(id) ?? []);
}

/** Hits are chunks, so that as many documents take a few pages of them. */
async function findDocuments(index: SqliteIndex, mode: SearchMode, query: string): Promise<string[]> {
  const found = new Set<string>();
  for (let page = 0; page < pagesMax && found.size < depth; page++) {
    const { hits } = await index.search({ query, mode, topK: depth, offset: page * depth, filter: {} });
    for (const hit of hits) found.add(hit.docId);
    if (hits.length < depth) break;
  }
  return [...found].slice(0, depth);
}

async function table(
  collection: Collection,
  finders: readonly [string, Finder][],
  change: (query: string, i: number) => string,
): Promise<Record<string, unknown>> {
  const rows: Record<string, unknown> = {};
  let plain: readonly number[] | null = null;
  let hybrid: readonly number[] | null = null;
  for (const [name, find] of finders) {
    const sums = { ndcg: 0, recall10: 0, recall100: 0, mrr: 0 };
    const times: number[] = [];
    const gains: number[] = [];
    for (const [i, query] of collection.queries.entries()) {
      const started = performance.now();
      const found = await find(change(query.text, i));
      times.push(performance.now() - started);
      const before = sums.ndcg;
      addScores(sums, found, collection.grades.get(query.id)!);
      gains.push(sums.ndcg - before);
    }
    const mean = (sum: number) => (sum / collection.queries.length).toFixed(4);
    times.sort((a, b) => a - b);
    rows[name] = {
      'nDCG@10': mean(sums.ndcg),
      'recall@10': mean(sums.recall10),
      'recall@100': mean(sums.recall100),
      MRR: mean(sums.mrr),
      'p50 ms': times[Math.floor(times.length / 2)]!.toFixed(1),
      'over plain BM25': plain === null ? '' : intervalOf(gains.map((gain, i) => gain - plain![i]!)),
      'hybrid over this': name === 'keyword' && hybrid !== null ? intervalOf(gains.map((gain, i) => hybrid![i]! - gain)) : '',
    };
    plain ??= gains;
    if (name === 'hybrid') hybrid = gains;
  }
  return rows;
}

function addScores(
  sums: { ndcg: number; recall10: number; recall100: number; mrr: number },
  found: readonly string[],
  grades: ReadonlyMap<string, number>,
): void {
  const relevant = [...grades.values()].filter((grade) => grade > 0);
  const gain = (list: readonly number[]) => list.slice(0, 10).reduce((sum, grade, i) => sum + grade / Math.log2(i + 2), 0);
  const got = found.map((id) => Math.max(0, grades.get(id) ?? 0));
  const hits = (count: number) => got.slice(0, count).filter((grade) => grade > 0).length / Math.max(1, relevant.length);
  sums.ndcg += relevant.length === 0 ? 0 : gain(got) / gain(relevant.sort((a, b) => b - a));
  sums.recall10 += hits(10);
  sums.recall100 += hits(100);
  const first = got.findIndex((grade) => grade > 0);
  sums.mrr += first < 0 ? 0 : 1 / (first + 1);
}

/** The mean of differences, with the interval that holds 95 % of the means of as many drawn from them. */
function intervalOf(differences: readonly number[]): string {
  const random = randomFrom(42);
  const meanOf = (pick: (i: number) => number) => differences.reduce((sum, _, i) => sum + pick(i), 0) / differences.length;
  const means = Array.from({ length: 1000 }, () => meanOf(() => differences[random(differences.length)]!)).sort((a, b) => a - b);
  const shown = (value: number) => (value < 0 ? '' : '+') + value.toFixed(4);
  return `${shown(meanOf((i) => differences[i]!))} (${shown(means[25]!)} … ${shown(means[974]!)})`;
}

function plainBm25(docs: readonly Doc[]): Finder {
  const postings = new Map<string, Map<number, number>>();
  const lengths = docs.map((doc, i) => {
    const terms = termsOf(wholeText(doc));
    for (const term of terms) {
      const list = postings.get(term) ?? new Map<number, number>();
      postings.set(term, list.set(i, (list.get(i) ?? 0) + 1));
    }
    return terms.length;
  });
  const average = lengths.reduce((sum, length) => sum + length, 0) / docs.length;
  return (query) => {
    const scores = new Map<number, number>();
    for (const term of termsOf(query)) {
      const list = postings.get(term) ?? new Map<number, number>();
      const idf = Math.log(1 + (docs.length - list.size + 0.5) / (list.size + 0.5));
      for (const [doc, count] of list) {
        const part = (idf * count * 2.2) / (count + 1.2 * (0.25 + (0.75 * lengths[doc]!) / average));
        scores.set(doc, (scores.get(doc) ?? 0) + part);
      }
    }
    return [...scores]
      .sort((a, b) => b[1] - a[1])
      .slice(0, depth)
      .map(([doc]) => docs[doc]!.id);
  };
}

function wholeText({ title, text }: Doc): string {
  return !title || text.startsWith(title) ? text : `${title}\n${text}`;
}

function termsOf(text: string): string[] {
  return tokenize(text)
    .filter((token) => token.kind !== 'stop')
    .map((token) => token.term);
}

/** One error in one word of four letters or more (a letter left out, put in, replaced or swapped), else in one Chinese character. */
function mistype(query: string, i: number): string {
  const random = randomFrom(i + 1);
  const words = [...query.matchAll(/[a-z]{4,}/gi)].filter(([word]) => !stopWords.has(word.toLowerCase()));
  const [match] = words.length > 0 ? [words[random(words.length)]!] : [...query.matchAll(/\p{Script=Han}{2,}/gu)];
  if (match === undefined) return query;
  const word = match[0];
  const at = words.length > 0 ? 1 + random(word.length - 1) : random(word.length - 1);
  const letter = words.length > 0 ? String.fromCharCode(97 + random(26)) : '的';
  const errors = [
    word.slice(0, at) + word.slice(at + 1),
    word.slice(0, at) + letter + word.slice(at),
    word.slice(0, at) + letter + word.slice(at + 1),
    word.slice(0, at - 1) + word.slice(at, at + 1) + word.slice(at - 1, at) + word.slice(at + 1),
  ];
  return query.slice(0, match.index) + errors[at === 0 ? random(3) : random(4)]! + query.slice(match.index + word.length);
}

/** One Chinese character replaced by another that sounds like it. */
function soundAlike(query: string, i: number): string {
  const random = randomFrom(i + 1);
  const places = [...query.matchAll(/\p{Script=Han}/gu)].filter(([character]) => homophonesOf(character).length > 0);
  const place = places[random(Math.max(1, places.length))];
  if (place === undefined) return query;
  const others = homophonesOf(place[0]).slice(0, 10);
  return query.slice(0, place.index) + others[random(others.length)]! + query.slice(place.index + place[0].length);
}

/** One Chinese character replaced by any other, as common as they are in the questions. */
function anyOther(queries: readonly Query[]): (query: string, i: number) => string {
  const common = queries.flatMap(({ text }) => text.match(/\p{Script=Han}/gu) ?? []);
  return (query, i) => {
    const random = randomFrom(i + 77);
    const places = [...query.matchAll(/\p{Script=Han}/gu)];
    const place = places[random(Math.max(1, places.length))];
    const drawn = Array.from({ length: 8 }, () => common[random(Math.max(1, common.length))]);
    const other = drawn.find((character) => character !== place?.[0]);
    if (place === undefined || other === undefined) return query;
    return query.slice(0, place.index) + other + query.slice(place.index + place[0].length);
  };
}

/** Two Chinese characters that stand side by side, in each other's place. */
function swapNeighbours(query: string, i: number): string {
  const random = randomFrom(i + 1);
  const runs = [...query.matchAll(/\p{Script=Han}{2,}/gu)];
  const run = runs[random(Math.max(1, runs.length))];
  if (run === undefined) return query;
  const characters = Array.from(run[0]);
  const at = random(characters.length - 1);
  const swapped = characters.with(at, characters[at + 1]!).with(at + 1, characters[at]!);
  return query.slice(0, run.index) + swapped.join('') + query.slice(run.index + run[0].length);
}

function homophonesOf(character: string): readonly string[] {
  return dictionaryFor()()?.homophones(tokenize(character)[0]?.term ?? character) ?? [];
}

/** Whole numbers below a bound, the same for the same seed (xorshift). */
function randomFrom(seed: number): (below: number) => number {
  let state = (seed * 2_654_435_761) >>> 0;
  return (below) => {
    for (let i = 0; i < 3; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state = (state ^ (state << 5)) >>> 0;
    }
    return state % below;
  };
}
