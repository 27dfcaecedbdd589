/** Processes on a Redis declare each other dead only when they can tell. */
import { connect } from '../../../src/storage/redis/connection.ts';
import { join } from '../../../src/storage/redis/membership.ts';
import { defineCommands } from '../../../src/storage/redis/scripts.ts';
import { membershipContract } from '../../contract/membership-contract.ts';
import { newId, silentLogger } from '../../support/engine-steps.ts';
import { askRedis, type RedisServer, startRedis } from '../../support/redis.ts';

let server: RedisServer;

membershipContract('a Redis', {
  async open() {
    server = await startRedis();
    return async () => {
      const prefix = `{test-${newId()}}`;
      const owners = `${prefix}:owners`;
      return {
        port: server.port,
        async take(id, port, clock) {
          const connection = await connect(`redis://127.0.0.1:${port}`, silentLogger);
          const commands = defineCommands(connection.redis);
          const onDeath = () => Promise.resolve();
          const parts = { connection, commands, prefix, queues: [], onDeath, logger: silentLogger };
          const membership = await join({ ...parts, id, role: 'worker', ...clock });
          return {
            turn: () => membership.turn(),
            lost: () => membership.lost.aborted,
            up: async () => connection.up,
            close: async () => connection.close(),
          };
        },
        alive: () => askRedis(server.url, async (redis) => (await redis.zrange(owners, '0', '-1')).toSorted()),
        age: (ms) =>
          askRedis(server.url, async (redis) => {
            for (const owner of await redis.zrange(owners, '0', '-1')) await redis.zincrby(owners, -ms, owner);
          }),
        hasConnection: (id) => askRedis(server.url, async (redis) => String(await redis.client('LIST')).includes(` name=${id} `)),
      };
    };
  },
  close: () => server[Symbol.asyncDispose](),
});
