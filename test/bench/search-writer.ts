/** A process that takes in documents of 20 chunks until it is killed, beside the searches of `search.bench.ts`; says how many. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createBuiltinEmbedder } from '../../src/embed/builtin-embedder.ts';
import { openSqliteIndex } from '../../src/search/sqlite/sqlite-index.ts';
import type { TaskId } from '../../src/tasks/task.ts';
import { stageDocument } from '../support/staged-document.ts';
import { createText, documentTexts } from './made-text.ts';

const [folder] = process.argv.slice(2) as [string];
const index = openSqliteIndex({ indexDir: folder, embedder: createBuiltinEmbedder() });
const text = createText(13);
for (let n = 0; ; n++) {
  const staged = join(folder, 'staged-beside');
  await rm(staged, { recursive: true, force: true });
  await mkdir(staged);
  const version = `0190a0b1-0000-7000-8000-${String(n).padStart(12, '0')}` as TaskId;
  const document = await stageDocument(staged, { docId: `beside-${n % 500}`, version, texts: documentTexts(text, 20) });
  await index.replace(document, staged);
  while (index.tidy());
  process.send?.(20);
}
