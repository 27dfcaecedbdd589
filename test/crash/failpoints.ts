/**
 * The failpoint matrix: one process dies, stops past its lease, or meets EIO or ENOSPC at each named point of the engine's
 * protocols; another takes over. `node test/crash/failpoints.ts [--points N] [--seed S] [--at POINT]`
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createDisk } from '../../src/storage/file/disk/disk.ts';
import { identifyProcess } from '../../src/storage/file/ownership/process-identity.ts';
import { openFileEngine } from '../../src/storage/file/engine.ts';
import { beginNext, stage } from '../support/engine-steps.ts';
import { changing, faultyDisk } from '../support/faulty-disk.ts';
import { fileEngineOptions } from '../support/file-engine-harness.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { fingerprint, judgeAftermath, openBoth } from './aftermath.ts';
import { showFigures, wrongFigures } from './figures.ts';
import { openJournal, readJournal } from './history.ts';
import type { FaultAction, LifeOrder } from './life-child.ts';
import { live, submit } from './life.ts';
import { randomFrom } from './random.ts';

const actions: readonly FaultAction[] = ['SIGKILL', 'SIGSTOP', 'EIO', 'ENOSPC'];
const atOnce = 6;

type Verdict = {
  readonly at: string;
  readonly action: FaultAction;
  readonly wrong: readonly string[];
  readonly reached: boolean;
  /** It slept while its lease was taken from it, and was woken. */
  readonly woken: boolean;
};

export async function runFailpoints(options: { pointsMax: number; seed: number; only?: string | undefined }): Promise<boolean> {
  await using dir = await tempDir();
  const template = join(dir.path, 'template');
  await makeTemplate(template);
  const points = await discoverPoints(template, join(dir.path, 'rehearsal'));
  const random = randomFrom(options.seed);
  const chosen = options.only === undefined ? random.sample(points, options.pointsMax) : [options.only];
  const cases = chosen.flatMap((at) => actions.map((action) => ({ at, action })));
  const verdicts: Verdict[] = [];
  const queue = [...cases.entries()];
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const [number, { at, action }] = next;
        const verdict = await runCase(template, join(dir.path, `case-${number}`), at, action);
        verdicts.push(verdict);
        if (verdict.wrong.length > 0) console.log(`  ${at} × ${action}: ${verdict.wrong.join('; ')}`);
      }
    }),
  );
  return report(points.length, chosen.length, verdicts, options.seed);
}

function report(known: number, chosen: number, verdicts: readonly Verdict[], seed: number): boolean {
  const count = (test: (verdict: Verdict) => boolean): number => verdicts.filter(test).length;
  console.table(
    actions.map((action) => ({
      action,
      cases: count((verdict) => verdict.action === action),
      'point reached': count((verdict) => verdict.action === action && verdict.reached),
      wrong: count((verdict) => verdict.action === action && verdict.wrong.length > 0),
    })),
  );
  console.log(`failpoints: ${chosen} of ${known} named points × ${actions.length} actions, seed ${seed}`);
  return showFigures([
    { figure: 'cases', value: verdicts.length },
    { figure: 'owners that woke up fenced', value: count(({ woken }) => woken) },
    ...wrongFigures(verdicts.flatMap(({ wrong }) => wrong)),
  ]);
}

/** A data directory with a task in the hands of a process that died in the middle of it. */
async function makeTemplate(dataDir: string): Promise<void> {
  const body = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' });
  await once(body, 'spawn');
  const identity = identifyProcess(body.pid ?? 0);
  const front = await openFileEngine(fileEngineOptions(dataDir, 'frontend'));
  const worker = await openFileEngine({ ...fileEngineOptions(dataDir, 'worker'), identity });
  const tell = openJournal(`${dataDir}.journal`);
  await submit(front, tell, 'of the dead', { docId: 'dead' });
  const { task } = await beginNext(worker);
  await stage(worker, task);
  const copy = `${dataDir}.copy`;
  execFileSync('cp', ['-a', dataDir, copy]);
  await worker.close();
  await front.close();
  rmSync(dataDir, { recursive: true });
  execFileSync('mv', [copy, dataDir]);
  body.kill('SIGKILL');
  await once(body, 'exit');
}

function copyTemplate(template: string, dataDir: string): void {
  execFileSync('cp', ['-a', template, dataDir]);
}

/** Every point at which a whole life changes the disk. */
async function discoverPoints(template: string, dataDir: string): Promise<string[]> {
  copyTemplate(template, dataDir);
  const points = new Set<string>();
  const disk = faultyDisk(createDisk(), {
    before({ at, method }) {
      if (changing.has(method)) points.add(at);
    },
  });
  const [front, worker] = await openBoth(dataDir, { disk });
  await live(front, worker, () => undefined);
  await Promise.all([front.close(), worker.close()]);
  return [...points].sort();
}

async function runCase(template: string, dataDir: string, at: string, action: FaultAction): Promise<Verdict> {
  copyTemplate(template, dataDir);
  const journals = [`${template}.journal`, `${dataDir}.child`, `${dataDir}.parent`];
  const order: LifeOrder = { dataDir, journal: journals[1]!, at, action };
  const child = spawn(process.execPath, [fileURLToPath(new URL('life-child.ts', import.meta.url)), JSON.stringify(order)], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const ended = once(child, 'exit') as Promise<[number | null, string | null]>;
  const wrong: string[] = [];
  let stopped = false;
  let exited = false;
  void ended.then(() => (exited = true));
  if (action === 'SIGSTOP') {
    await until('the child stops or ends', () => exited || isStopped(child.pid ?? 0));
    stopped = !exited;
  } else await ended;
  const read = () => journals.map(readJournal);
  wrong.push(...(await judgeAftermath(dataDir, read, openJournal(journals[2]!))));
  // Before it holds a lease a process has nothing that could be taken from it: it simply starts late.
  const starting = /^(owner|prepare)\./.test(at);
  if (starting && stopped) process.kill(child.pid ?? 0, 'SIGCONT');
  else if (stopped) wrong.push(...(await wake(child.pid ?? 0, ended, dataDir)));
  const [code, signal] = await ended;
  const reached = signal === 'SIGKILL' || stopped || action === 'EIO' || action === 'ENOSPC';
  if (action === 'SIGKILL' && !reached && code !== 0) wrong.push(`ended with ${code}`);
  rmSync(dataDir, { recursive: true, force: true });
  return { at, action, wrong, reached, woken: stopped && !starting };
}

/** A process that slept through its own funeral: it must change nothing any more, and say that it was lost. */
async function wake(pid: number, ended: Promise<[number | null, string | null]>, dataDir: string): Promise<string[]> {
  const before = fingerprint(dataDir);
  process.kill(pid, 'SIGCONT');
  const [code] = await ended;
  const changed = fingerprint(dataDir) !== before;
  return [
    ...(changed ? ['a fenced process changed something'] : []),
    ...(code === 70 || code === 1 ? [] : [`a fenced process ended with ${code}`]),
  ];
}

function isStopped(pid: number): boolean {
  const path = `/proc/${pid}/stat`;
  if (!existsSync(path)) return false;
  const text = readFileSync(path, 'latin1');
  return text.slice(text.lastIndexOf(')') + 2).startsWith('T');
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { points: { type: 'string', default: '1000' }, seed: { type: 'string' }, at: { type: 'string' } },
  });
  const ok = await runFailpoints({
    pointsMax: Number(values.points),
    seed: Number(values.seed ?? Date.now() % 1_000_000),
    only: values.at,
  });
  process.exit(ok ? 0 : 1);
}
