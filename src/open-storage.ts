/**
 * Where a deployment keeps everything: its engine, and beside it what the front ends share. The settings choose, here and nowhere
 * else: without any, one data directory; DATABASE_URL, a PostgreSQL database; QUEUE_URL, a Redis for the tasks, beside either. What
 * is not chosen is not loaded.
 */
import { mkdir, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Config } from './config.ts';
import { createEmbedder, embedderSettings } from './embed/create-embedder.ts';
import type { DamageLog } from './storage/damage-log.ts';
import type { Engine, StoreFigures } from './storage/engine.ts';
import type { SteadyClock } from './storage/file/ownership/steady-clock.ts';
import type { Database } from './storage/postgres/database.ts';
import type { PostgresContent } from './storage/postgres/content.ts';
import type { PostgresEngine } from './storage/postgres/engine.ts';
import type { RedisEngine } from './storage/redis/engine.ts';
import type { ObjectStore } from './storage/objects/object-store.ts';
import type { IdempotencyStore } from './storage/idempotency-store.ts';
import type { EndedSessions } from './storage/ended-sessions.ts';
import { withFirstHost } from './storage/database-url.ts';
import { AppError } from './errors.ts';
import type { Logger } from './logger.ts';
import type { DocumentIndex } from './search/document-index.ts';
import { createReranker, rerankerSettings } from './search/models/create-reranker.ts';
import type { TaskId } from './tasks/task.ts';
import { troubleOf } from './trouble.ts';
import type { DeliveryLog } from './storage/delivery-log.ts';

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
  /** What the check for damage has found. */
  readonly damageLog: DamageLog;
  /** What an object store was asked by this process; null where files lie elsewhere. */
  fileStore(): StoreFigures | null;
  /** Takes part as an owner; again, as another one, when that was lost. May take a while, since it recovers what dead processes left. */
  openEngine(): Promise<Engine>;
  /** Whether workers of other hosts take the tasks as well. */
  readonly manyHosts: boolean;
  /** Whether a worker, in whatever process, has shown itself lately. */
  workerSeen(): Promise<boolean>;
};

export type WorkerStorage = Pick<FrontEndStorage, 'damageLog' | 'fileStore'> & { readonly engine: Engine };

type Role = 'frontend' | 'worker';

/** A search may run beside another; commits are one after the other anyway. */
const indexThreads = { frontend: 2, worker: 1 } as const;

/** @throws AppError `unavailable`: the database cannot be reached, or has no tables. */
export function openFrontEndStorage(options: StorageOptions): Promise<FrontEndStorage> {
  return options.config.databaseUrl === '' ? openDirectory(options) : openDatabaseStorage(options);
}

/** @throws AppError `unavailable`: the data directory, the database or Redis cannot be used. */
export async function openWorkerStorage(options: StorageOptions): Promise<WorkerStorage> {
  const { databaseUrl, queueUrl, dataDir } = options.config;
  if (databaseUrl !== '') {
    const { engine, database, fileStore } = await openDatabaseEngine(options, 'worker');
    return { engine, damageLog: await openDatabaseDamageLog(database), fileStore };
  }
  const damageLog = await openFileDamageLog(dataDir);
  const engine = await (queueUrl === '' ? openFileEngine(options, 'worker') : openRedisEngine(options, 'worker'));
  return { engine, damageLog, fileStore: () => null };
}

/** @throws AppError as `openWorkerStorage` does. */
export async function openWorkerEngine(options: StorageOptions): Promise<Engine> {
  return (await openWorkerStorage(options)).engine;
}

/** The files that DATABASE_URL names (`?sslrootcert=…`): a worker reads them although it is confined. */
export function certificateFiles({ databaseUrl }: Config): string[] {
  if (databaseUrl === '') return [];
  const named = new URL(withFirstHost(databaseUrl)).searchParams;
  return ['sslrootcert', 'sslcert', 'sslkey'].flatMap((name) => named.get(name) ?? []).map((path) => resolve(path));
}

/** Front ends share what they keep through the data directory, whoever has the tasks. */
async function openDirectory(options: StorageOptions): Promise<FrontEndStorage> {
  const { dataDir, queueUrl } = options.config;
  const clock = await openClock(options);
  const [idempotency, sessions, { loadSessionSecret }, deliveryLog, damageLog] = await Promise.all([
    import('./storage/file/shared/idempotency-store.ts'),
    import('./storage/file/shared/ended-sessions.ts'),
    import('./storage/file/shared/session-secret.ts'),
    openFileDeliveryLog(options, clock),
    openFileDamageLog(dataDir),
  ]);
  return {
    sessionSecret: await loadSessionSecret(dataDir, options.logger),
    idempotencyStore: idempotency.createFileIdempotencyStore(join(dataDir, 'idempotency'), clock.age),
    endedSessions: sessions.createFileEndedSessions(join(dataDir, 'ended-sessions'), () => Date.parse(options.now())),
    deliveryLog,
    damageLog,
    fileStore: () => null,
    ...(queueUrl === '' ? tasksInDirectory(options) : tasksInRedis(options)),
  };
}

type Tasks = Pick<FrontEndStorage, 'openEngine' | 'manyHosts' | 'workerSeen'>;

function tasksInDirectory(options: StorageOptions): Tasks {
  return {
    openEngine: () => openFileEngine(options, 'frontend'),
    manyHosts: false,
    async workerSeen() {
      return (await readdir(join(options.config.dataDir, 'workers'))).some((owner) => owner.startsWith('w-'));
    },
  };
}

function tasksInRedis(options: StorageOptions): Tasks {
  let engine: RedisEngine | null = null;
  return {
    openEngine: async () => (engine = await openRedisEngine(options, 'frontend')),
    manyHosts: true,
    workerSeen: () => Promise.resolve(engine?.workerSeen ?? false),
  };
}

async function openFileDamageLog(dataDir: string): Promise<DamageLog> {
  const [{ createFileDamageLog }, { createDisk }] = await Promise.all([
    import('./storage/file/damage-log.ts'),
    import('./storage/file/disk/disk.ts'),
  ]);
  return createFileDamageLog({ disk: createDisk(), dataDir: resolve(dataDir) });
}

async function openDatabaseDamageLog(database: Database): Promise<DamageLog> {
  const { createPostgresDamageLog } = await import('./storage/postgres/damage-log.ts');
  return createPostgresDamageLog(database);
}

/** The machine's clock, for the age of files; a jump is remembered for longer than anything here is kept. */
async function openClock({ now }: StorageOptions): Promise<SteadyClock> {
  const { createSteadyClock } = await import('./storage/file/ownership/steady-clock.ts');
  return createSteadyClock({
    wallMs: () => Date.parse(now()),
    monotonicMs: () => performance.now(),
    settleMs: 365 * 86_400_000,
  });
}

/** Webhooks are kept beside the engine's own files, but belong to the front ends: whichever leads sends them. */
async function openFileDeliveryLog({ config, newId }: StorageOptions, { age }: SteadyClock): Promise<DeliveryLog> {
  const [{ createFileDeliveryLog }, { createDirectorySync }, { createDisk }] = await Promise.all([
    import('./storage/file/shared/delivery-log.ts'),
    import('./storage/file/disk/directory-sync.ts'),
    import('./storage/file/disk/disk.ts'),
  ]);
  const disk = createDisk();
  const directory = join(config.dataDir, 'webhooks');
  return createFileDeliveryLog({ disk, directory, syncDirectory: createDirectorySync(disk), newId, age, leaseMs: 10_000 });
}

async function openFileEngine({ config, ...options }: StorageOptions, role: Role): Promise<Engine> {
  const [{ openFileEngine: open }, indexOf] = await Promise.all([import('./storage/file/engine.ts'), loadIndex()]);
  const { openIndex, opened } = indexOf(config, role, options.logger);
  return opened(
    await open({
      ...options,
      dataDir: config.dataDir,
      role,
      openIndex,
      diskReserveBytes: config.diskReserveBytes,
      taskRetentionMs: retentionMs(config),
    }),
  );
}

async function openRedisEngine({ config, ...options }: StorageOptions, role: Role): Promise<RedisEngine> {
  const [{ openRedisEngine: open }, { openDirectoryFiles }, indexOf] = await Promise.all([
    import('./storage/redis/engine.ts'),
    import('./storage/file/content/directory-files.ts'),
    loadIndex(),
  ]);
  const { dataDir, diskReserveBytes } = config;
  const { openIndex, opened } = indexOf(config, role, options.logger);
  return opened(
    await open({
      ...options,
      url: config.queueUrl,
      role,
      openFiles: (owner) => openDirectoryFiles({ ...options, dataDir, owner, diskReserveBytes }),
      openIndex: async () => {
        const indexDir = resolve(dataDir, 'index');
        await mkdir(indexDir, { recursive: true });
        return openIndex(indexDir);
      },
      taskRetentionMs: retentionMs(config),
    }),
  );
}

/** The index file; a worker makes it anew from the documents of the engine that it is opened for, when it is damaged. */
async function loadIndex() {
  const { openThreadedIndex } = await import('./search/sqlite/threaded-index.ts');
  return (config: Config, role: Role, logger: Logger) => {
    const engine = Promise.withResolvers<Engine>();
    async function* documents(): ReturnType<Engine['files']['documents']> {
      yield* (await engine.promise).files.documents();
    }
    const settings = {
      embedder: embedderSettings(config),
      reranker: rerankerSettings(config),
      translates: config.translate,
      threads: indexThreads[role],
      logger,
    };
    return {
      openIndex: (indexDir: string): Promise<DocumentIndex> =>
        openThreadedIndex({ ...settings, indexDir, ...(role === 'worker' ? { documents } : {}) }).catch((error: unknown) => {
          throw indexRefused(indexDir, error);
        }),
      opened: <E extends Engine>(opened: E): E => {
        engine.resolve(opened);
        return opened;
      },
    };
  };
}

/** Of a start: the index knows only that it cannot be used. */
function indexRefused(indexDir: string, error: unknown): unknown {
  if (!(error instanceof AppError) || !(error.cause instanceof Error)) return error;
  if (troubleOf(error) === null) return error;
  return new AppError('unavailable', `DATA_DIR: the index in ${indexDir} cannot be opened`, { cause: error.cause });
}

/** The first engine is opened here, since what front ends share lies in its database; they follow it to the next one. */
async function openDatabaseStorage(options: StorageOptions): Promise<FrontEndStorage> {
  const [
    first,
    { following },
    { createAdvisoryLocks },
    { createPostgresIdempotencyStore },
    sessions,
    { createPostgresDeliveryLog },
  ] = await Promise.all([
    openDatabaseEngine(options, 'frontend'),
    import('./storage/lasting-engine.ts'),
    import('./storage/postgres/advisory-locks.ts'),
    import('./storage/postgres/idempotency-store.ts'),
    import('./storage/postgres/ended-sessions.ts'),
    import('./storage/postgres/delivery-log.ts'),
  ]);
  let current = first;
  const database = following(() => current.database, {});
  const locks = createAdvisoryLocks(database);
  return {
    sessionSecret: await sessions.loadPostgresSessionSecret(database),
    idempotencyStore: createPostgresIdempotencyStore(database, locks),
    endedSessions: sessions.createPostgresEndedSessions(database),
    deliveryLog: createPostgresDeliveryLog(database, locks),
    damageLog: await openDatabaseDamageLog(database),
    fileStore: () => current.fileStore(),
    async openEngine() {
      if (current.engine.lost.aborted) current = await openDatabaseEngine(options, 'frontend');
      return current.engine;
    },
    manyHosts: true,
    workerSeen: () => Promise.resolve(current.engine.workerSeen),
  };
}

type DatabaseEngine = Pick<FrontEndStorage, 'fileStore'> & {
  readonly engine: PostgresEngine | RedisEngine;
  readonly database: Database;
};

/** Everything in the database, or files and index there and the tasks in Redis. */
async function openDatabaseEngine(options: StorageOptions, role: Role): Promise<DatabaseEngine> {
  if (options.config.queueUrl !== '') return openRedisOnPostgres(options, role);
  const [{ openPostgresEngine }, parts] = await Promise.all([
    import('./storage/postgres/engine.ts'),
    databaseOptions(options, role),
  ]);
  const engine = await openPostgresEngine({ ...parts, taskRetentionMs: retentionMs(options.config) });
  return { engine, database: engine.database, fileStore: () => parts.objects?.figures() ?? null };
}

async function openRedisOnPostgres(options: StorageOptions, role: Role): Promise<DatabaseEngine> {
  const [{ openRedisEngine: open }, { openPostgresContent }, parts] = await Promise.all([
    import('./storage/redis/engine.ts'),
    import('./storage/postgres/content.ts'),
    databaseOptions(options, role),
  ]);
  const content = Promise.withResolvers<PostgresContent>();
  const engine = await open({
    ...parts,
    url: options.config.queueUrl,
    async openFiles(owner) {
      const opened = await openPostgresContent({ ...parts, owner });
      content.resolve(opened);
      return opened.files;
    },
    openIndex: async () => (await content.promise).index,
    taskRetentionMs: retentionMs(options.config),
  });
  return { engine, database: (await content.promise).database, fileStore: () => parts.objects?.figures() ?? null };
}

async function databaseOptions({ config, ...options }: StorageOptions, role: Role) {
  const [embedder, reranker] = await Promise.all([
    createEmbedder(embedderSettings(config)),
    createReranker(rerankerSettings(config)),
  ]);
  const { databaseUrl: url, databaseConnections: connectionsMax, dataDir } = config;
  const readUrls = role === 'frontend' ? config.databaseReadUrls : [];
  const objects = await openObjectStore(config);
  return {
    ...options,
    url,
    role,
    workDir: join(dataDir, 'work'),
    embedder,
    reranker,
    translates: config.translate,
    connectionsMax,
    readUrls,
    directUrl: config.databaseDirectUrl,
    objects,
    searcher: config.searcher,
  };
}

/** Where FILES_URL says that files lie; null for the database. Does not connect yet. */
export async function openObjectStore(config: Config): Promise<ObjectStore | null> {
  if (config.filesUrl === null) return null;
  const { openS3 } = await import('./storage/objects/s3.ts');
  const { awsAccessKeyId: accessKeyId, awsSecretAccessKey: secretAccessKey, awsSessionToken: sessionToken } = config;
  return openS3({ ...config.filesUrl, accessKeyId, secretAccessKey, sessionToken });
}

function retentionMs({ taskRetentionHours }: Config): number {
  return taskRetentionHours * 3_600_000;
}
