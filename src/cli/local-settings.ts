/** The server's own settings, for the commands that work on this machine. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Config, ConfigError, loadConfig, secretsIn } from '../config.ts';
import { createLogger, type Logger } from '../logger.ts';
import { createRedaction } from '../redaction.ts';
import { CliError, exitCodes } from './cli-error.ts';

/**
 * `isForOneEngine`: false where settings of one engine may stand beside those of another.
 * @throws CliError `settings` that names everything wrong with them.
 */
export function localSettings(options: { readonly isForOneEngine?: boolean } = {}): Config {
  try {
    return loadConfig(process.env, options);
  } catch (error) {
    if (error instanceof ConfigError) throw new CliError(error.problems.join('\n'), exitCodes.settings);
    throw error;
  }
}

/** @throws CliError `settings` for a folder in which no server has ever worked. */
export function requireDataDirectory(dataDir: string): void {
  if (!existsSync(join(dataDir, 'documents')))
    throw new CliError(`DATA_DIR: ${resolve(dataDir)} is not a data directory.`, exitCodes.settings);
}

/** A text in which libraries may have put what they were given: without the secrets of this machine's settings. */
export function withoutSecrets(text: string): string {
  return createRedaction(secretsIn(process.env))(text);
}

/** For what a command uses of the server: only what went wrong. */
export function errorLogger(): Logger {
  return createLogger({ level: 'error', secrets: secretsIn(process.env) });
}
