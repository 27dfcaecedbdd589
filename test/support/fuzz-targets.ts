/** What the fuzz of HTTP is let loose on: services in memory, or the real server on one of the engines. */
import { taskStatuses, type Task } from '../../src/tasks/task.ts';
import type { TestEngine } from './engines.ts';
import { startHttpServer } from './http-server.ts';
import type { MemoryServices } from './memory-services.ts';
import { answering, optionalRoutes } from './optional-routes.ts';
import { startServer } from './server.ts';

/** What needs an id, a filter or a line of its own that nobody hits upon: their own tests show them. */
const neverGuessed = [
  'insertBatch',
  'convertFile',
  'deleteDocuments',
  'openAiDeleteFile',
  'openAiGetFile',
  'openAiGetFileContent',
  'openAiAttachFile',
  'openAiGetVectorStoreFile',
  'openAiUpdateVectorStoreFile',
  'openAiDetachFile',
  'openAiGetVectorStoreFileContent',
];

export type FuzzTarget = AsyncDisposable & {
  readonly url: string;
  /** Operations that cannot be answered well here. */
  readonly hopeless: readonly string[];
  /** The id of a task that is there; a number chooses which. */
  task(choice: number): string | undefined;
  /** Shown every answer. */
  see(text: string): void;
  /** What uploads have left that no task has. */
  leftovers(): Promise<readonly string[]>;
  /** What was logged as an error. */
  errors(): readonly unknown[];
};

const limits = { fileBytesMax: 20_000, syncBytesMax: 10_000, syncWaitMs: 5 };

export async function inMemory(): Promise<FuzzTarget> {
  const server = await startHttpServer({
    settings: limits,
    // Client and server share one process here: an idle connection must not end while a long computation holds both up.
    limits: { lingerMs: 50, keepAliveMs: 600_000 },
    memory: { ingest },
    extraRoutes: await optionalRoutes(),
    services: answering,
  });
  return {
    url: server.url,
    // Without keys there is nothing to log in to, and without a file of them none is made.
    hopeless: ['login', 'createKey', 'revokeKey', ...neverGuessed],
    /** The newest in some status. */
    task(choice) {
      const wanted = taskStatuses[choice % taskStatuses.length];
      return [...server.memory.tasks.values()].filter(({ task }) => task.status === wanted).at(-1)?.task.id;
    },
    see() {},
    async leftovers() {
      const files = await server.files();
      return files.length === server.memory.tasks.size ? [] : files;
    },
    errors: () => server.log.filter(({ level }) => level === 'error'),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Some tasks fail, some never end. */
function ingest({ id, fileBytes }: Task, memory: MemoryServices): void {
  const error = { code: 'corrupt' as const, message: 'broken', retryable: false };
  if (fileBytes % 3 === 0) void memory.finish(id, { status: 'failed', error });
  if (fileBytes % 3 === 1) void memory.finish(id);
}

const recentMax = 20;

export async function onEngine(open: () => Promise<TestEngine>): Promise<FuzzTarget> {
  const engine = await open();
  const place = await engine.newPlace();
  const env = {
    MAX_FILE_BYTES: String(limits.fileBytesMax),
    SYNC_MAX_BYTES: String(limits.syncBytesMax),
    SYNC_WAIT_MS: String(limits.syncWaitMs),
    QUEUE_MAX: '1000000',
    MCP: 'on',
  };
  const server = await startServer({ ...place, env });
  const recent: string[] = [];
  return {
    url: server.url,
    // No webhook is sent, and what is uploaded has ended before anybody can cancel it.
    hopeless: ['login', 'createKey', 'revokeKey', 'replayDelivery', 'cancelTask', ...neverGuessed],
    task: (choice) => recent.at(-1 - (choice % recentMax)) ?? recent[0],
    see(text) {
      const [, id] = /"task_id":"([0-9a-f-]{36})"/.exec(text) ?? [];
      if (id !== undefined) recent.push(id);
    },
    leftovers: place.partialUploads,
    errors: () =>
      server
        .log()
        .split('\n')
        .filter((line) => /"level":(?:50|60|"error"|"fatal")/.test(line)),
    async [Symbol.asyncDispose]() {
      await server.stop();
      await engine[Symbol.asyncDispose]();
    },
  };
}
