/** Several servers in one address: whichever is the primary is asked, wherever a connection is made. */
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { openDatabase } from '../../../src/storage/postgres/database.ts';
import { openListenConnection } from '../../../src/storage/postgres/listen-connection.ts';
import { openServers } from '../../../src/storage/postgres/servers.ts';
import { type CuttableLink, openCuttableLink } from '../../support/cuttable-link.ts';
import { silentLogger } from '../../support/engine-steps.ts';
import { freePlace, type PostgresNode, startPrimary, startStandby, urlOf } from '../../support/replicated-postgres.ts';
import { until } from '../../support/until.ts';

let first: PostgresNode;
let second: PostgresNode;
let links: readonly [CuttableLink, CuttableLink];

beforeAll(async () => {
  first = await startPrimary(await freePlace(), false);
  second = await startStandby(first, await freePlace(), false);
  links = [await openCuttableLink(first.place.port), await openCuttableLink(second.place.port)];
});
afterAll(async () => {
  for (const each of [...links, second, first]) await each[Symbol.asyncDispose]();
});

it('a standby is passed over wherever it stands, and where it is promoted, nobody waits for or goes back to the one before', async () => {
  const url = urlOf([links[1], links[0]].map(({ port }) => ({ address: '127.0.0.1', port })));
  const servers = await openServers(url, silentLogger);
  const database = await openDatabase({ url, servers, connectionsMax: 3, idleInTransactionMs: 0, logger: silentLogger });
  const listening = await openListenConnection({ servers, logger: silentLogger, onSignal() {}, onConnect() {} });
  onTestFinished(async () => {
    await listening.close();
    await database.close();
  });
  const write = (name: string): Promise<number> =>
    database.run('INSERT INTO secret(name, value) VALUES ($1, $2)', [name, Buffer.from(name)]);
  const portAsked = async (): Promise<unknown> =>
    (await database.query(`SELECT current_setting('port')::integer AS port`))[0]!['port'];

  expect(await portAsked()).toBe(first.place.port);
  await write('before');
  await until('the standby has it', async () => (await second.ask('SELECT 1 FROM rag_intake.secret')).length === 1);

  links[0].freeze();
  const waiting = Array.from({ length: 3 }, () => database.query('SELECT 1').catch((error: unknown) => error));
  await second.promote();
  expect(await Promise.all(waiting)).toMatchObject(Array(3).fill({ code: 'unavailable' }));
  await until('writing succeeds', () => write('after').then(Boolean));
  expect(await portAsked()).toBe(second.place.port);
  await until('notifications are heard again', () => listening.query('SELECT 1', []).then(Boolean));

  links[0].mend();
  links[1].cut();
  await expect(write('refused')).rejects.toMatchObject({ code: 'unavailable' });
  links[1].mend();
  await until('writing succeeds', () => write('at last').then(Boolean));
  expect(await first.ask('SELECT name FROM rag_intake.secret')).toEqual([{ name: 'before' }]);

  // Who starts now has seen nothing yet, and takes the newer one of two that say they are primary.
  const late = await openServers(url, silentLogger);
  const another = await openDatabase({ url, servers: late, connectionsMax: 1, idleInTransactionMs: 0, logger: silentLogger });
  onTestFinished(() => another.close());
  await another.query('SELECT 1');
  expect(late.asked).toBe(`127.0.0.1:${links[1].port}`);
});
