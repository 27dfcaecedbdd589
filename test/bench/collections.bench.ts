/**
 * Many small collections beside one with as many documents, and a search in one while another grows:
 * `npm run bench -- collections [COLLECTIONS] [DOCUMENTS each] [CHUNKS of the one that grows] [FOLDER]`.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultSettings } from '../../src/documents/collection.ts';
import { scopedId } from '../../src/documents/document-name.ts';
import { createBuiltinEmbedder } from '../../src/embed/builtin-embedder.ts';
import { openSqliteIndex, type SqliteIndex } from '../../src/search/sqlite/sqlite-index.ts';
import type { TaskId } from '../../src/tasks/task.ts';
import { stageDocument } from '../support/staged-document.ts';
import { startServer } from '../support/server.ts';
import type { Bench, Row } from './bench.ts';
import { childrenOf, cpuSeconds, percentile, residentBytes, round } from './process-figures.ts';

const rounds = 5;
const searches = 300;

export const bench: Bench = {
  title: `median of ${rounds} starts in ms (and of CPU) until ready, MB at rest and after searches, ms of a list and of one; search p50 before and after another collection grew`,
  argsAmongAll: ['200', '20', '5000'],
  async run([collections = '2000', documents = '20', chunks = '100000', folder = tmpdir()]) {
    const names = Array.from({ length: Number(collections) }, (_, n) => `c${n}`);
    const place = await mkdtemp(join(folder, 'rag-collections-'));
    try {
      const [one, many] = [join(place, 'one'), join(place, 'many')];
      await fill(one, ['default'], names.length * Number(documents));
      await fill(many, names, Number(documents));
      const [single, several] = await measure([
        { dataDir: one, names: ['default'] },
        { dataDir: many, names },
      ]);
      return [
        { what: 'one collection', ...single },
        { what: `${collections} collections`, ...several },
        { what: 'ratio', ...ratios(several, single) },
        await whileAnotherGrows(join(place, 'grows'), Number(chunks)),
      ];
    } finally {
      await rm(place, { recursive: true, force: true });
    }
  },
};

type Figures = {
  readonly 'start ms': number;
  readonly 'start CPU ms': number;
  readonly 'MB at rest': number;
  readonly 'MB after searches': number;
  readonly 'list ms': number;
  readonly 'one ms': number;
};

function ratios(several: Figures, single: Figures): Row {
  const share = (what: keyof Figures): number => Math.round((100 * several[what]) / single[what]) / 100;
  return {
    'start ms': share('start ms'),
    'start CPU ms': share('start CPU ms'),
    'MB at rest': share('MB at rest'),
    'MB after searches': share('MB after searches'),
    'list ms': round(several['list ms'] / several['one ms']),
  };
}

let count = 0;

async function put(index: SqliteIndex, dir: string, collection: string, texts: readonly string[]): Promise<void> {
  count += 1;
  const version = `0190a0b0-0000-7000-8000-${String(count).padStart(12, '0')}` as TaskId;
  const staged = join(dir, 'staged');
  await rm(staged, { recursive: true, force: true });
  await mkdir(staged, { recursive: true });
  await index.replace(await stageDocument(staged, { docId: scopedId({ collection, docId: `d${count}` }), version, texts }), staged);
}

async function fill(dir: string, names: readonly string[], documents: number): Promise<void> {
  await mkdir(join(dir, 'collections'), { recursive: true });
  const index = openSqliteIndex({ indexDir: join(dir, 'index'), embedder: createBuiltinEmbedder() });
  for (const name of names) {
    const record = {
      name,
      title: null,
      description: null,
      createdAt: '2026-01-01T00:00:00.000Z',
      settings: defaultSettings,
      rereadUpTo: null,
    };
    await writeFile(join(dir, 'collections', `${name}.json`), JSON.stringify(record));
  }
  for (let n = 0; n < documents; n += 1) {
    for (const name of names)
      await put(index, dir, name, [`The albatross of note ${n} is word${count % 5000} and thing${count % 777}`]);
    if (names.length > 1 || n % 500 === 0) while (index.tidy());
  }
  index.setRebuildState('done');
  await index.close();
}

type Place = { readonly dataDir: string; readonly names: readonly string[] };

/** Starts of the two take turns, so that what else this machine does falls on both. */
async function measure(places: readonly [Place, Place]): Promise<readonly [Figures, Figures]> {
  const starts = new Map(places.map((place) => [place, { ms: [] as number[], cpuMs: [] as number[] }]));
  // One of each that is not counted: it makes what the directory lacks.
  for (let turn = 0; turn <= rounds; turn += 1)
    for (const place of places) {
      const { ms, cpuMs } = await started(place);
      if (turn > 0) starts.get(place)!.ms.push(ms);
      if (turn > 0) starts.get(place)!.cpuMs.push(cpuMs);
    }
  const [one, other] = places;
  return [await figures(one), await figures(other)];

  async function figures(place: Place): Promise<Figures> {
    const { ms, cpuMs } = starts.get(place)!;
    const times = { 'start ms': Math.round(percentile(ms, 0.5)), 'start CPU ms': Math.round(percentile(cpuMs, 0.5)) };
    return { ...times, ...(await atWork(place)) };
  }
}

/** Until it is ready: by the clock, and of all its processes together. */
async function started({ dataDir }: Place): Promise<{ ms: number; cpuMs: number }> {
  const startedAt = performance.now();
  const server = await startServer({ dataDir });
  const ms = performance.now() - startedAt;
  const pids = [server.process.pid!, ...childrenOf(server.process.pid!)];
  const cpuMs = 1000 * pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  await server.stop();
  return { ms, cpuMs };
}

async function atWork({ dataDir, names }: Place): Promise<Omit<Figures, 'start ms' | 'start CPU ms'>> {
  const server = await startServer({ dataDir });
  const rest = memory(server.process.pid!);
  for (let n = 0; n < searches; n += 1) await search(server.url, names[(n * 7) % names.length]!);
  const timed = async (path: string): Promise<number> => {
    const laps: number[] = [];
    for (let n = 0; n < 21; n += 1) {
      const at = performance.now();
      await (await fetch(server.url + path)).text();
      laps.push(performance.now() - at);
    }
    return round(percentile(laps, 0.5));
  };
  const lists = { 'list ms': await timed('/collections'), 'one ms': await timed(`/collections/${names[0]!}`) };
  const searched = memory(server.process.pid!);
  await server.stop();
  return { 'MB at rest': rest, 'MB after searches': searched, ...lists };
}

function memory(pid: number): number {
  return Math.round([pid, ...childrenOf(pid)].reduce((sum, each) => sum + residentBytes(each), 0) / 2 ** 20);
}

async function search(url: string, collection: string): Promise<void> {
  const body = JSON.stringify({ query: 'albatross note', collection });
  await (await fetch(`${url}/search`, { method: 'POST', body, headers: { 'content-type': 'application/json' } })).text();
}

/** In one process, without HTTP: what the index itself takes. */
async function whileAnotherGrows(dir: string, chunks: number): Promise<Row> {
  const index = openSqliteIndex({ indexDir: join(dir, 'index'), embedder: createBuiltinEmbedder() });
  for (let n = 0; n < 200; n += 1) await put(index, dir, 'small', [`The albatross of note ${n} is word${n}`]);
  while (index.tidy());
  const before = await searchP50(index);
  const texts = Array.from({ length: 100 }, (_, n) => `The albatross of note ${n} in the large one, word${n} and thing${n * 3}`);
  for (let n = 0; n < chunks / 100; n += 1) {
    await put(index, dir, 'large', texts);
    if (n % 50 === 0) while (index.tidy());
  }
  while (index.tidy());
  const after = await searchP50(index);
  await index.close();
  const ratio = Math.round((100 * after) / before) / 100;
  return {
    what: `search in 200 documents while another grew to ${chunks} chunks`,
    'p50 ms before': round(before),
    'p50 ms after': round(after),
    ratio,
  };
}

async function searchP50(index: SqliteIndex): Promise<number> {
  const laps: number[] = [];
  for (let n = 0; n < 400; n += 1) {
    const at = performance.now();
    await index.search({
      query: `albatross note word${n % 200}`,
      mode: 'hybrid',
      topK: 10,
      offset: 0,
      filter: {},
      collection: 'small',
    });
    laps.push(performance.now() - at);
  }
  return percentile(laps.slice(100), 0.5);
}
