/** The server's own settings, for the commands that work on this machine. */
import { type Config, ConfigError, loadConfig } from '../config.ts';
import { CliError, exitCodes } from './cli-error.ts';

/** @throws CliError `settings` that names everything wrong with them. */
export function localSettings(): Config {
  try {
    return loadConfig(process.env);
  } catch (error) {
    if (error instanceof ConfigError) throw new CliError(error.problems.join('\n'), exitCodes.settings);
    throw error;
  }
}
