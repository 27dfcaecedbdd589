/**
 * Indexing speed and search latency. `npm run bench -- search [CHUNKS] [FOLDER]` (100,000 by default; with FOLDER the index is
 * kept there and found again). Beside it, as the limit, a plain scan of all texts for the words of the query.
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createBuiltinEmbedder } from '../../src/embed/builtin-embedder.ts';
import { openSqliteIndex, type SqliteIndex } from '../../src/search/sqlite-index.ts';
import type { TaskId } from '../../src/tasks/task.ts';
import { stageDocument } from '../support/staged-document.ts';
import type { Bench, Row } from './bench.ts';

const documentChunks = 20;
const queriesCount = 300;
const scansCount = 5;

export const bench: Bench = {
  title: 'documents of 20 chunks in, then questions of 2 to 8 words, as common as words are',
  async run([count = '100000', kept]) {
    const folder = kept ?? (await mkdtemp(join(tmpdir(), 'search-bench-')));
    await mkdir(folder, { recursive: true });
    const rows: Row[] = [];
    const text = createText(7);
    const filled = existsSync(join(folder, 'index.sqlite'));
    const index = openSqliteIndex({ indexDir: folder, embedder: createBuiltinEmbedder() });
    try {
      if (!filled) rows.push(...(await fill(index, folder, Number(count), text)));
      for (const mode of ['keyword', 'hybrid'] as const) rows.push(await ask(index, mode, createText(11)));
      rows.push(scan(folder, createText(11)));
    } finally {
      await index.close();
      if (kept === undefined) await rm(folder, { recursive: true, force: true });
    }
    return rows;
  },
};

async function fill(index: SqliteIndex, folder: string, chunks: number, text: Text): Promise<Row[]> {
  const documents = Math.ceil(chunks / documentChunks);
  const quarters = [0, 1, 2, 3].map(() => ({ chunks: 0, ms: 0, cpuMs: 0 }));
  for (let i = 0; i < documents; i++) {
    const staged = join(folder, 'staged');
    await mkdir(staged);
    const document = await stageDocument(staged, {
      docId: `d${i}`,
      version: `0190a0b0-0000-7000-8000-${String(i).padStart(12, '0')}` as TaskId,
      title: text.words(5),
      texts: Array.from({ length: documentChunks }, () => text.words(180)),
    });
    const quarter = quarters[Math.floor((4 * i) / documents)]!;
    const started = performance.now();
    const cpu = process.cpuUsage();
    await index.replace(document, staged);
    while (index.tidy());
    const used = process.cpuUsage(cpu);
    quarter.ms += performance.now() - started;
    quarter.cpuMs += (used.user + used.system) / 1000;
    quarter.chunks += documentChunks;
    await rm(staged, { recursive: true });
  }
  const rate = (quarter: (typeof quarters)[number], ms: number) => Math.round((quarter.chunks / ms) * 1000);
  const { bytes } = await index.stats();
  return [
    ...quarters.map((quarter, i) => ({
      what: `indexing, quarter ${i + 1}`,
      'chunks/s': rate(quarter, quarter.ms),
      'chunks per CPU s': rate(quarter, quarter.cpuMs),
    })),
    { what: 'index', 'bytes a chunk': Math.round(bytes / chunks) },
  ];
}

async function ask(index: SqliteIndex, mode: 'keyword' | 'hybrid', text: Text): Promise<Row> {
  const times: number[] = [];
  const cpu = process.cpuUsage();
  for (let i = 0; i < queriesCount; i++) {
    const started = performance.now();
    await index.search({ query: text.words(2 + (i % 7)), mode, topK: 10, offset: 0, filter: {} });
    times.push(performance.now() - started);
  }
  const used = process.cpuUsage(cpu);
  return {
    what: mode,
    ...percentiles(times),
    'CPU ms': ((used.user + used.system) / 1000 / queriesCount).toFixed(1),
    'RSS MB': megabytes(),
  };
}

/** What any search without an index would cost at least. */
function scan(folder: string, text: Text): Row {
  const db = new DatabaseSync(join(folder, 'index.sqlite'), { readOnly: true });
  const times: number[] = [];
  const cpu = process.cpuUsage();
  for (let i = 0; i < scansCount; i++) {
    const words = text.words(2 + (i % 7)).split(' ');
    const started = performance.now();
    let found = 0;
    for (const row of db.prepare('SELECT text FROM chunk').iterate()) {
      if (words.some((word) => (row['text'] as string).includes(word))) found++;
    }
    if (found < 0) throw new Error('unreachable');
    times.push(performance.now() - started);
  }
  const used = process.cpuUsage(cpu);
  db.close();
  return {
    what: 'plain scan of the texts',
    ...percentiles(times),
    'CPU ms': ((used.user + used.system) / 1000 / scansCount).toFixed(1),
  };
}

function percentiles(times: number[]): { 'p50 ms': string; 'p99 ms': string } {
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))]!.toFixed(1);
  return { 'p50 ms': at(0.5), 'p99 ms': at(0.99) };
}

function megabytes(): number {
  return Math.round(process.memoryUsage.rss() / 1024 / 1024);
}

type Text = { words(count: number): string };

/** Made words, as common as Zipf says: the 100 commonest fill half of the text, 50,000 others the rest. */
function createText(seed: number): Text {
  let state = seed;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const vocabulary = 50_000;
  return {
    words: (count) => Array.from({ length: count }, () => word(Math.floor(Math.exp(random() * Math.log(vocabulary))))).join(' '),
  };
}

const syllables = [
  'ba',
  'ce',
  'di',
  'fo',
  'gu',
  'ha',
  'je',
  'ki',
  'lo',
  'mu',
  'na',
  'pe',
  'ri',
  'so',
  'tu',
  'va',
  'we',
  'xi',
  'yo',
  'zu',
];

function word(rank: number): string {
  let rest = rank + 400;
  let made = '';
  while (rest > 0) {
    made += syllables[rest % syllables.length]!;
    rest = Math.floor(rest / syllables.length);
  }
  return made;
}
