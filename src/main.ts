/**
 * The command: `main.ts` serves, `main.ts worker` (or `--role worker`) only works through the queue, by a process of its own
 * unless it is that process, `--role api` serves without a worker beside it. `--check-config` prints the settings.
 * Exit codes: 0 stopped as asked, 69 the place where everything is kept cannot be used now, 70 another process took over this
 * one's work, 78 the settings are wrong.
 */
import { startServer, startWorker, startWorkerProcess } from './app.ts';
import { ConfigError, type Config, describeConfig, loadConfig, secretsIn } from './config.ts';
import { AppError } from './errors.ts';
import { createLogger, describeError } from './logger.ts';
import { readArguments, runProcess } from './process.ts';
import { createRedaction } from './redaction.ts';

const exitBug = 1;
const exitUnavailable = 69;
const exitConfig = 78;

const secrets = secretsIn(process.env);
const redact = createRedaction(secrets);
// Node itself would print all that hangs on an error, and libraries hang on theirs what they sent, passwords too.
process.on('uncaughtException', endWithBug);

try {
  const config = loadConfig(process.env);
  const { role, checkConfig } = readArguments(process.argv.slice(2));
  if (checkConfig) console.log(JSON.stringify(describeConfig(config), null, 2));
  else await run(config, role);
} catch (error) {
  refuse(error);
}

function run(config: Config, role: 'all' | 'api' | 'worker'): Promise<void> {
  const base = { role: role === 'all' ? 'serve' : role, pid: process.pid };
  const logger = createLogger({ level: config.logLevel, base, terminal: process.stdout.isTTY === true, secrets });
  if (role !== 'worker') return runProcess(startServer(config, logger, process.env, { role }), logger);
  const supervised = process.send !== undefined;
  return runProcess(supervised ? startWorker(config, logger) : startWorkerProcess(config, logger, process.env), logger);
}

/** Says what is wrong with the settings, or with where everything is kept; anything else is a bug. */
function refuse(error: unknown): never {
  if (error instanceof ConfigError) {
    for (const problem of error.problems) console.error(redact(problem));
    process.exit(exitConfig);
  }
  if (!(error instanceof AppError)) throw error;
  console.error(redact(error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message));
  process.exit(exitUnavailable);
}

function endWithBug(error: unknown): never {
  console.error(JSON.stringify(describeError(error, redact)));
  process.exit(exitBug);
}
