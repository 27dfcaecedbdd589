/** One backup, by the command `rag-intake backup` in a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants, setPriority } from 'node:os';

/** Of what the process says no more is kept. */
const saidCharactersMax = 64 * 1024;
/** It copies all the same; only something is damaged. */
const exitDamaged = 1;

/** @throws Error with what the command said, when nothing came of it. */
export async function runBackup(options: {
  readonly command: string;
  readonly dataDir: string;
  readonly target: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}): Promise<{ damaged: number }> {
  const { command, dataDir, target, env, signal } = options;
  const child = spawn(process.execPath, [command, '--json', 'backup', target, '--data-dir', dataDir], {
    env,
    signal,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // Whoever asks something meanwhile goes first.
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-saidCharactersMax)));
  const [code] = (await once(child, 'close')) as [number | null];
  const damaged = /"damaged": \[([^\]]*)\]/
    .exec(said)?.[1]
    ?.split(',')
    .filter((entry) => entry.trim() !== '').length;
  if (damaged !== undefined && (code === 0 || code === exitDamaged)) return { damaged };
  throw new Error(said.trim().slice(-500) || `it ended with ${code}`);
}
