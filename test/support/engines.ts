/** The engines that the end-to-end suites run on, and what of each of them a test may look at from outside. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask } from './postgres.ts';
import { sharedPostgres } from './shared-postgres.ts';
import { askRedis, startRedis } from './redis.ts';

/** Where one deployment keeps everything; spread it into `startServer`. */
export type Place = {
  readonly dataDir: string;
  /** The settings that choose the engine. */
  readonly engineEnv: Readonly<Record<string, string>>;
  /** What belongs to pieces of work that have not ended. */
  readonly unfinished: () => Promise<readonly string[]>;
  /** What there is of uploads that are still on their way. */
  readonly partialUploads: () => Promise<readonly string[]>;
};

/** An engine that is there for one test file. */
export type TestEngine = AsyncDisposable & { newPlace(): Promise<Place> };

export const engines: readonly { readonly name: string; readonly open: () => Promise<TestEngine> }[] = [
  { name: 'files', open: openFiles },
  { name: 'PostgreSQL', open: openPostgres },
  { name: 'Redis', open: openRedis },
];

/** Also the fourth way, which is made of parts of the others. */
export const enginesCombined: typeof engines = [...engines, { name: 'Redis and PostgreSQL', open: openRedisOnPostgres }];

async function openFiles(): Promise<TestEngine> {
  const folders = await createFolders();
  return {
    async newPlace() {
      const dataDir = await folders.create();
      return {
        dataDir,
        engineEnv: { DISK_RESERVE_BYTES: '0' },
        unfinished: () => filesIn(join(dataDir, 'queue')),
        partialUploads: async () => (await filesIn(join(dataDir, 'queue', 'active'))).filter(isPartialUpload),
      };
    },
    [Symbol.asyncDispose]: folders.remove,
  };
}

async function openPostgres(): Promise<TestEngine> {
  const folders = await createFolders();
  const server = await sharedPostgres();
  return {
    async newPlace() {
      const url = await server.newDatabase();
      const ids = async (sql: string): Promise<string[]> => (await ask(url, sql)).map(({ id }) => String(id));
      return {
        dataDir: await folders.create(),
        engineEnv: { DATABASE_URL: url },
        unfinished: () =>
          ids(`SELECT 'job ' || id AS id FROM rag_intake_jobs.job WHERE name = 'task' AND state < 'completed'
            UNION ALL SELECT 'lease ' || task FROM rag_intake.lease
            UNION ALL SELECT 'blob ' || id FROM rag_intake.blob WHERE owner IS NOT NULL`),
        partialUploads: () => ids('SELECT id FROM rag_intake.blob WHERE owner IS NOT NULL'),
      };
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await folders.remove();
    },
  };
}

async function openRedis(): Promise<TestEngine> {
  const folders = await createFolders();
  const servers: AsyncDisposable[] = [];
  return {
    async newPlace() {
      const dataDir = await folders.create();
      const server = await startRedis();
      servers.push(server);
      const pens = (): Promise<string[]> => filesIn(join(dataDir, 'queue', 'active'));
      return {
        dataDir,
        engineEnv: { QUEUE_URL: server.url, DISK_RESERVE_BYTES: '0' },
        unfinished: async () => [...(await pens()), ...(await unfinishedInRedis(server.url))],
        partialUploads: async () => (await pens()).filter(isPartialUpload),
      };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
      await folders.remove();
    },
  };
}

/** The tasks in Redis, files and index in PostgreSQL. */
async function openRedisOnPostgres(): Promise<TestEngine> {
  const [database, redis] = await Promise.all([openPostgres(), startRedis()]);
  return {
    async newPlace() {
      const place = await database.newPlace();
      return {
        ...place,
        engineEnv: { ...place.engineEnv, QUEUE_URL: redis.url },
        unfinished: async () => [...(await place.partialUploads()), ...(await unfinishedInRedis(redis.url))],
      };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([database[Symbol.asyncDispose](), redis[Symbol.asyncDispose]()]);
    },
  };
}

/** Tasks that somebody holds, those that wait for another of the same doc_id, and those whose holder is to stop. */
function unfinishedInRedis(url: string): Promise<string[]> {
  return askRedis(url, async (redis) => [
    ...(await redis.hkeys('{rag-intake}:held')),
    ...(await redis.zrange('{rag-intake}:parked', '0', '-1')),
    ...(await redis.smembers('{rag-intake}:cancels')),
  ]);
}

async function createFolders(): Promise<{ create: () => Promise<string>; remove: () => Promise<void> }> {
  const root = await mkdtemp(join(tmpdir(), 'rag-intake-'));
  return {
    create: () => mkdtemp(join(root, 'data-')),
    remove: () => rm(root, { recursive: true, force: true, maxRetries: 5 }),
  };
}

function isPartialUpload(path: string): boolean {
  return /\/up\.[^/]*$/.test(path);
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => `${entry.parentPath}/${entry.name}`);
}
