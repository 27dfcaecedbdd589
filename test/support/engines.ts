/** The engines that the end-to-end suites run on, and what of each of them a test may look at from outside. */
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SearcherName } from '../../src/storage/postgres/searchers.ts';
import type { ObjectStore } from '../../src/storage/objects/object-store.ts';
import { parseFilesUrl } from '../../src/storage/objects/files-url.ts';
import { openS3 } from '../../src/storage/objects/s3.ts';
import { objectCredentials, startObjectServerApart } from './object-server.ts';
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
  /** Where its files lie in an object store. */
  readonly objects?: ObjectStore;
};

/** An engine that is there for one test file. */
export type TestEngine = AsyncDisposable & { newPlace(): Promise<Place> };

/** `keepsVectors`: whether an embedder may be beside it; absent: yes. */
type EngineRow = { readonly name: string; readonly open: () => Promise<TestEngine>; readonly keepsVectors?: false };

const rows: readonly EngineRow[] = [
  { name: 'files', open: openFiles },
  { name: 'PostgreSQL', open: () => openPostgres() },
  { name: 'Redis', open: openRedis },
];

/** Made of parts of the others: a way of their own in some suites alone, since every row costs each suite its time. */
const combinedRows: readonly EngineRow[] = [{ name: 'Redis and PostgreSQL', open: openRedisOnPostgres }];

/**
 * Run by their names alone: what is their own has suites of its own (`test/storage/postgres/outbox`, `object-blobs.test.ts`). With full text pages
 * of a search may overlap (docs/scale.md).
 */
const namedRows: readonly EngineRow[] = [
  { name: 'PostgreSQL searched by full text', open: () => openPostgres('postgres-fulltext'), keepsVectors: false },
  { name: 'PostgreSQL and S3', open: openPostgresAndS3 },
];

/** `TEST_ENGINE=name` runs a suite on that one alone, also where it is not among those that it runs on otherwise. */
const chosen = [...rows, ...combinedRows, ...namedRows].filter(({ name }) => name === process.env['TEST_ENGINE']);

export const engines: readonly EngineRow[] = chosen.length > 0 ? chosen : rows;

/** Also those that are made of parts of the others. */
export const enginesCombined: readonly EngineRow[] = chosen.length > 0 ? chosen : [...rows, ...combinedRows];

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

async function openPostgres(searcher: SearcherName = 'segments'): Promise<TestEngine> {
  const folders = await createFolders();
  const server = await sharedPostgres();
  return {
    async newPlace() {
      const url = await server.newDatabase();
      if (searcher !== 'segments') await ask(url, 'INSERT INTO rag_intake.searcher(name) VALUES ($1)', [searcher]);
      const ids = async (sql: string): Promise<string[]> => (await ask(url, sql)).map(({ id }) => String(id));
      return {
        dataDir: await folders.create(),
        engineEnv: { DATABASE_URL: url, SEARCHER: searcher },
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

/** The files in an object store; an object that no blob refers to is what an upload or a document has left. */
async function openPostgresAndS3(): Promise<TestEngine> {
  const [database, server] = await Promise.all([openPostgres(), startObjectServerApart()]);
  const { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY } = objectCredentials;
  let buckets = 0;
  return {
    async newPlace() {
      const place = await database.newPlace();
      buckets += 1;
      const FILES_URL = server.filesUrl(`place${buckets}`);
      const objects = await openS3({ ...parseFilesUrl(FILES_URL)!, ...objectCredentials });
      async function unreferred(): Promise<string[]> {
        const keys: string[] = [];
        for await (const page of objects.list('')) keys.push(...page.filter((key) => !key.endsWith('/space')));
        const rows = await ask(place.engineEnv['DATABASE_URL']!, 'SELECT object FROM rag_intake.blob');
        const referred = new Set(rows.map(({ object }) => object));
        return keys.filter((key) => !referred.has(key.slice(key.indexOf('/') + 1)));
      }
      async function partialUploads(): Promise<string[]> {
        const work = join(place.dataDir, 'work');
        const arriving = existsSync(work) ? (await filesIn(work)).filter((path) => path.includes('/arriving.')) : [];
        return [...arriving, ...(await unreferred())];
      }
      return {
        ...place,
        engineEnv: { ...place.engineEnv, FILES_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY },
        objects,
        unfinished: async () => [...(await place.unfinished()), ...(await partialUploads())],
        partialUploads,
      };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([database[Symbol.asyncDispose](), server[Symbol.asyncDispose]()]);
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
