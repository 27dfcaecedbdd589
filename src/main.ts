/**
 * The command: `main.ts` serves, `main.ts worker` (or `--role worker`) only works through the queue, by a process of its own
 * unless it is that process, `--role api` serves without a worker beside it. `--check-config` prints the settings, or says why a start would refuse them.
 * Exit codes: 0 stopped as asked, 69 it cannot start now, 70 another process took over this one's work, 78 it cannot start before
 * somebody has changed the settings or what they name (`start-error.ts`).
 */
import { startServer, startWorker, startWorkerProcess } from './app.ts';
import { checkNamed, warnedOf } from './check-config.ts';
import { type Config, describeConfig, loadConfig, secretsIn } from './config.ts';
import { createLogger, describeError } from './logger.ts';
import { misspeltSettings } from './misspelt-settings.ts';
import { readArguments, runProcess } from './process.ts';
import { createRedaction } from './redaction.ts';
import { requireDataDir, requireOpenFiles } from './start-checks.ts';
import { explainStart, type StartPlaces } from './start-error.ts';

const exitBug = 1;
let places: StartPlaces = { host: '', port: 0, dataDir: '' };

const secrets = secretsIn(process.env);
const redact = createRedaction(secrets);
// Node itself would print all that hangs on an error, and libraries hang on theirs what they sent, passwords too.
process.on('uncaughtException', endWithBug);

try {
  const config = loadConfig(process.env);
  places = config;
  const { role, checkConfig } = readArguments(process.argv.slice(2));
  if (checkConfig) {
    await checkNamed(config);
    for (const sentence of [...misspeltSettings(process.env), ...(await warnedOf(config))]) console.error(sentence);
    console.log(JSON.stringify(describeConfig(config), null, 2));
  } else await run(config, role);
} catch (error) {
  refuse(error);
}

function run(config: Config, role: 'all' | 'api' | 'worker'): Promise<void> {
  const base = { role: role === 'all' ? 'serve' : role, pid: process.pid };
  const logger = createLogger({ level: config.logLevel, base, terminal: process.stdout.isTTY === true, secrets });
  const openFilesMax = requireOpenFiles();
  requireDataDir(config.dataDir);
  const supervised = process.send !== undefined;
  if (!supervised) for (const sentence of misspeltSettings(process.env)) logger.warn({}, sentence);
  if (role !== 'worker') return runProcess(startServer(config, logger, process.env, { role, openFilesMax }), logger);
  return runProcess(supervised ? startWorker(config, logger) : startWorkerProcess(config, logger, process.env), logger);
}

/** Says why it cannot start; what is no known reason is a bug. */
function refuse(error: unknown): never {
  const known = explainStart(error, places);
  if (known === null) throw error;
  for (const sentence of known.sentences) console.error(redact(sentence));
  process.exit(known.exitCode);
}

function endWithBug(error: unknown): never {
  console.error(JSON.stringify(describeError(error, redact)));
  process.exit(exitBug);
}
