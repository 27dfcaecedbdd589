/**
 * `npm run eval:everyday -- FOLDER… [--keep WORK] [--show]`: what everyday questions find in folders of everyday files. The questions of
 * `everyday-questions.json` are about the public folders that its first member names; each says words of the passage that answers it. A hit is
 * right when its text has them, wherever it lies, whatever the spaces and the markup. Printed: how many questions find it
 * among the first hit, three and ten; how many answers have one text twice in ten; `--show`: what stood before it.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { loadConfig } from '../../src/config.ts';
import { createEmbedder, embedderSettings } from '../../src/embed/create-embedder.ts';
import type { SearchHit } from '../../src/search/document-index.ts';
import { openSqliteIndex } from '../../src/search/sqlite/sqlite-index.ts';
import { type EvaluatedFile, fillIndex } from './fill-index.ts';

/** `answer`: words of the passages that answer it, each of them enough. */
type Question = { readonly question: string; readonly answer: string | readonly string[] };

const fileBytesMax = 20_000_000;

const args = process.argv.slice(2);
const keepAt = args.indexOf('--keep');
const keep = keepAt < 0 ? null : args[keepAt + 1]!;
const folders = args.filter((arg, i) => !arg.startsWith('--') && (keepAt < 0 || i !== keepAt + 1));
if (folders.length === 0) throw new Error('Usage: npm run eval:everyday -- FOLDER… [--keep WORK] [--show]');
const { questions } = JSON.parse(readFileSync(new URL('everyday-questions.json', import.meta.url), 'utf8')) as {
  questions: readonly Question[];
};

const config = loadConfig(process.env);
const embedder = await createEmbedder(embedderSettings(config));
const work = keep ?? (await mkdtemp(join(tmpdir(), 'everyday-')));
const isKept = existsSync(join(work, 'index'));
await mkdir(work, { recursive: true });
const index = openSqliteIndex({ indexDir: join(work, 'index'), embedder, translates: config.translate });
if (!isKept) await fillIndex(filesBelow(folders), { work, config, embedder, index });
const { documents, chunks } = await index.stats();
console.log(`${documents} documents, ${chunks} chunks`);
console.table(await figures());
await index.close();
if (keep === null) await rm(work, { recursive: true, force: true });

function* filesBelow(all: readonly string[]): Generator<EvaluatedFile> {
  for (const folder of all) {
    const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .toSorted();
    for (const path of paths) {
      if (statSync(path).size > fileBytesMax) continue;
      yield { docId: relative(folder, path).slice(-200), filename: basename(path), bytes: readFileSync(path) };
    }
  }
}

async function figures(): Promise<Record<string, unknown>> {
  const rows: Record<string, { questions: number; first: number; 'of 3': number; 'of 10': number; 'texts twice': number }> = {};
  for (const { question, answer } of questions) {
    const { hits } = await index.search({ query: question, mode: 'hybrid', topK: 10, offset: 0, filter: {} });
    const at = hits.findIndex((hit) => isAnswer(hit, answer));
    const isTwice = new Set(hits.map(({ text }) => plain(text))).size < hits.length;
    for (const name of [/\p{Script=Han}/u.test(question) ? 'Chinese' : 'English', 'all']) {
      const row = (rows[name] ??= { questions: 0, first: 0, 'of 3': 0, 'of 10': 0, 'texts twice': 0 });
      row.questions += 1;
      if (at === 0) row.first += 1;
      if (at >= 0 && at < 3) row['of 3'] += 1;
      if (at >= 0) row['of 10'] += 1;
      if (isTwice) row['texts twice'] += 1;
    }
    if (args.includes('--show') && (at < 0 || at > 2 || isTwice)) show(question, at, hits);
  }
  return rows;
}

function isAnswer(hit: SearchHit, answer: Question['answer']): boolean {
  const text = plain(hit.text);
  return [answer].flat().some((words) => text.includes(plain(words)));
}

/** Letters and digits alone. */
function plain(text: string): string {
  return text.replace(/[^\p{L}\p{N}]+/gu, '').toLowerCase();
}

function show(question: string, at: number, hits: readonly SearchHit[]): void {
  console.log(`\n${at < 0 ? 'not in ten' : `place ${at + 1}`}: ${question}`);
  for (const [i, hit] of hits.slice(0, at < 0 ? 5 : at + 1).entries())
    console.log(
      `  ${i + 1} ${hit.docId} [${hit.section.join(' › ').slice(0, 60)}] ${hit.text.replaceAll(/\s+/g, ' ').slice(0, 140)}`,
    );
}
