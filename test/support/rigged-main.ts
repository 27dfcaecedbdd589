/** `src/main.ts` with threads that misbehave on request (`rigged-ingest.ts`). */
import { fileURLToPath } from 'node:url';
import { startServer, startWorker } from '../../src/app.ts';
import { loadConfig, secretsIn } from '../../src/config.ts';
import { createLogger } from '../../src/logger.ts';
import { readArguments, runProcess } from '../../src/process.ts';

const modules = {
  main: fileURLToPath(import.meta.url),
  ingest: fileURLToPath(new URL('rigged-ingest.ts', import.meta.url)),
};
const config = loadConfig(process.env);
const { role } = readArguments(process.argv.slice(2));
const logger = createLogger({ level: config.logLevel, base: { role, pid: process.pid }, secrets: secretsIn(process.env) });
const start =
  role === 'worker' ? startWorker(config, logger, modules) : startServer(config, logger, process.env, { role, modules });
await runProcess(start, logger);
