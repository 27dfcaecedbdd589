import { expect, it, onTestFinished } from 'vitest';
import { openDatabase } from '../../../src/storage/postgres/database.ts';
import { unsafeSettings } from '../../../src/storage/postgres/schema.ts';
import { silentLogger } from '../../support/engine-steps.ts';
import { ask } from '../../support/postgres.ts';
import { sharedPostgres } from '../../support/shared-postgres.ts';

it('names the settings of a server that may forget what it has confirmed, as they are for this database', async () => {
  // The server that tests share is one.
  await using server = await sharedPostgres();
  const url = await server.newDatabase();
  const found = async (): Promise<string[]> => {
    const database = await openDatabase({ url, connectionsMax: 1, idleInTransactionMs: 0, logger: silentLogger });
    onTestFinished(() => database.close());
    return unsafeSettings(database);
  };

  expect(await found()).toEqual(['fsync = off', 'full_page_writes = off', 'synchronous_commit = off']);
  await ask(url, `ALTER DATABASE ${new URL(url).pathname.slice(1)} SET synchronous_commit = 'remote_apply'`);
  expect(await found()).toEqual(['fsync = off', 'full_page_writes = off']);
  await ask(url, `ALTER DATABASE ${new URL(url).pathname.slice(1)} RESET synchronous_commit`);
});
