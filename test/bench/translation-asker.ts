/** A process that asks an index of a program with or without the dictionary (`translation.bench.ts`), and tells its parent what that cost. */
import { openProgram } from './translation-program.ts';
import { percentile, residentBytes } from './process-figures.ts';

export type Asked = {
  readonly p50: number;
  readonly cpu: number;
  /** Of the process, with what its runtime keeps for the next question. */
  readonly bytes: number;
  /** Of them, what is still in use when no question is asked. */
  readonly held: number;
};

const [main, folder, translates, ...sets] = process.argv.slice(2) as [string, string, string, ...string[]];
const warmQuestions = 20;

const index = await openProgram(main, folder, translates === 'on');
const figures: Asked[] = [];
for (const set of sets) {
  const questions = JSON.parse(set) as string[];
  for (const query of questions.slice(0, warmQuestions)) await ask(query);
  const times: number[] = [];
  const before = process.cpuUsage();
  for (const query of questions) {
    const started = performance.now();
    await ask(query);
    times.push(performance.now() - started);
  }
  const { user, system } = process.cpuUsage(before);
  globalThis.gc?.();
  figures.push({
    p50: percentile(times, 0.5),
    cpu: (user + system) / 1000 / questions.length,
    bytes: residentBytes(process.pid),
    held: heldBytes(),
  });
}
await index.close();
process.send?.(figures);

function heldBytes(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function ask(query: string): Promise<void> {
  await index.search({ query, mode: 'hybrid', topK: 10, offset: 0, filter: {} });
}
