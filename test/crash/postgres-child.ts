/** A worker on the PostgreSQL engine, as `rigged-worker.ts` has them. Its first argument is an order as JSON. */
import { join } from 'node:path';
import { openPostgresEngine } from '../../src/storage/postgres/engine.ts';
import { postgresEngineOptions } from '../support/postgres-harness.ts';
import { runRiggedWorker } from './rigged-worker.ts';

export type PostgresOrder = {
  readonly url: string;
  /** The folder of this host: scratch space, and notes of which orders were followed. */
  readonly dir: string;
  readonly leaseMs: number;
};

const { url, dir, leaseMs } = JSON.parse(process.argv[2] ?? '') as PostgresOrder;
try {
  runRiggedWorker(await openPostgresEngine({ ...postgresEngineOptions(url, 'worker', join(dir, 'work')), leaseMs }), dir);
} catch {
  // While the server is away it cannot start; then it is started again.
  process.exit(1);
}
