/**
 * The wall clock is set under three processes at work, and later set right again: two hours back, two hours on, ten years on. A task that
 * expires early counts as lost. In between the process that leads the maintenance is killed, so that another one expires tasks by the wrong clock, and one
 * with the right clock joins. Needs libfaketime (Debian package `libfaketime`). `node test/crash/clock.ts [--seed S]`
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { judgeAftermath, leaseMs } from './aftermath.ts';
import { type Figure, showFigures, wrongFigures } from './figures.ts';
import { openJournal, readJournal, type TimedEntry } from './history.ts';
import type { LoadOrder } from './load-child.ts';

/** As libfaketime reads them. */
const jumps = ['-2h', '+2h', '+10y'];
const processes = 3;

export async function runClock(options: { jumps?: readonly string[]; seed: number }): Promise<boolean> {
  const library = globSync(['/usr/lib/*/faketime/libfaketimeMT.so.1', '/usr/lib/faketime/libfaketimeMT.so.1'])[0];
  if (library === undefined) {
    console.log('clock: needs libfaketime (apt-get install libfaketime). Nothing was tested.');
    return false;
  }
  const figures: Figure[] = [];
  for (const jump of options.jumps ?? jumps) figures.push(...(await jumpOnce(jump, library, options.seed)));
  console.log(`clock: by libfaketime, seed ${options.seed}`);
  return showFigures(figures);
}

async function jumpOnce(jump: string, library: string, seed: number): Promise<Figure[]> {
  await using dir = await tempDir();
  const dataDir = join(dir.path, 'data');
  const clockFile = join(dir.path, 'clock');
  mkdirSync(dataDir);
  const setClock = (offset: string): void => writeFileSync(clockFile, `${offset}\n`);
  const faked = {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: clockFile,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    // Times of files are what the processes set, by their own clock.
    NO_FAKE_STAT: '1',
  };
  const journals: string[] = [];
  const start = async (env: Record<string, string>): Promise<ChildProcess> => {
    const journal = join(dir.path, `journal-${journals.length}`);
    journals.push(journal);
    const order: LoadOrder = { dataDir, journal, seed: seed + journals.length, pauseMs: 30 };
    const child = spawn(process.execPath, [fileURLToPath(new URL('load-child.ts', import.meta.url)), JSON.stringify(order)], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, ...env },
    });
    await until('it is at work', () => existsSync(journal));
    return child;
  };

  setClock('+0');
  const leader = await start(faked);
  const others: ChildProcess[] = [];
  while (others.length < processes - 1) others.push(await start(faked));
  // Whoever leads has taken up maintenance, and everybody has seen everybody.
  await sleep(leaseMs);
  setClock(jump);
  const accepted = (): number => entries(journals).filter((entry) => entry.op === 'submit' && entry.phase === 'ok').length;
  const before = accepted();
  await sleep(2 * leaseMs);
  const during = accepted() - before;
  leader.kill('SIGKILL');
  others.push(await start({}));
  await sleep(3 * leaseMs);
  setClock('+0');
  await sleep(1.5 * leaseMs);
  const codes = await Promise.all(others.map(stop));

  const after = join(dir.path, 'journal-after');
  const wrong = await judgeAftermath(dataDir, () => [...journals, after].map(readJournal), openJournal(after));
  for (const sentence of wrong.slice(0, 10)) console.log(`  ${jump}: ${sentence.slice(0, 300)}`);
  return [
    { figure: `${jump}: uploads acknowledged`, value: accepted() },
    { figure: `${jump}: of them in the first ${(2 * leaseMs) / 1000} s of the wrong time`, value: during, least: 1 },
    { figure: `${jump}: live leases stolen`, value: codes.filter((code) => code !== 0).length, most: 0 },
    ...wrongFigures(wrong).map(({ figure, ...rest }) => ({ figure: `${jump}: ${figure}`, ...rest })),
  ];
}

function entries(journals: readonly string[]): TimedEntry[] {
  return journals.flatMap(readJournal);
}

/** How it ended: 0 when it still held its leases. */
async function stop(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  return child.exitCode;
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { seed: { type: 'string' }, jump: { type: 'string' } } });
  const ok = await runClock({
    seed: Number(values.seed ?? Date.now() % 1_000_000),
    ...(values.jump === undefined ? {} : { jumps: [values.jump] }),
  });
  process.exit(ok ? 0 : 1);
}
