/**
 * `npm run bench -- citations FOLDER`: is the right page cited? Every PDF under FOLDER is taken in; the 100 questions are
 * sentences from their pages, chosen by script and spread over the documents. A sentence that stands on more than one page of
 * all the documents (a running header, a licence, the same paper twice) has no page of its own and is no question; copies of one
 * file count as one. Right is a hit among the first three on the sentence's own page. Each hit's text is compared with the
 * document's content at its offsets.
 */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import type { Chunk } from '../../src/chunk/chunk.ts';
import { splitDocument } from '../../src/chunk/splitter.ts';
import { loadConfig } from '../../src/config.ts';
import { createBuiltinEmbedder } from '../../src/embed/builtin-embedder.ts';
import { runPipeline } from '../../src/ingest/pipeline.ts';
import { createDocumentParser } from '../../src/parse/document-parser.ts';
import { openSqliteIndex, type SqliteIndex } from '../../src/search/sqlite/sqlite-index.ts';
import type { TaskId } from '../../src/tasks/task.ts';
import type { Bench, Row } from './bench.ts';
import { undescribed } from '../../src/tasks/given.ts';

const questionsCount = 100;

type Taken = { readonly docId: string; readonly sha256: string; readonly content: string; readonly chunks: readonly Chunk[] };
type Question = { readonly text: string; readonly sha256: string; readonly page: number };

export const bench: Bench = {
  title: 'sentences of PDFs, asked for: is their page among the first three citations?',
  async run([folder]) {
    if (folder === undefined) return [{ what: 'give a folder of PDFs' }];
    const work = await mkdtemp(join(tmpdir(), 'citations-'));
    const index = openSqliteIndex({ indexDir: join(work, 'index'), embedder: createBuiltinEmbedder() });
    try {
      const taken = await takeIn(folder, work, index);
      const questions = chooseQuestions(taken);
      return [await judge(index, questions, new Map(taken.map((each) => [each.docId, each])))];
    } finally {
      await index.close();
      await rm(work, { recursive: true, force: true });
    }
  },
};

async function takeIn(folder: string, work: string, index: SqliteIndex): Promise<Taken[]> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.toLowerCase().endsWith('.pdf')).sort();
  const parser = createDocumentParser({});
  const config = loadConfig({});
  const taken: Taken[] = [];
  for (const [i, docId] of names.entries()) {
    const payloadPath = join(folder, docId);
    const scratchDir = join(work, String(i));
    await mkdir(scratchDir);
    const bytes = await readFile(payloadPath);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const { port1, port2 } = new MessageChannel();
    port2.unref();
    const job = {
      taskId: `0190a0b0-0000-7000-8000-${String(i).padStart(12, '0')}` as TaskId,
      ordinal: 0,
      docId,
      filename: docId,
      fileBytes: bytes.length,
      sha256,
      declaredMediaType: null,
      ...undescribed,
      insertedAt: new Date(Date.UTC(2026, 0, 1) + i).toISOString(),
      payloadPath,
      scratchDir,
      port: port1,
    };
    const outcome = await runPipeline(job, {
      parser,
      toChunks: (document) => splitDocument(document, { tokensMax: config.chunkTokens }),
      embedder: createBuiltinEmbedder(),
      reading: { limits: config, chunkTokensMax: config.chunkTokens, ocrLanguages: [] },
    });
    if (!outcome.ok) continue;
    await index.replace(outcome.document, scratchDir);
    const lines = (await readFile(join(scratchDir, 'chunks.ndjson'), 'utf8')).split('\n').filter((line) => line !== '');
    const content = await readFile(join(scratchDir, 'content.md'), 'utf8');
    taken.push({ docId, sha256, content, chunks: lines.map((line) => JSON.parse(line) as Chunk) });
    index.tidy();
  }
  return taken;
}

/** Sentences of 8 to 30 words (or 15 to 60 Chinese characters) from chunks that stand on one page, by turns from each document. */
function chooseQuestions(taken: readonly Taken[]): Question[] {
  const files = [...new Map(taken.map((each) => [each.sha256, each])).values()];
  const pages = files.flatMap(pagesOf);
  const standsOnce = ({ text }: Question): boolean => pages.filter((page) => page.includes(oneLine(text))).length === 1;
  const waiting = files.map((file) => shuffled(candidatesOf(file)));
  const chosen: Question[] = [];
  while (chosen.length < questionsCount && waiting.some((questions) => questions.length > 0)) {
    for (const questions of waiting) {
      let question = questions.pop();
      while (question !== undefined && !standsOnce(question)) question = questions.pop();
      if (question !== undefined && chosen.length < questionsCount) chosen.push(question);
    }
  }
  return chosen;
}

function candidatesOf({ sha256, chunks }: Taken): Question[] {
  return chunks
    .filter((chunk) => chunk.page !== null && chunk.page === chunk.pageEnd)
    .flatMap((chunk) => sentencesOf(chunk.text).map((text) => ({ text, sha256, page: chunk.page! })));
}

/** The text of each page of a document. */
function pagesOf({ chunks }: Taken): string[] {
  const pages = new Map<number, string>();
  for (const { page, pageEnd, text } of chunks) {
    for (let n = page ?? 0; n <= (pageEnd ?? 0); n++) pages.set(n, `${pages.get(n) ?? ''} ${oneLine(text)}`);
  }
  return [...pages.values()];
}

/** The same order in every run, and nothing of a document's own order in it. */
function shuffled(questions: readonly Question[]): Question[] {
  const keyOf = ({ text, page }: Question) => createHash('sha256').update(`${page} ${text}`).digest('hex');
  return questions
    .map((question) => ({ question, key: keyOf(question) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ question }) => question);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}

function sentencesOf(text: string): string[] {
  return text
    .split(/(?<=[.?!。？！])\s*|\n+/)
    .map((sentence) => sentence.trim())
    .filter((sentence) => {
      const words = sentence.split(/\s+/).filter((word) => /^\p{L}{2,}/u.test(word)).length;
      return (words >= 8 && words <= 30) || /^[\p{Script=Han}，、]{15,60}/u.test(sentence);
    });
}

async function judge(index: SqliteIndex, questions: readonly Question[], taken: ReadonlyMap<string, Taken>): Promise<Row> {
  let first = 0;
  let firstThree = 0;
  let hitsCount = 0;
  let exact = 0;
  for (const { text, sha256, page } of questions) {
    const { hits } = await index.search({ query: text, mode: 'hybrid', topK: 10, offset: 0, filter: {} });
    const right = hits.findIndex((hit) => taken.get(hit.docId)!.sha256 === sha256 && hit.page! <= page && page <= hit.pageEnd!);
    if (right === 0) first++;
    if (right >= 0 && right < 3) firstThree++;
    hitsCount += hits.length;
    exact += hits.filter((hit) => taken.get(hit.docId)!.content.slice(hit.start, hit.end) === hit.text).length;
  }
  return {
    documents: taken.size,
    questions: questions.length,
    'right page first': first,
    'right page in the first three': firstThree,
    hits: hitsCount,
    'hits equal to the content': exact,
  };
}
