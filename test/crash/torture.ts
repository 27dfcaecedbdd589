/**
 * Everything that must not lose a task, one table after the other, with the seed that repeats it.
 * `npm run torture` (minutes), `npm run torture -- --short` (for CI), `npm run soak` (long). Exit code 1 when anything is wrong.
 */
import { parseArgs } from 'node:util';
import { runContention } from './contention.ts';
import { runFailpoints } from './failpoints.ts';
import { runKills } from './kills.ts';
import { runNthOperation } from './nth-operation.ts';
import { runPowerLoss } from './power-loss.ts';

const sizes = {
  short: { kills: 20, stops: 10, points: 25, every: 60, cuts: 40, tasks: 1000, retained: 10_000 },
  full: { kills: 200, stops: 100, points: 1000, every: 1, cuts: 200, tasks: 10_000, retained: 100_000 },
  soak: { kills: 1000, stops: 500, points: 1000, every: 1, cuts: 2000, tasks: 50_000, retained: 100_000 },
};

const { values } = parseArgs({
  options: { short: { type: 'boolean', default: false }, soak: { type: 'boolean', default: false }, seed: { type: 'string' } },
});
const size = sizes[values.short ? 'short' : values.soak ? 'soak' : 'full'];
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const parts: [string, () => Promise<boolean>][] = [
  ['random kills and stops (R1, R10)', () => runKills({ ...size, seed })],
  ['named points × faults (R2, R10)', () => runFailpoints({ pointsMax: size.points, seed })],
  ['the k-th operation fails (R3)', () => runNthOperation({ every: size.every, seed })],
  ['power cuts (R6)', () => runPowerLoss({ points: size.cuts, seed })],
  ['contention and cost (R8)', () => runContention(size)],
];
const results: { part: string; ok: boolean; seconds: number }[] = [];
for (const [part, run] of parts) {
  console.log(`\n== ${part}`);
  const startedAt = performance.now();
  const ok = await run();
  results.push({ part, ok, seconds: Math.round((performance.now() - startedAt) / 1000) });
}
console.table(results);
console.log(`seed ${seed}`);
process.exit(results.every(({ ok }) => ok) ? 0 : 1);
