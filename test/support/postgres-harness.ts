/** The PostgreSQL engine for the contract suites. */
import pg from 'pg';
import { createBuiltinEmbedder } from '../../src/embed/builtin-embedder.ts';
import type { ObjectStore } from '../../src/storage/objects/object-store.ts';
import { openPostgresEngine, type PostgresEngineOptions } from '../../src/storage/postgres/engine.ts';
import type { EngineHarness } from '../contract/engine-harness.ts';
import { newId, silentLogger } from './engine-steps.ts';
import { createLinkedHarness } from './linked-harness.ts';
import type { Databases } from './postgres.ts';

/** Settings with which tests open the engine. A lease of 3 s: every test that waits for one to end waits that long. */
export function postgresEngineOptions(url: string, role: 'frontend' | 'worker', workDir: string): PostgresEngineOptions {
  return {
    url,
    role,
    workDir,
    embedder: createBuiltinEmbedder(),
    connectionsMax: 6,
    taskRetentionMs: 86_400_000,
    leaseMs: 3000,
    now: () => new Date().toISOString(),
    newId,
    logger: silentLogger,
  };
}

export async function createPostgresHarness(server: Databases, objects: ObjectStore | null = null): Promise<EngineHarness> {
  const url = await server.newDatabase();
  // Asked again and again: a connection each time would be most of the work.
  const watcher = new pg.Client({ connectionString: url });
  await watcher.connect();
  const harness = await createLinkedHarness({
    serverPort: server.port,
    openEngine(role, port, dir, clock) {
      const through = new URL(url);
      through.port = String(port);
      return openPostgresEngine({ ...postgresEngineOptions(through.href, role, dir), objects, ...clock });
    },
    owners: async () => (await watcher.query('SELECT id FROM rag_intake.owner')).rows.length,
  });
  return {
    ...harness,
    async [Symbol.asyncDispose]() {
      await harness[Symbol.asyncDispose]();
      await watcher.end();
      server.release(url);
    },
  };
}
