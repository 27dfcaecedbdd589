/**
 * The command: `main.ts` serves, `main.ts worker` only works through the queue (by a process of its own, unless it is that process),
 * `--check-config` prints the settings.
 * Exit codes: 0 stopped as asked, 70 another process took over this one's work, 78 the settings are wrong.
 */
import { startServer, startWorker, startWorkerProcess } from './app.ts';
import { ConfigError, type Config, describeConfig, loadConfig } from './config.ts';
import { createLogger } from './logger.ts';
import { runProcess } from './process.ts';

const exitConfig = 78;

const config = readConfig();
if (process.argv.includes('--check-config')) {
  console.log(JSON.stringify(describeConfig(config), null, 2));
} else {
  const role = process.argv[2] === 'worker' ? 'worker' : 'serve';
  const base = { role, pid: process.pid };
  const logger = createLogger({ level: config.logLevel, base, terminal: process.stdout.isTTY === true });
  const supervised = process.send !== undefined;
  const startAlone = role === 'worker' ? startWorkerProcess : startServer;
  const start = role === 'worker' && supervised ? startWorker(config, logger) : startAlone(config, logger, process.env);
  await runProcess(start, logger).catch(refuse);
}

function readConfig(): Config {
  try {
    return loadConfig(process.env);
  } catch (error) {
    return refuse(error);
  }
}

/** Says what is wrong with the settings; anything else is a bug. */
function refuse(error: unknown): never {
  if (!(error instanceof ConfigError)) throw error;
  for (const problem of error.problems) console.error(problem);
  process.exit(exitConfig);
}
