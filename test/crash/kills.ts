/**
 * Three processes upload, cancel and run tasks on one data directory while they are killed (SIGKILL) and stopped past their
 * lease (SIGSTOP, SIGCONT) at random moments, and started again. `node test/crash/kills.ts [--kills N] [--stops N] [--seed S]`
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { judgeAftermath } from './aftermath.ts';
import { quantile, round, showFigures, wrongFigures } from './figures.ts';
import { openJournal, readJournal, readTail, type TimedEntry } from './history.ts';
import type { LoadOrder } from './load-child.ts';
import { type Random, randomFrom } from './random.ts';

const processes = 3;
const timerMs = 10;
/** Of fewer kills the slowest is no 99th percentile. */
const killsForP99 = 100;

type Body = { readonly child: ChildProcess; readonly journal: string; killed: boolean; stopped: boolean; wokenAt: number };

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
    return { child, journal, killed: false, stopped: false, wokenAt: 0 };
  };
  const bodies = Array.from({ length: processes }, start);

  const killedAt: number[] = [];
  const lateness: Late[] = [];
  using _timer = watchLateness(lateness);
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
    const body = random.pick(bodies.filter(({ killed, stopped }) => !killed && !stopped));
    if (action === 'kill') {
      killedAt.push(Date.now());
      body.killed = true;
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
  return report({ ...options, journals: read(), killedAt, lateness, codes, wrong });
}

/** How late a timer of this process was, which does next to nothing: what the machine itself keeps everybody waiting. */
type Late = { readonly time: number; readonly ms: number };

function watchLateness(seen: Late[]): Disposable {
  let dueAt = performance.now() + timerMs;
  const timer = setInterval(() => {
    const now = performance.now();
    seen.push({ time: Date.now(), ms: Math.max(0, now - dueAt) });
    dueAt = now + timerMs;
  }, timerMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** An upload of its own, begun since it was last woken, was acknowledged just now: it has started, is not stopped, and was not fenced while it was. */
function isAtWork({ child, killed, stopped, journal, wokenAt }: Body): boolean {
  if (killed || stopped || child.exitCode !== null || child.signalCode !== null) return false;
  const entries = readTail(journal);
  const find = (op: string, phase: string, id?: string): TimedEntry | undefined =>
    entries.findLast((entry) => entry.op === op && 'phase' in entry && entry.phase === phase && entry.id === (id ?? entry.id));
  const accepted = find('submit', 'ok');
  const begun = accepted === undefined ? undefined : find('receive', 'ask', accepted.id);
  return begun !== undefined && begun.time > wokenAt && accepted!.time > Date.now() - 400;
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

/** Everything that anybody asked or was told about a task, in the order of time. */
function showHistory(journals: readonly TimedEntry[][], id: string): void {
  const entries = journals.flatMap((journal, process) =>
    journal.filter((entry) => entry.id === id).map((entry) => ({ process, ...entry })),
  );
  for (const { id: _, ...entry } of entries.sort((one, other) => one.time - other.time))
    console.log(`    ${JSON.stringify(entry)}`);
}

type Wait = {
  readonly ms: number;
  readonly beforeMs: number;
  readonly receiveMs: number;
  readonly submitMs: number;
  readonly heldMs: number;
};

/** From a kill to the first upload that is acknowledged by anybody, and where that time went. */
function waitAfter(
  at: number,
  accepted: readonly TimedEntry[],
  asked: ReadonlyMap<string, TimedEntry[]>,
  lateness: readonly Late[],
): Wait | null {
  const first = accepted.find(({ time }) => time > at);
  if (first === undefined) return null;
  const [receive, submit] = asked.get(first.id)!.map(({ time }) => Math.max(at, time)) as [number, number];
  const held = lateness.filter(({ time }) => time >= at && time <= first.time + timerMs).map(({ ms }) => ms);
  return {
    ms: first.time - at,
    beforeMs: receive - at,
    receiveMs: submit - receive,
    submitMs: first.time - submit,
    heldMs: Math.max(0, ...held),
  };
}

function report(options: {
  kills: number;
  stops: number;
  seed: number;
  journals: TimedEntry[][];
  killedAt: readonly number[];
  lateness: readonly Late[];
  codes: ReadonlyMap<string, number>;
  wrong: readonly string[];
}): boolean {
  const { kills, stops, seed, journals, killedAt, codes, wrong } = options;
  const all = journals.flat();
  const of = (op: string, phase: string): TimedEntry[] =>
    all.filter((entry) => entry.op === op && 'phase' in entry && entry.phase === phase);
  const accepted = of('submit', 'ok').sort((one, other) => one.time - other.time);
  const asked = Map.groupBy([...of('receive', 'ask'), ...of('submit', 'ask')], ({ id }) => id as string);
  const waits = killedAt.map((at) => waitAfter(at, accepted, asked, options.lateness)).filter((wait) => wait !== null);
  const p99 = (part: (wait: Wait) => number): number => quantile(waits.map(part), 0.99);
  for (const sentence of wrong.slice(0, 20)) {
    console.log(`  ${sentence.slice(0, 300)}`);
    showHistory(journals, sentence.slice(0, 36));
  }
  console.log(
    `kills: ${kills} SIGKILL, ${stops} SIGSTOP over ${processes} processes, seed ${seed}; ends: ${JSON.stringify(Object.fromEntries(codes))}`,
  );
  return showFigures([
    { figure: 'SIGKILL', value: kills },
    { figure: 'SIGSTOP … SIGCONT', value: stops },
    { figure: 'uploads acknowledged', value: accepted.length },
    { figure: 'attempts begun', value: of('begin', 'ok').length },
    ...wrongFigures(wrong),
    { figure: 'owners fenced (exit 70)', value: codes.get('exit 70') ?? 0 },
    {
      figure: 'first upload accepted after a kill, p50 ms',
      value: quantile(
        waits.map(({ ms }) => ms),
        0.5,
      ),
    },
    {
      figure: 'first upload accepted after a kill, p99 ms',
      value: p99(({ ms }) => ms),
      ...(kills >= killsForP99 ? { most: 500 } : {}),
    },
    { figure: '… of that until somebody began one, p99 ms', value: p99(({ beforeMs }) => beforeMs) },
    { figure: '… receiving it, p99 ms', value: p99(({ receiveMs }) => receiveMs) },
    { figure: '… submitting it, p99 ms', value: p99(({ submitMs }) => submitMs) },
    { figure: '… this idle process was kept from running, p99 ms', value: round(p99(({ heldMs }) => heldMs)) },
  ]);
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
