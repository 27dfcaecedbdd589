/** Processes on a PostgreSQL declare each other dead only when they can tell. */
import { openDatabase } from '../../../src/storage/postgres/database.ts';
import { letsIn, openListenConnection } from '../../../src/storage/postgres/listen-connection.ts';
import { join } from '../../../src/storage/postgres/membership.ts';
import { membershipContract } from '../../contract/membership-contract.ts';
import { openServers } from '../../../src/storage/postgres/servers.ts';
import { silentLogger } from '../../support/engine-steps.ts';
import { ask, type Databases } from '../../support/postgres.ts';
import { sharedPostgres } from '../../support/shared-postgres.ts';

let server: Databases;

membershipContract('a PostgreSQL', {
  async open() {
    server = await sharedPostgres();
    return async () => {
      const direct = await server.newDatabase();
      return {
        port: server.port,
        async take(id, port, clock) {
          const through = new URL(direct);
          through.port = String(port);
          const url = through.href;
          const logger = silentLogger;
          const servers = await openServers(url, logger);
          const database = await openDatabase({ url, connectionsMax: 2, idleInTransactionMs: 0, logger });
          const listenConnection = await openListenConnection({ servers, logger, onSignal() {}, onConnect() {} });
          const recover = () => Promise.resolve([]);
          const onDeath = () => Promise.resolve();
          const parts = {
            database,
            listenConnection,
            letsIn: (count: number) => letsIn(servers, count),
            recover,
            onDeath,
            logger,
          };
          const membership = await join({ ...parts, id, role: 'worker', ...clock });
          return {
            turn: () => membership.turn(),
            lost: () => membership.lost.aborted,
            up: () =>
              listenConnection.query('SELECT 1', []).then(
                () => true,
                () => false,
              ),
            async close() {
              await listenConnection.close();
              await database.close();
            },
          };
        },
        alive: async () => (await ask(direct, 'SELECT id FROM rag_intake.owner ORDER BY id')).map(({ id }) => id as string),
        age: async (ms) =>
          void (await ask(direct, `UPDATE rag_intake.owner SET seen_at = seen_at - $1::float * interval '1 ms'`, [ms])),
        hasConnection: async (id) =>
          (await ask(direct, 'SELECT 1 FROM rag_intake.owner JOIN pg_stat_activity ON pid = backend WHERE id = $1', [id])).length >
          0,
      };
    };
  },
  close: () => server[Symbol.asyncDispose](),
});
