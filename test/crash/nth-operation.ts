/**
 * The k-th disk operation of a whole life fails, for every k, once and from then on, with each errno (`--errnos one`: with one by chance). Afterwards the disk is
 * well again: what was acknowledged is there, what was refused is not, nothing is left over.
 * `node test/crash/nth-operation.ts [--every N] [--errnos one|all] [--seed S] [--only K:errno:mode]`
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createDisk } from '../../src/storage/file/disk/disk.ts';
import { errnoError, faultyDisk } from '../support/faulty-disk.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { judgeAftermath, openBoth } from './aftermath.ts';
import { showFigures, wrongFigures } from './figures.ts';
import { openJournal, readJournal } from './history.ts';
import { live } from './life.ts';
import { randomFrom } from './random.ts';

const errnos = ['EIO', 'ENOSPC', 'EROFS', 'EDQUOT', 'EMFILE', 'EACCES'] as const;
const modes = ['once', 'from then on'] as const;
/** A trial mostly waits for the next turn of the maintenance. */
const atOnce = 32;

type Trial = { readonly k: number; readonly errno: string; readonly mode: (typeof modes)[number] };

export async function runNthOperation(options: {
  /** 1: every operation. */
  every: number;
  errnos: 'one' | 'all';
  seed: number;
  only?: string | undefined;
}): Promise<boolean> {
  await using dir = await tempDir();
  const total = await rehearse(join(dir.path, 'rehearsal'));
  const random = randomFrom(options.seed);
  const trials: Trial[] = [];
  const from = random.whole(1, options.every);
  for (let k = from; k <= total; k += options.every) {
    for (const mode of modes) {
      for (const errno of options.errnos === 'all' ? errnos : [random.pick(errnos)]) trials.push({ k, errno, mode });
    }
  }
  if (options.only !== undefined) {
    const [k, errno, mode] = options.only.split(':');
    trials.splice(0, trials.length, { k: Number(k), errno: errno ?? 'EIO', mode: mode === 'once' ? 'once' : 'from then on' });
  }
  const allWrong: string[] = [];
  const hits = { once: 0, 'from then on': 0 };
  const queue = [...trials];
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let trial = queue.shift(); trial !== undefined; trial = queue.shift()) {
        const { wrong, at } = await run(join(dir.path, `${trial.k}-${trial.errno}-${trial.mode}`), trial);
        if (at !== null) hits[trial.mode] += 1;
        allWrong.push(...wrong);
        if (wrong.length > 0) console.log(`  ${trial.k}:${trial.errno}:${trial.mode} at ${at}: ${wrong.join('; ')}`);
      }
    }),
  );
  console.table(
    modes.map((mode) => ({ fails: mode, trials: trials.filter((trial) => trial.mode === mode).length, hit: hits[mode] })),
  );
  console.log(
    `nth operation: ${total} operations in a life, every ${options.every}th failed with ${options.errnos === 'all' ? errnos.join(', ') : 'one of them'}, seed ${options.seed}`,
  );
  return showFigures([{ figure: 'trials', value: trials.length }, ...wrongFigures(allWrong)]);
}

async function rehearse(dataDir: string): Promise<number> {
  let count = 0;
  const disk = faultyDisk(createDisk(), { before: ({ number }) => void (count = number) });
  const [front, worker] = await openBoth(dataDir, { disk });
  await live(front, worker, () => undefined);
  await Promise.all([front.close(), worker.close()]);
  return count;
}

async function run(dataDir: string, trial: Trial): Promise<{ wrong: string[]; at: string | null }> {
  mkdirSync(dataDir);
  let well = false;
  let at: string | null = null;
  let count = 0;
  const disk = faultyDisk(createDisk(), {
    before(operation) {
      count += 1;
      if (well || count < trial.k || (trial.mode === 'once' && count > trial.k)) return;
      at ??= operation.at;
      throw errnoError(trial.errno, operation);
    },
  });
  const journals = [`${dataDir}.life`, `${dataDir}.after`];
  try {
    const [front, worker] = await openBoth(dataDir, { disk });
    await live(front, worker, openJournal(journals[0]!));
    well = true;
    // Back in business by itself, without a restart; after a full disk the reserve for deletions is written and flushed anew first.
    await until('uploads are taken again', async () => (await front.state()).state === 'ready', 20_000);
    await Promise.all([front.close(), worker.close()]);
  } catch (error) {
    // It could not even start: its operator sees the reason.
    if (well) return { wrong: [String(error)], at };
    well = true;
  }
  const wrong = await judgeAftermath(dataDir, () => journals.map(readJournal), openJournal(journals[1]!)).catch(
    (error: unknown) => [String(error)],
  );
  rmSync(dataDir, { recursive: true, force: true });
  return { wrong, at };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      every: { type: 'string', default: '1' },
      errnos: { type: 'string', default: 'all' },
      seed: { type: 'string' },
      only: { type: 'string' },
    },
  });
  const ok = await runNthOperation({
    every: Number(values.every),
    errnos: values.errnos === 'one' ? 'one' : 'all',
    seed: Number(values.seed ?? Date.now() % 1_000_000),
    only: values.only,
  });
  process.exit(ok ? 0 : 1);
}
