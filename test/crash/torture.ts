/**
 * Everything that must not lose a task, one table after the other, with the seed that repeats it. `npm run torture` (half an
 * hour: every figure is judged), `npm run torture -- --short` (minutes, for CI: times are printed, not judged; some parts at once), `npm run
 * soak` (hours). `--only kills` runs one part. Exit code 1 when anything is wrong.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { runCancels } from './cancels.ts';
import { runClock } from './clock.ts';
import { runClockHistories } from './clock-histories.ts';
import { runContention } from './contention.ts';
import { runFailover } from './failover.ts';
import { runFailpoints } from './failpoints.ts';
import { runGracefulStop } from './graceful-stop.ts';
import { runKills } from './kills.ts';
import { runBackups, runModel } from './model.ts';
import { runMoving } from './moving.ts';
import { runNthOperation } from './nth-operation.ts';
import { runPoison } from './poison.ts';
import { runPostgresCrashes } from './postgres-crashes.ts';
import { runPowerLoss } from './power-loss.ts';
import { runRedisCrashes } from './redis-crashes.ts';
import { runRolling } from './rolling.ts';
import { runWatching } from './watching.ts';
import { runServerKills } from './server-kills.ts';
import { runSoak } from './soak.ts';
import { runTrouble } from './trouble.ts';
import { runUnfinished } from './unfinished.ts';
import { runUploads } from './uploads.ts';
import { leaks } from '../support/leaks.ts';

const short = {
  kills: { kills: 20, stops: 10 },
  servers: { kills: 2 },
  points: 8,
  nth: { every: 30, errnos: 'one' },
  cuts: 40,
  jumps: ['+10y'],
  clockHistories: 50,
  contention: { tasks: 300, retained: 3000 },
  modelRuns: 30,
  backupRuns: 30,
  uploads: { aborts: 40, dribblers: 10, halfOpen: 5 },
  unfinished: { sockets: 600 },
  cancelRounds: 1,
  postgres: { tasks: 40, kills: 5, restarts: 1, latencies: 20, judged: false },
  redis: { tasks: 40, kills: 5, restarts: 1, latencies: 20, judged: false },
  moving: { documents: 20, tasks: 5, kills: 1 },
  trouble: { lastsMs: 0, judged: false },
  failover: { rounds: 2, networks: false, judged: false },
  watching: { files: 100, changes: 60 },
  soak: { seconds: 10, rate: 20 },
} as const;

const full = {
  kills: { kills: 200, stops: 100 },
  servers: { kills: 20 },
  points: 1000,
  nth: { every: 1, errnos: 'all' },
  cuts: 200,
  jumps: ['-2h', '+2h', '+10y'],
  clockHistories: 1000,
  contention: { tasks: 10_000, retained: 100_000 },
  modelRuns: 300,
  backupRuns: 200,
  uploads: { aborts: 200, dribblers: 50, halfOpen: 20 },
  unfinished: { sockets: 4096 },
  cancelRounds: 10,
  postgres: { tasks: 200, kills: 34, restarts: 5, latencies: 200, judged: true },
  redis: { tasks: 200, kills: 34, restarts: 5, latencies: 200, judged: true },
  moving: { documents: 1000, tasks: 50, kills: 3 },
  trouble: { lastsMs: 15_000, judged: true },
  failover: { rounds: 12, networks: true, judged: true },
  watching: { files: 5000, changes: 1000 },
  soak: { seconds: 300, rate: 20 },
} as const;

const soak = {
  ...full,
  kills: { kills: 1000, stops: 500 },
  servers: { kills: 200 },
  cuts: 2000,
  modelRuns: 2000,
  backupRuns: 2000,
  soak: { seconds: 3600, rate: 20 },
} as const;

const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    soak: { type: 'boolean', default: false },
    seed: { type: 'string' },
    only: { type: 'string' },
  },
});
const size = values.short ? short : values.soak ? soak : full;
const seed = Number(values.seed ?? Date.now() % 1_000_000);

type Part = { readonly what: string; readonly run: () => boolean | Promise<boolean> };

const parts: Record<string, Part> = {
  uploads: { what: 'broken and slow uploads (R11)', run: () => runUploads({ ...size.uploads, seed }) },
  unfinished: { what: 'requests that never come in, on every route', run: () => runUnfinished(size.unfinished) },
  kills: { what: 'random kills and stops (R1, R10)', run: () => runKills({ ...size.kills, seed }) },
  servers: {
    what: 'servers killed under uploads, searches, lists and forced cancels',
    run: () => runServerKills({ ...size.servers, seed }),
  },
  failpoints: { what: 'named points × faults (R2, R10)', run: () => runFailpoints({ pointsMax: size.points, seed }) },
  nth: { what: 'the k-th operation fails (R3)', run: () => runNthOperation({ ...size.nth, seed }) },
  power: { what: 'power cuts (R6)', run: () => runPowerLoss({ points: size.cuts, seed }) },
  clock: { what: 'the clock is set (R7)', run: () => runClock({ jumps: size.jumps, seed }) },
  clocks: {
    what: 'histories of uploads by clocks that differ and step',
    run: () => runClockHistories({ histories: size.clockHistories, seed }),
  },
  contention: { what: 'contention and cost (R8)', run: () => runContention(size.contention) },
  model: { what: 'the engine against a model (R9)', run: () => runModel({ runs: size.modelRuns, seed }) },
  backup: {
    what: 'backups beside every kind of change',
    run: () => runBackups({ runs: size.backupRuns, seed }),
  },
  cancels: {
    what: 'cancel in every stage (R13)',
    run: () => runCancels({ rounds: size.cancelRounds, seed, judged: !values.short }),
  },
  poison: { what: 'poisonous documents (R14)', run: runPoison },
  stop: { what: 'graceful stop (R15)', run: runGracefulStop },
  postgres: {
    what: 'the PostgreSQL engine: workers and server killed',
    run: () => runPostgresCrashes({ ...size.postgres, seed }),
  },
  redis: { what: 'the Redis engine: workers and server killed', run: () => runRedisCrashes({ ...size.redis, seed }) },
  move: { what: 'moves from engine to engine, killed', run: () => runMoving({ ...size.moving, seed }) },
  trouble: { what: 'trouble of the database and of Redis', run: () => runTrouble(size.trouble) },
  failover: {
    what: 'a standby of PostgreSQL promoted under load',
    run: () => runFailover({ ...size.failover, seed }),
  },
  rolling: { what: 'version 0.1.0 and this one on the same data', run: runRolling },
  watching: { what: 'a folder followed, server and watcher killed', run: () => runWatching({ ...size.watching, seed }) },
  soak: { what: 'steady work (R16)', run: () => runSoak(size.soak) },
};
/** A short run leaves out what `npm test` shows on a smaller scale, what says something only as a time, and what takes version 0.1.0 out of the history. */
const leftOut = 'unfinished nth power clocks trouble rolling watching move contention failover'.split(' ');
const usual = Object.keys(parts).filter((name) => !values.short || !leftOut.includes(name));
const chosen = values.only === undefined ? usual : values.only.split(',');
const unknown = chosen.find((name) => parts[name] === undefined);
if (unknown !== undefined) throw new Error(`--only ${unknown}: expected some of ${Object.keys(parts).join(', ')}`);
/** Most parts wait most of the time, and a short run judges none: each runs in a process of its own then, the longest first, some at once. */
const atOnce = values.short && chosen.length > 1 ? availableParallelism() + 1 : 1;
const longestFirst = ['uploads', 'servers', 'postgres', 'redis', 'kills', 'move', 'cancels', 'poison', 'stop', 'soak'];

/** What the parts that failed printed, for whoever sees the end of a long log only. */
const failed: string[] = [];

const results = atOnce === 1 ? await inTurn() : await sideBySide();
for (const printed of failed) console.log(printed);
console.table(results);
console.log(`seed ${seed}`);
for (const line of leaks.slice(0, 10)) console.log(`a secret in a log: ${line}`);
process.exit(results.every(({ ok }) => ok) && leaks.length === 0 ? 0 : 1);

type Result = { readonly part: string; readonly ok: boolean; readonly seconds: number };

async function inTurn(): Promise<Result[]> {
  const done: Result[] = [];
  for (const name of chosen) done.push(await timed(name, (part) => runHere(part)));
  return done;
}

async function sideBySide(): Promise<Result[]> {
  const waiting = [
    ...longestFirst.filter((name) => chosen.includes(name)),
    ...chosen.filter((name) => !longestFirst.includes(name)),
  ];
  const done: Result[] = [];
  const next = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift())
      done.push(await timed(name, () => runApart(name!)));
  };
  await Promise.all(Array.from({ length: atOnce }, next));
  return done;
}

async function timed(name: string, run: (part: Part) => Promise<boolean>): Promise<Result> {
  const part = parts[name]!;
  const startedAt = performance.now();
  const ok = await run(part);
  return { part: part.what, ok, seconds: Math.round((performance.now() - startedAt) / 1000) };
}

async function runHere(part: Part): Promise<boolean> {
  console.log(`\n== ${part.what}`);
  return Promise.resolve(part.run()).catch((error: unknown) => {
    console.log(error);
    return false;
  });
}

/** What it prints comes when it has ended, in one piece; when it fails, after everything else. */
async function runApart(name: string): Promise<boolean> {
  const order = [import.meta.filename, '--short', '--only', name, '--seed', String(seed)];
  const child = spawn(process.execPath, order, { stdio: ['ignore', 'pipe', 'pipe'] });
  const end = (): boolean => child.kill('SIGKILL');
  process.once('exit', end);
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (printed += text));
  const [code] = (await once(child, 'close')) as [number | null];
  process.off('exit', end);
  if (code === 0) console.log(printed);
  else failed.push(printed);
  return code === 0;
}
