/**
 * `npm run bench -- asks [CHUNKS]`: what whole questions of common words cost beside version 0.1.0, each version with an index of its own of the same texts, and
 * through a filter that leaves 1 %. All are asked by turns in one process, so that whoever else works on the machine slows all of them.
 */
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBuiltinEmbedder } from '../../src/embed/builtin-embedder.ts';
import type { SearchFilter, SearchMode } from '../../src/search/document-index.ts';
import { openSqliteIndex, type SqliteIndex } from '../../src/search/sqlite/sqlite-index.ts';
import type { TaskId } from '../../src/tasks/task.ts';
import { checkOut } from '../crash/rolling.ts';
import { stageDocument } from '../support/staged-document.ts';
import { tempDir } from '../support/temp-dir.ts';
import type { Bench, Row } from './bench.ts';
import { createText, documentTexts, question } from './made-text.ts';
import { percentile, round } from './process-figures.ts';

const documentChunks = 20;
const questions = 100;
/** They read what is kept afterwards: an index that is asked all day has read the common words. */
const warmQuestions = 200;
const onePercent: SearchFilter = { filters: { type: 'lt', key: 'percent', value: 1 } };

export const bench: Bench = {
  title: `CPU ms of a question, median of ${questions}, beside version 0.1.0 and through a filter that leaves 1 %`,
  argsAmongAll: ['2000'],
  async run([chunks = '100000']) {
    await using dir = await tempDir(tmpdir());
    const old = join(checkOut(dir.path), '..', 'search', 'sqlite-index.ts');
    const openOld = ((await import(old)) as { openSqliteIndex: typeof openSqliteIndex }).openSqliteIndex;
    const before = await filled(openOld, join(dir.path, 'before'), Number(chunks));
    const now = await filled(openSqliteIndex, join(dir.path, 'now'), Number(chunks));
    const rows: Row[] = [];
    for (const mode of ['keyword', 'hybrid'] as const) rows.push(await compare(mode, before, now));
    await Promise.all([before.close(), now.close()]);
    return rows;
  },
};

async function filled(open: typeof openSqliteIndex, folder: string, chunks: number): Promise<SqliteIndex> {
  const text = createText(7);
  await mkdir(folder);
  const index = open({ indexDir: folder, embedder: createBuiltinEmbedder() });
  for (let number = 0; number < chunks / documentChunks; number += 1) {
    await using place = await tempDir(tmpdir());
    const document = await stageDocument(place.path, {
      docId: `d${number}`,
      version: `0190a0b0-0000-7000-8000-${String(number).padStart(12, '0')}` as TaskId,
      texts: documentTexts(text, documentChunks),
      metadata: { percent: number % 100 },
    });
    await index.replace(document, place.path);
    while (index.tidy());
  }
  return index;
}

async function compare(mode: SearchMode, before: SqliteIndex, now: SqliteIndex): Promise<Row> {
  const text = createText(11);
  const asked = { before: [] as number[], now: [] as number[], filtered: [] as number[] };
  for (let number = 0; number < warmQuestions + questions; number += 1) {
    const query = question(text, number);
    const laps = [
      ['before', before, {}],
      ['now', now, {}],
      ['filtered', now, onePercent],
    ] as const;
    for (const [name, index, filter] of number % 2 === 0 ? laps : laps.toReversed()) {
      const cpu = process.cpuUsage();
      await index.search({ query, mode, topK: 10, offset: 0, filter });
      const { user, system } = process.cpuUsage(cpu);
      if (number >= warmQuestions) asked[name].push((user + system) / 1000);
    }
  }
  const median = (name: keyof typeof asked): number => percentile(asked[name], 0.5);
  return {
    what: mode,
    '0.1.0': round(median('before')),
    now: round(median('now')),
    'now ÷ 0.1.0': round(median('now') / median('before')),
    filtered: round(median('filtered')),
    'filtered ÷ all': round(median('filtered') / median('now')),
  };
}
