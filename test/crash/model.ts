/** The model tests of the engine (`test/property`) at length. `node test/crash/model.ts [--runs N] [--seed S]` */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('../..', import.meta.url));
const vitest = join(root, 'node_modules/vitest/vitest.mjs');

export function runModel(options: { runs: number; seed: number }): boolean {
  const { status } = spawnSync(
    process.execPath,
    [vitest, 'run', 'test/property/engine.test.ts', 'test/property/interleaved.test.ts'],
    {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, ENGINE_MODEL_RUNS: String(options.runs), ENGINE_MODEL_SEED: String(options.seed) },
    },
  );
  console.log(
    `model: ${options.runs} runs of up to 40 commands and ${Math.ceil(options.runs / 3)} interleaved ones, seed ${options.seed}`,
  );
  return status === 0;
}

/** Backups beside every kind of change, in generated orders. */
export function runBackups(options: { runs: number; seed: number }): boolean {
  const { status } = spawnSync(process.execPath, [vitest, 'run', 'test/property/backup.test.ts'], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, BACKUP_RUNS: String(options.runs), BACKUP_SEED: String(options.seed) },
  });
  console.log(`backup: ${options.runs} interleavings, seed ${options.seed}`);
  return status === 0;
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { runs: { type: 'string', default: '300' }, seed: { type: 'string' } } });
  process.exit(runModel({ runs: Number(values.runs), seed: Number(values.seed ?? Date.now() % 1_000_000) }) ? 0 : 1);
}
