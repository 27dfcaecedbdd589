import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { openDatabase } from '../../../src/engines/postgres/database.ts';
import { silentLogger } from '../../support/engine-steps.ts';

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
