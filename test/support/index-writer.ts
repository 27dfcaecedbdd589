/**
 * A process that replaces documents as fast as it can, for tests that kill it: `node index-writer.ts FOLDER NAME`.
 * Each version of a document says in every chunk which version it is, and how many chunks it has. Prints a line for each
 * replace that was acknowledged, after it was. Every other one goes in slices, a chunk or a block at a time.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createBuiltinEmbedder } from '../../src/embed/builtin-embedder.ts';
import type { IndexedDocument } from '../../src/search/document-index.ts';
import { PostingsBuilder } from '../../src/search/index/postings.ts';
import { replaceInSlices } from '../../src/search/sqlite/slices.ts';
import { openSqliteIndex } from '../../src/search/sqlite/sqlite-index.ts';
import type { TaskId } from '../../src/tasks/task.ts';
import { stageDocument } from './staged-document.ts';

const [folder, name] = process.argv.slice(2) as [string, string];
const documents = 5;
const index = openSqliteIndex({ indexDir: join(folder, 'index'), embedder: createBuiltinEmbedder() });

function inSlices(document: IndexedDocument, dir: string, texts: readonly string[]): Promise<string> {
  const builder = new PostingsBuilder(document.title);
  for (const text of texts) builder.add({ text, context: '', section: [] });
  return replaceInSlices(index, document, { folder: dir, postings: builder.done(), bytesMax: 1 });
}

for (;;) {
  // The monotonic clock in microseconds is one for all processes, so that each of them is the newer one by turns.
  const n = Number(process.hrtime.bigint() / 1000n);
  const docId = `d${n % documents}`;
  const version = `0190a0b0-0000-7000-8000-${String(n).padStart(12, '0')}` as TaskId;
  const chunks = 1 + (n % 7);
  const dir = join(folder, `staged-${name}`);
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir);
  const texts = Array.from({ length: chunks }, (_, i) => `common words, version v${n}v of ${chunks} chunks, part ${i}`);
  const document = await stageDocument(dir, { docId, version, texts });
  const replacing = n % 2 === 0 ? index.replace(document, dir) : inSlices(document, dir, texts);
  if ((await replacing) === 'ok') process.stdout.write(`${docId} ${version}\n`);
  index.tidy();
}
