/** One process from start to exit: what it was asked to be, signals, the supervisor's channel, and the exit codes. */
import { parseArgs } from 'node:util';
import type { Running } from './app.ts';
import { ConfigError } from './config.ts';
import type { Logger } from './logger.ts';

/** Another process declared this one dead and took over its work. */
const exitLost = 70;
/** How long a stop may take when nobody is left who would end it by force. */
const orphanMs = 60_000;

/** What a process may be: a front end with a worker process beside it, one without, or a worker. */
const roles = ['all', 'api', 'worker'] as const;
export type ProcessRole = (typeof roles)[number];

/**
 * What the command line asks for: `worker` is short for `--role worker`.
 * @throws ConfigError for anything that is not known here.
 */
export function readArguments(args: readonly string[]): { readonly role: ProcessRole; readonly checkConfig: boolean } {
  const options = { role: { type: 'string' }, 'check-config': { type: 'boolean', default: false } } as const;
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const asked = values.role ?? positionals[0] ?? 'all';
    const role = roles.find((one) => one === asked || (asked === 'serve' && one === 'all'));
    if (role === undefined || positionals.length > 1) throw new Error(`got ${JSON.stringify(asked)}`);
    return { role, checkConfig: values['check-config'] };
  } catch (error) {
    throw new ConfigError([`--role: expected one of ${roles.join(', ')}; ${(error as Error).message}`]);
  }
}

/**
 * Sees a process through: announces it to its supervisor, stops it gracefully at the first SIGTERM or SIGINT (or when its
 * supervisor is gone) and at once at the second, and ends it with 70 when its lease is lost.
 */
export async function runProcess(start: Promise<Running>, logger: Logger): Promise<void> {
  const supervised = process.send !== undefined;
  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) process.exit(1);
    stopping = true;
    logger.info({ signal }, 'stopping');
    void start.then((running) => running.stop()).then(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  // A terminal sends Ctrl-C to the supervisor as well, which then stops this process in its own order.
  process.on('SIGINT', supervised ? () => {} : stop);
  process.on('disconnect', orphaned);
  // The supervisor may have died while this process was still loading, before anybody listened.
  if (supervised && !process.connected) orphaned();

  const running = await start;
  void running.refused?.then(async (exitCode) => {
    await running.stop();
    process.exit(exitCode);
  });
  running.lost.addEventListener('abort', () => {
    logger.error({}, 'another process took over the work of this one; stopping');
    process.exit(exitLost);
  });
  if (process.connected) process.send?.(running.announcement);

  function orphaned(): void {
    stop('disconnect');
    setTimeout(() => stop('disconnect'), orphanMs).unref();
  }
}
