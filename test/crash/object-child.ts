/**
 * A worker on PostgreSQL and an object store, as `rigged-worker.ts` has them; it also dies after a put or before a delete, whichever
 * the folder of this host holds an order for. Its first argument is an order as JSON.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseFilesUrl } from '../../src/storage/objects/files-url.ts';
import type { ObjectStore } from '../../src/storage/objects/object-store.ts';
import { openS3 } from '../../src/storage/objects/s3.ts';
import { openPostgresEngine } from '../../src/storage/postgres/engine.ts';
import { objectCredentials } from '../support/object-server.ts';
import { postgresEngineOptions } from '../support/postgres-harness.ts';
import type { PostgresOrder } from './postgres-child.ts';
import { runRiggedWorker } from './rigged-worker.ts';

type ObjectOrder = PostgresOrder & { readonly filesUrl: string };

/** Where a worker dies that finds a file of this name; whoever finds it first removes it. */
const storePoints = ['after-put', 'before-delete'] as const;

const { url, dir, leaseMs, filesUrl } = JSON.parse(process.argv[2] ?? '') as ObjectOrder;
const objects = dying(await openS3({ ...parseFilesUrl(filesUrl)!, ...objectCredentials }));
const options = { ...postgresEngineOptions(url, 'worker', join(dir, 'work')), leaseMs, objects };
runRiggedWorker(await openPostgresEngine(options), dir);

function dying(store: ObjectStore): ObjectStore {
  return {
    ...store,
    async put(key, source) {
      await store.put(key, source);
      follow('after-put');
    },
    async delete(key) {
      follow('before-delete');
      await store.delete(key);
    },
  };
}

function follow(point: (typeof storePoints)[number]): void {
  try {
    rmSync(join(dir, point));
  } catch {
    return;
  }
  process.kill(process.pid, 'SIGKILL');
}
