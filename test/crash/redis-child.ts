/** A worker on the Redis engine, as `rigged-worker.ts` has them. Its first argument is an order as JSON. */
import { openRedisEngine } from '../../src/storage/redis/engine.ts';
import { redisEngineOptions } from '../support/redis-harness.ts';
import { runRiggedWorker } from './rigged-worker.ts';

export type RedisOrder = {
  readonly place: { readonly url: string; readonly prefix: string; readonly dataDir: string };
  readonly leaseMs: number;
};

const { place, leaseMs } = JSON.parse(process.argv[2] ?? '') as RedisOrder;
try {
  runRiggedWorker(await openRedisEngine({ ...redisEngineOptions(place, 'worker'), leaseMs }), place.dataDir);
} catch {
  // While the server is away it cannot start; then it is started again.
  process.exit(1);
}
