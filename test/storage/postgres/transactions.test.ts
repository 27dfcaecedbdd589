/** What one small document asks of a database, counted on the wire between a real server and its PostgreSQL. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { senderTo, smallText } from '../../bench/small-uploads.ts';
import { removeDir, makeDataDir, startServer, type TestServer } from '../../support/server.ts';
import { type Databases } from '../../support/postgres.ts';
import { sharedPostgres } from '../../support/shared-postgres.ts';
import { openStatementLink, type StatementLink } from '../../support/statement-link.ts';
import { isForDocuments } from '../../support/document-transactions.ts';

const transactionsMax = 6;
const statementsMax = 60;

let databases: Databases;
let link: StatementLink;
let server: TestServer;

beforeAll(async () => {
  databases = await sharedPostgres();
  const url = new URL(await databases.newDatabase());
  link = await openStatementLink(databases.port);
  url.port = String(link.port);
  server = await startServer({ dataDir: await makeDataDir(), engineEnv: { DATABASE_URL: url.href }, env: { LOG_LEVEL: 'error' } });
});

afterAll(async () => {
  await server.stop();
  await removeDir(server.dataDir);
  await link[Symbol.asyncDispose]();
  await databases[Symbol.asyncDispose]();
});

it(`a small document is ${transactionsMax} transactions at most until its client is told that it is searchable, and none but one notifies`, async () => {
  const sender = senderTo(server.url, 1);
  for (let number = 0; number < 3; number += 1) await sender.send(`first-${number}`, smallText());
  link.take();

  const documents = 10;
  for (let number = 0; number < documents; number += 1) await sender.send(`doc-${number}`, smallText());
  sender.close();

  const transactions = link.take().filter(isForDocuments);
  const statements = transactions.flat();
  const listed = [...Map.groupBy(transactions, (each) => each.slice(0, 3).join(' | '))].map(
    ([what, { length }]) => `${length} × ${what}`,
  );
  expect(transactions.length, listed.join('\n')).toBeLessThanOrEqual(transactionsMax * documents);
  expect(statements.length).toBeLessThanOrEqual(statementsMax * documents);
  const notifying = transactions.filter((each) => each.some((statement) => statement.includes('pg_notify')));
  expect(notifying.filter((each) => each.length > 1)).toEqual([]);
});
