/**
 * MiniSearch (BM25 in memory, in one process, nothing on the disk) with the same texts and questions as `search.bench.ts`, in a
 * process of its own. `node search-peer.ts CHUNKS QUESTIONS`; sends one row of figures.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createText, documentTexts, question } from './made-text.ts';
import { percentile, residentBytes, round } from './process-figures.ts';

type MiniSearch = { add(document: { id: number; text: string }): void; search(query: string): unknown[] };
type Module = { default?: new (options: object) => MiniSearch } & (new (options: object) => MiniSearch);

const [chunks, questions] = process.argv.slice(2).map(Number) as [number, number];
const loaded = createRequire(join(import.meta.dirname, 'peers', 'package.json'))('minisearch') as Module;
const index = new (loaded.default ?? loaded)({ fields: ['text'] });

const text = createText(7);
let indexingMs = 0;
for (let id = 0; id < chunks;) {
  text.words(5);
  for (const each of documentTexts(text, 20)) {
    const started = performance.now();
    index.add({ id: id++, text: each });
    indexingMs += performance.now() - started;
  }
}
const asked = createText(11);
const times = Array.from({ length: questions }, (_, i) => {
  const started = performance.now();
  index.search(question(asked, i));
  return performance.now() - started;
});
process.send?.({
  what: 'MiniSearch, 1 caller, idle',
  'chunks/s': Math.round((chunks / indexingMs) * 1000),
  'p50 ms': round(percentile(times, 0.5)),
  'p99 ms': round(percentile(times, 0.99)),
  'RSS MB': Math.round(residentBytes(process.pid) / 1e6),
});
