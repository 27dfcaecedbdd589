import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { openDatabase } from '../../../src/storage/postgres/database.ts';
import { silentLogger } from '../../support/engine-steps.ts';
import { ask } from '../../support/postgres.ts';
import { sharedPostgres } from '../../support/shared-postgres.ts';
import { until } from '../../support/until.ts';

/** A message of the protocol. */
function message(kind: string, body: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(4 + Buffer.byteLength(body, 'latin1'));
  return Buffer.concat([Buffer.from(kind), length, Buffer.from(body, 'latin1')]);
}

it('a server that dies in the moment in which it lets us in costs a query, not the process', async () => {
  const welcome = [message('R', '\0\0\0\0'), message('Z', 'I')];
  const farewell = message('E', 'SFATAL\0C57P01\0Mterminating connection due to unexpected postmaster exit\0\0');
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(Buffer.concat([...welcome, farewell])));
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `postgres://test@127.0.0.1:${port}/test`;
  const database = await openDatabase({ url, connectionsMax: 2, idleInTransactionMs: 1000, logger: silentLogger });

  await expect(database.query('SELECT 1')).rejects.toMatchObject({ code: 'unavailable' });
  await database.close();
});

it('a snapshot that nobody waits for ends at once: waiting for a connection, or in the middle of a statement', async () => {
  await using server = await sharedPostgres();
  const url = await server.newDatabase();
  const database = await openDatabase({ url, connectionsMax: 2, idleInTransactionMs: 0, logger: silentLogger });
  onTestFinished(() => database.close());
  const sleeping = async (): Promise<number> =>
    Number(
      (
        await ask(
          url,
          "SELECT count(*) AS n FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND state = 'active' AND pid <> pg_backend_pid() AND datname = current_database()",
        )
      )[0]!['n'],
    );
  const sleep = (signal?: AbortSignal): Promise<unknown> => database.snapshot(() => database.query('SELECT pg_sleep(50)'), signal);

  const gone = new AbortController();
  const running = sleep(gone.signal);
  await until('the statement runs', async () => (await sleeping()) === 1);
  gone.abort();
  await expect(running).rejects.toMatchObject({ code: 'unavailable', message: 'The client has disconnected.' });
  expect(await sleeping()).toBe(0);

  const holders = [new AbortController(), new AbortController()];
  const held = holders.map(({ signal }) => sleep(signal).catch((error: Error) => error.message));
  await until('both connections are taken', async () => (await sleeping()) === 2);
  const later = new AbortController();
  const waiting = database.snapshot(() => database.query('SELECT 1'), later.signal);
  later.abort();
  await expect(waiting).rejects.toMatchObject({ message: 'The client has disconnected.' });

  await ask(
    url,
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid() AND datname = current_database()",
  );
  await Promise.all(held);
  expect(await database.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
});
