/**
 * The command: `main.ts` serves, `main.ts worker` only works through the queue, `--check-config` prints the settings.
 * Exit codes: 0 stopped as asked, 70 another process took over this one's work, 78 the settings are wrong.
 */
import { startServer, startWorker } from './app.ts';
import { ConfigError, type Config, describeConfig, loadConfig } from './config.ts';
import { createLogger } from './logger.ts';

const exitLost = 70;
const exitConfig = 78;

const config = readConfig();
if (process.argv.includes('--check-config')) {
  console.log(JSON.stringify(describeConfig(config), null, 2));
} else {
  await run(process.argv[2] === 'worker' ? 'worker' : 'serve');
}

function readConfig(): Config {
  try {
    return loadConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) console.error(problem);
    process.exit(exitConfig);
  }
}

async function run(role: 'serve' | 'worker'): Promise<void> {
  const logger = createLogger({ level: config.logLevel, base: { role, pid: process.pid } });
  const started = role === 'worker' ? startWorker(config, logger) : startServer(config, logger, process.env);
  let stopping = false;

  const stop = (signal: string): void => {
    // The second signal is a person who will not wait.
    if (stopping) process.exit(1);
    stopping = true;
    logger.info({ signal }, 'stopping');
    void started.then((running) => running.stop()).then(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // The supervisor is gone: nobody would ever stop this worker.
  process.on('disconnect', () => stop('disconnect'));

  const running = await started;
  running.lost.addEventListener('abort', () => {
    logger.error({}, "another process took over this one's work; ending");
    process.exit(exitLost);
  });
  if (process.connected) process.send?.(running.announcement);
}
