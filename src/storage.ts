/**
 * Where a deployment keeps everything: its engine, and beside it what the front ends share. The settings choose, here and nowhere
 * else: without any, one data directory; DATABASE_URL, a PostgreSQL database. What is not chosen is not loaded.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from './config.ts';
import { createEmbedder, embedderSettings } from './embed/create-embedder.ts';
import type { Engine } from './engines/engine.ts';
import type { PostgresEngine } from './engines/postgres/postgres-engine.ts';
import type { IdempotencyStore } from './http/idempotency.ts';
import type { EndedSessions } from './http/session.ts';
import type { Logger } from './logger.ts';
import { createReranker, rerankerSettings } from './search/create-reranker.ts';
import type { TaskId } from './tasks/task.ts';
import type { DeliveryLog } from './webhooks/delivery-log.ts';

export type StorageOptions = {
  readonly config: Config;
  /** ISO 8601. */
  readonly now: () => string;
  readonly newId: () => TaskId;
  readonly logger: Logger;
};

/** What a front end needs: what it shares with the others, and the engine. */
export type FrontEndStorage = {
  /** What signs logins: 32 random bytes. */
  readonly sessionSecret: Uint8Array;
  readonly idempotencyStore: IdempotencyStore;
  readonly endedSessions: EndedSessions;
  readonly deliveryLog: DeliveryLog;
  /** To be called once. May take a while, since it recovers what dead processes left. */
  openEngine(): Promise<Engine>;
  /** Whether workers of other hosts take the tasks as well. */
  readonly manyHosts: boolean;
  /** Whether a worker, in whatever process, has shown itself lately. */
  workerSeen(): Promise<boolean>;
};

type Role = 'frontend' | 'worker';

/** A search may run beside another; commits are one after the other anyway. */
const indexThreads = { frontend: 2, worker: 1 } as const;

/** @throws AppError `unavailable`: the database cannot be reached, or has no tables. */
export function openFrontEndStorage(options: StorageOptions): Promise<FrontEndStorage> {
  return options.config.databaseUrl === '' ? openFiles(options) : openPostgres(options);
}

/** @throws AppError `unavailable`: the data directory or the database cannot be used. */
export function openWorkerEngine(options: StorageOptions): Promise<Engine> {
  return options.config.databaseUrl === '' ? openFileEngine(options, 'worker') : openPostgresEngine(options, 'worker');
}

async function openFiles(options: StorageOptions): Promise<FrontEndStorage> {
  const { dataDir } = options.config;
  const [idempotency, sessions, { loadSessionSecret }, deliveryLog] = await Promise.all([
    import('./http/file-idempotency-store.ts'),
    import('./http/file-ended-sessions.ts'),
    import('./http/session-secret.ts'),
    openFileDeliveryLog(options),
  ]);
  return {
    sessionSecret: await loadSessionSecret(dataDir),
    idempotencyStore: idempotency.createFileIdempotencyStore(join(dataDir, 'idempotency')),
    endedSessions: sessions.createFileEndedSessions(join(dataDir, 'ended-sessions')),
    deliveryLog,
    openEngine: () => openFileEngine(options, 'frontend'),
    manyHosts: false,
    async workerSeen() {
      return (await readdir(join(dataDir, 'workers'))).some((owner) => owner.startsWith('w-'));
    },
  };
}

/** Webhooks are kept beside the engine's own files, but belong to the front ends: whichever leads sends them. */
async function openFileDeliveryLog({ config, newId }: StorageOptions): Promise<DeliveryLog> {
  const [{ createFileDeliveryLog }, { createDirectorySync }, { createDisk }] = await Promise.all([
    import('./engines/file/file-delivery-log.ts'),
    import('./engines/file/directory-sync.ts'),
    import('./engines/file/disk.ts'),
  ]);
  const disk = createDisk();
  const directory = join(config.dataDir, 'webhooks');
  return createFileDeliveryLog({ disk, directory, syncDirectory: createDirectorySync(disk), newId, leaseMs: 10_000 });
}

async function openFileEngine({ config, ...options }: StorageOptions, role: Role): Promise<Engine> {
  const [{ openFileEngine: open }, { openThreadedIndex }] = await Promise.all([
    import('./engines/file/file-engine.ts'),
    import('./search/threaded-index.ts'),
  ]);
  const opened = Promise.withResolvers<Engine>();
  async function* documents(): ReturnType<Engine['files']['documents']> {
    yield* (await opened.promise).files.documents();
  }
  const { logger } = options;
  const index = { embedder: embedderSettings(config), reranker: rerankerSettings(config), threads: indexThreads[role], logger };
  const engine = await open({
    ...options,
    dataDir: config.dataDir,
    role,
    openIndex: (indexDir) => openThreadedIndex({ ...index, indexDir, ...(role === 'worker' ? { documents } : {}) }),
    diskReserveBytes: config.diskReserveBytes,
    taskRetentionMs: config.taskRetentionHours * 3_600_000,
  });
  opened.resolve(engine);
  return engine;
}

async function openPostgres(options: StorageOptions): Promise<FrontEndStorage> {
  const [engine, { createHolds }, { createPostgresIdempotencyStore }, sessions, { createPostgresDeliveryLog }] = await Promise.all([
    openPostgresEngine(options, 'frontend'),
    import('./engines/postgres/holds.ts'),
    import('./engines/postgres/postgres-idempotency-store.ts'),
    import('./engines/postgres/postgres-ended-sessions.ts'),
    import('./engines/postgres/postgres-delivery-log.ts'),
  ]);
  const { database } = engine;
  const holds = createHolds(database);
  return {
    sessionSecret: await sessions.loadPostgresSessionSecret(database),
    idempotencyStore: createPostgresIdempotencyStore(database, holds),
    endedSessions: sessions.createPostgresEndedSessions(database),
    deliveryLog: createPostgresDeliveryLog(database, holds),
    openEngine: () => Promise.resolve(engine),
    manyHosts: true,
    workerSeen: () => Promise.resolve(engine.workerSeen),
  };
}

async function openPostgresEngine({ config, ...options }: StorageOptions, role: Role): Promise<PostgresEngine> {
  const [{ openPostgresEngine: open }, embedder, reranker] = await Promise.all([
    import('./engines/postgres/postgres-engine.ts'),
    createEmbedder(embedderSettings(config)),
    createReranker(rerankerSettings(config)),
  ]);
  return open({
    ...options,
    url: config.databaseUrl,
    role,
    workDir: join(config.dataDir, 'work'),
    embedder,
    reranker,
    connectionsMax: config.databaseConnections,
    taskRetentionMs: config.taskRetentionHours * 3_600_000,
  });
}
