/** The tables of a database: made, or brought up to date. */
import { openObjectStore } from '../open-storage.ts';
import { openDatabase, settlePooler } from '../storage/postgres/database.ts';
import { migrate } from '../storage/postgres/schema.ts';
import { CliError, exitCodes } from './cli-error.ts';
import { errorLogger, localSettings } from './local-settings.ts';
import type { Said } from './queries.ts';

/**
 * Makes the tables in DATABASE_URL, or brings older ones up to date, and puts SEARCHER in charge; safe twice, and while servers run on the same
 * version with the same searcher. `refill`: a searcher that follows is told everything anew.
 */
export async function migrateDatabase({ refill }: { readonly refill: boolean }): Promise<Said> {
  const config = localSettings();
  const { databaseUrl, databaseDirectUrl } = config;
  if (databaseUrl === '')
    throw new CliError(
      'There is nothing to migrate without DATABASE_URL: the server itself updates a data directory.',
      exitCodes.settings,
    );
  const logger = errorLogger();
  const database = await openDatabase({
    url: databaseDirectUrl === '' ? databaseUrl : databaseDirectUrl,
    connectionsMax: 2,
    idleInTransactionMs: 0,
    statementsBounded: false,
    logger,
  });
  try {
    const text = await migrate(database, logger, await openObjectStore(config), { searcher: config.searcher, refill });
    if (databaseDirectUrl !== '') await settlePooler(database);
    return { json: { message: text }, text };
  } finally {
    await database.close();
  }
}
