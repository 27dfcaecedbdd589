/** The tables of a database: made, or brought up to date. */
import { AppError } from '../errors.ts';
import { openDatabase } from '../engines/postgres/database.ts';
import { migrate } from '../engines/postgres/schema.ts';
import { CliError, exitCodes } from './cli-error.ts';
import { errorLogger, localSettings } from './local-settings.ts';
import type { Said } from './queries.ts';

/** Makes the tables in DATABASE_URL, or brings older ones up to date; safe twice, and while servers run on the same version. */
export async function migrateDatabase(): Promise<Said> {
  const { databaseUrl } = localSettings();
  if (databaseUrl === '')
    throw new CliError(
      'There is nothing to migrate without DATABASE_URL: a data directory is brought up to date by the server.',
      exitCodes.settings,
    );
  const logger = errorLogger();
  const database = await openDatabase({
    url: databaseUrl,
    connectionsMax: 2,
    idleInTransactionMs: 0,
    statementsBounded: false,
    logger,
  });
  try {
    const text = await migrate(database, logger);
    return { json: { message: text }, text };
  } catch (error) {
    throw inWords(error);
  } finally {
    await database.close();
  }
}

/** What the database server says is for the person here: no right to create a schema, a wrong password, no such database. */
function inWords(error: unknown): CliError {
  const { message, cause } = error as Error;
  return new CliError(error instanceof AppError && cause instanceof Error ? `${message} (${cause.message})` : message);
}
