/**
 * Three processes upload, cancel and run tasks on one data directory while they are killed (SIGKILL) and stopped past their
 * lease (SIGSTOP, SIGCONT) at random moments, and started again. `node test/crash/kills.ts [--kills N] [--stops N] [--seed S]`
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { judgeAftermath } from './aftermath.ts';
import { openJournal, readJournal, type TimedEntry } from './history.ts';
import type { LoadOrder } from './load-child.ts';
import { type Random, randomFrom } from './random.ts';

const processes = 3;

type Body = { readonly child: ChildProcess; readonly journal: string; stopped: boolean; wokenAt: number };

export async function runKills(options: { kills: number; stops: number; seed: number }): Promise<boolean> {
  await using dir = await tempDir();
  const random = randomFrom(options.seed);
  const dataDir = join(dir.path, 'data');
  const journals: string[] = [];
  mkdirSync(dataDir);

  const start = (): Body => {
    const journal = join(dir.path, `journal-${journals.length}`);
    journals.push(journal);
    const order: LoadOrder = { dataDir, journal, seed: random.whole(1, 1e9), pauseMs: 10 };
    const child = spawn(process.execPath, [fileURLToPath(new URL('load-child.ts', import.meta.url)), JSON.stringify(order)], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return { child, journal, stopped: false, wokenAt: 0 };
  };
  const bodies = Array.from({ length: processes }, start);

  const killedAt: number[] = [];
  const wakings: Promise<unknown>[] = [];
  const codes = new Map<string, number>();
  const note = (code: number | null, signal: string | null): void => {
    const key = signal ?? `exit ${code}`;
    codes.set(key, (codes.get(key) ?? 0) + 1);
  };
  for (const action of shuffled(options, random)) {
    await sleep(random.whole(20, 350));
    replaceEnded(bodies, start, note);
    // One process always goes on, so that there is somebody to take over; which one is hit, and when in its life, is chance.
    await until('two processes are at work', () => {
      replaceEnded(bodies, start, note);
      return bodies.filter(isAtWork).length >= 2;
    });
    const body = random.pick(bodies.filter(({ stopped }) => !stopped));
    if (action === 'kill') {
      killedAt.push(Date.now());
      body.child.kill('SIGKILL');
    } else {
      body.stopped = true;
      body.child.kill('SIGSTOP');
      wakings.push(
        sleep(random.whole(300, 4000)).then(() => {
          body.child.kill('SIGCONT');
          body.stopped = false;
          body.wokenAt = Date.now();
        }),
      );
    }
  }
  await Promise.all(wakings);
  for (const { child } of bodies) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  replaceEnded(bodies, null, note);
  const after = join(dir.path, 'journal-after');
  const read = (): TimedEntry[][] => [...journals, after].map(readJournal);
  const wrong = await judgeAftermath(dataDir, read, openJournal(after));
  return report(options, read(), killedAt, codes, wrong);
}

/** It has told its journal something just now: it has started, is not stopped, and has not been fenced while it was. */
function isAtWork({ child, stopped, wokenAt, journal }: Body): boolean {
  // A woken process needs a turn of its maintenance to learn that it was declared dead.
  if (stopped || Date.now() - wokenAt < 1500 || child.exitCode !== null || child.signalCode !== null) return false;
  return (statSync(journal, { throwIfNoEntry: false })?.mtimeMs ?? 0) > Date.now() - 400;
}

function replaceEnded(
  bodies: Body[],
  start: (() => Body) | null,
  note: (code: number | null, signal: string | null) => void,
): void {
  for (const [position, { child }] of bodies.entries()) {
    if (child.exitCode === null && child.signalCode === null) continue;
    note(child.exitCode, child.signalCode);
    if (start !== null) bodies[position] = start();
  }
}

function shuffled(options: { kills: number; stops: number }, random: Random): ('kill' | 'stop')[] {
  return random.sample(
    [
      ...Array.from({ length: options.kills }, () => 'kill' as const),
      ...Array.from({ length: options.stops }, () => 'stop' as const),
    ],
    options.kills + options.stops,
  );
}

function report(
  options: { kills: number; stops: number; seed: number },
  journals: TimedEntry[][],
  killedAt: readonly number[],
  codes: ReadonlyMap<string, number>,
  wrong: readonly string[],
): boolean {
  const all = journals.flat();
  const count = (op: string, phase: string): number =>
    all.filter((entry) => entry.op === op && 'phase' in entry && entry.phase === phase).length;
  const accepted = all
    .filter((entry) => entry.op === 'submit' && entry.phase === 'ok')
    .map(({ time }) => time)
    .sort((a, b) => a - b);
  const waits = killedAt
    .map((at) => (accepted.find((time) => time > at) ?? Infinity) - at)
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  const kind = (pattern: RegExp): number => wrong.filter((sentence) => pattern.test(sentence)).length;
  console.table([
    { figure: 'SIGKILL', value: options.kills },
    { figure: 'SIGSTOP … SIGCONT', value: options.stops },
    { figure: 'uploads acknowledged', value: count('submit', 'ok') },
    { figure: 'attempts begun', value: count('begin', 'ok') },
    { figure: 'acknowledged and lost', value: kind(/lost/) },
    { figure: 'acknowledged, never ended', value: kind(/never ended/) },
    { figure: 'unparsable files', value: kind(/unparsable/) },
    { figure: 'completed twice', value: kind(/times/) },
    { figure: 'everything wrong', value: wrong.length },
    { figure: 'first accepted upload after a kill, p50 ms', value: waits[Math.floor(waits.length / 2)] ?? NaN },
    { figure: 'first accepted upload after a kill, p99 ms', value: waits[Math.floor(waits.length * 0.99)] ?? NaN },
    { figure: 'owners fenced (exit 70)', value: codes.get('exit 70') ?? 0 },
  ]);
  for (const sentence of wrong.slice(0, 20)) console.log(`  ${sentence.slice(0, 300)}`);
  console.log(
    `kills: ${options.kills} SIGKILL, ${options.stops} SIGSTOP over ${processes} processes, seed ${options.seed}; ends: ${JSON.stringify(Object.fromEntries(codes))}`,
  );
  return wrong.length === 0;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { kills: { type: 'string', default: '200' }, stops: { type: 'string', default: '100' }, seed: { type: 'string' } },
  });
  const ok = await runKills({
    kills: Number(values.kills),
    stops: Number(values.stops),
    seed: Number(values.seed ?? Date.now() % 1_000_000),
  });
  process.exit(ok ? 0 : 1);
}
