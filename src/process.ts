/** One process from start to exit: signals, the supervisor's channel, and the exit codes. */
import type { Running } from './app.ts';
import type { Logger } from './logger.ts';

/** Another process declared this one dead and took over its work. */
const exitLost = 70;
/** How long a stop may take when nobody is left who would end it by force. */
const orphanMs = 60_000;

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
  running.lost.addEventListener('abort', () => {
    logger.error({}, "another process took over this one's work; ending");
    process.exit(exitLost);
  });
  if (process.connected) process.send?.(running.announcement);

  function orphaned(): void {
    stop('disconnect');
    setTimeout(() => stop('disconnect'), orphanMs).unref();
  }
}
