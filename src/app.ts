/**
 * The composition root: here and in `storage.ts`, which opens the engine, adapters are named. Two processes are put together here: the server (front end, with
 * its supervised worker) and the worker. What only the front end needs is loaded there alone (Koa, the schemas and the metrics
 * are 500 of 700 modules): a worker that a document brought down is back sooner, and each holds less memory.
 */
import { randomInt } from 'node:crypto';
import { join, resolve } from 'node:path';
import { v7 } from 'uuid';
import packageJson from '../package.json' with { type: 'json' };
import { ConfigError, type Config } from './config.ts';
import { createEmbedder, embedderSettings } from './embed/create-embedder.ts';
import type { DamageLog } from './storage/damage-log.ts';
import type { Engine, StoreFigures } from './storage/engine.ts';
import { openLastingEngine } from './storage/lasting-engine.ts';
import { type AuditActor, createAuditLog, noAudit } from './http/live/audit-log.ts';
import { createQuotas, type Quotas } from './http/access/quotas.ts';
import { openKeyRing } from './http/access/key-ring.ts';
import { toHttpSettings, type HttpLimits, type HttpSettings } from './http/http-settings.ts';
import type { Route } from './http/routes/route.ts';
import type { DocumentService, SearchService, Services } from './http/services.ts';
import { toTaskRecord, type WireOptions } from './http/wire/wire.ts';
import { type BackupSchedule, createBackupSchedule } from './ingest/backup-schedule.ts';
import { runBackup } from './ingest/backup-run.ts';
import { confinement } from './ingest/confinement.ts';
import { createDamageWatch } from './ingest/damage-watch.ts';
import { createDispatcher } from './ingest/dispatcher.ts';
import { createLibrary, type Library } from './ingest/library.ts';
import type { RereadingRules } from './ingest/rereading.ts';
import { AppError } from './errors.ts';
import { type AskWorker, createDirectReader, type ReadRequest, readingJob } from './ingest/direct-reading.ts';
import { answering, createSupervisor, exitConfig, type Supervisor, workerReady } from './ingest/supervisor.ts';
import { createSystemStatus, type Workers } from './ingest/system-status.ts';
import { searchAcross } from './search/across.ts';
import type { SearchAnswer, SearchQuery } from './search/document-index.ts';
import type { Collection } from './documents/collection.ts';
import { type Collections, createCollections } from './ingest/collections.ts';
import { createTaskControl, type TaskControl } from './ingest/task-control.ts';
import { createThreadPool, type RunOutcome, type ThreadPool } from './ingest/thread-pool.ts';
import { createUploads } from './ingest/uploads.ts';
import type { Logger } from './logger.ts';
import type { ParseLimits } from './parse/parser.ts';
import { endingsWithoutOcr, readableEndings } from './parse/detect.ts';
import { lackingLanguages, openOcr } from './parse/images/open-ocr.ts';
import { ocrOptions } from './parse/images/ocr.ts';
import { type AnswerService, createAnswers } from './search/models/answer.ts';
import { rerankerSettings } from './search/models/create-reranker.ts';
import { stopOn } from './search/stop.ts';
import { createTurns } from './search/turns.ts';
import { mcpRoute } from './mcp/mcp-route.ts';
import {
  certificateFiles,
  type FrontEndStorage,
  openFrontEndStorage,
  openWorkerStorage,
  type StorageOptions,
} from './open-storage.ts';
import { openQuotaCounts } from './storage/file/shared/quota-counts.ts';
import type { TaskId } from './tasks/task.ts';
import { codeFolders, moduleFile, pageDir } from './program-files.ts';
import { createTargets } from './webhooks/targets.ts';
import { createWebhooks, type Webhooks } from './webhooks/webhooks.ts';
import { createWebhookSender } from './webhooks/webhook-sender.ts';

/** A started process. */
export interface Running {
  /** Aborts when another process has declared this one dead. */
  readonly lost: AbortSignal;
  /** With the exit code, when the worker process could not start for a reason that its being started again does not change. */
  readonly refused?: Promise<number>;
  /** What to tell the process that supervises this one. */
  readonly announcement: string;
  /** Graceful: requests and tasks get `STOP_TIMEOUT_MS`, then tasks go back to the queue. */
  stop(): Promise<void>;
}

/** The modules that run elsewhere: the worker process and its threads. Tests put rigged ones in their place. */
export type Modules = { readonly main: string; readonly ingest: string };

const ownModules: Modules = {
  main: moduleFile('src/main'),
  ingest: moduleFile('workers/ingest'),
};

/** Files that are open beside connections: index, uploads, locks, packages. */
const otherFiles = 1000;

/** Documents that come by MCP are held in memory, as base64 inside JSON; larger ones come by POST /insert. */
const mcpDocumentBytesMax = 8 * 1024 * 1024;

const userAgent = `rag-intake/${packageJson.version}`;
const now = (): string => new Date().toISOString();
const newId = (): TaskId => v7() as TaskId;

/**
 * Listens at once (503 until everything is up), opens the engine, and starts the worker process; with `api` none, since there
 * are others.
 */
export async function startServer(
  config: Config,
  logger: Logger,
  env: NodeJS.ProcessEnv,
  {
    role = 'all',
    modules = ownModules,
    openFilesMax = null,
  }: { role?: 'all' | 'api'; modules?: Modules; openFilesMax?: number | null } = {},
): Promise<Running> {
  let services: Services | null = null;
  let webhooks: Webhooks | null = null;
  const audit =
    config.auditLog === ''
      ? noAudit
      : createAuditLog({ path: resolve(config.auditLog), withText: config.auditQueries, now, logger });
  const keyRing = await openKeyRing({
    settings: { ...config, peopleLogIn: config.loginHeader !== '' || config.oidcIssuer !== '' },
    onChange: (change) => audit.write(nobody, { event: 'keys_changed', ...change }),
    logger,
  }).catch((error: Error) => {
    throw new ConfigError([error.message]);
  });
  const storage = await openFrontEndStorage(storageOptions(config, logger));
  const { sessionSecret, idempotencyStore, endedSessions } = storage;
  const settings = withinOpenFiles(
    toHttpSettings(config, {
      version: packageJson.version,
      apiKeys: () => keyRing.current(),
      keyFile:
        config.apiKeysFile === '' ? null : { path: config.apiKeysFile, fixed: config.apiKeys, changed: () => keyRing.look() },
      sessionSecret,
      formats: config.ocrLanguages === 'off' || config.ocrPages === 'off' ? endingsWithoutOcr : readableEndings,
      answers: config.answerUrl !== '',
      pageDir,
    }),
    openFilesMax,
  );
  const wire = { basePath: settings.basePath, taskRetentionMs: settings.taskRetentionMs };
  const counts = config.quotas.length === 0 ? null : openQuotaCounts(join(config.dataDir, 'quotas'));
  const quotas = counts === null ? null : createQuotas(config.quotas, counts, now);
  const { createHttpServer } = await import('./http/http-server.ts');
  const http = createHttpServer({
    services: () => services,
    settings,
    idempotencyStore,
    endedSessions,
    extraRoutes: await extraRoutes(config, settings, wire, () => webhooks, logger),
    audit,
    quotas,
    logger,
    now,
    newId,
  });
  const { url } = await http.listen(config.host, config.port);
  const engine = await openLastingEngine({ open: () => storage.openEngine(), now, logger });
  const refused = Promise.withResolvers<number>();
  // What may pass by itself does so for a worker that is started again.
  const onRefused = (exitCode: number): boolean => exitCode === exitConfig && end(refused, exitCode);
  const supervisor = role === 'all' ? superviseWorker(config, logger, env, modules, onRefused) : null;
  const messages = openWebhooks(config, engine, storage, wire, logger);
  webhooks = messages;
  const tasks = createTaskControl(engine);
  const collections = createCollections({
    engine,
    cancel: (id, options) => tasks.cancel(id, options),
    rereading: rereadingRules(config),
    chunkTokens: config.chunkTokens,
    now,
    logger,
  });
  services = createServices(config, engine, messages, {
    tasks,
    collections,
    workers: workersOf(supervisor, storage),
    damageLog: storage.damageLog,
    askWorker: askOwn(supervisor),
    quotas,
  });
  const backups = config.backupDir === '' ? null : scheduleBackups(config, env, logger);
  backups?.start();
  collections.start();
  messages.start();
  warmUp(engine);
  logger.info({ url, dataDir: resolve(config.dataDir), database: config.databaseUrl !== '' }, 'listening');
  return {
    lost: engine.lost,
    refused: refused.promise,
    announcement: url,
    async stop() {
      keyRing.close();
      await Promise.all([
        http.close(config.stopMs),
        supervisor?.stop(config.stopMs + 1000),
        messages.stop(),
        collections.stop(),
        backups?.stop(),
      ]);
      await engine.close();
      await audit.close();
      counts?.close();
    },
  };
}

/**
 * Asks where nothing can be found, while the worker still starts: the first question of a person finds connections, statements and
 * code as the second does. Of what is kept nothing is read.
 */
function warmUp({ index }: Engine): void {
  const nowhere = { query: '1', mode: 'hybrid', topK: 1, offset: 0, filter: {}, collection: nobodysCollection } as const;
  // A storage that is away now is told of by whoever asks it in earnest.
  void index.search(nowhere).catch(() => undefined);
}

/** By the command, in a process of its own: reading and hashing all there is must not keep requests waiting. */
function scheduleBackups(
  { backupDir, backupAt, backupKeep, dataDir }: Config,
  env: NodeJS.ProcessEnv,
  logger: Logger,
): BackupSchedule {
  return createBackupSchedule({
    folder: resolve(backupDir),
    at: backupAt,
    keep: backupKeep,
    run: (target, signal) => runBackup({ command: moduleFile('src/cli/main'), dataDir: resolve(dataDir), target, env, signal }),
    nowMs: () => Date.now(),
    logger,
  });
}

/** No name of a collection is empty. */
const nobodysCollection = '';

/** What nobody asked for: the server has seen it by itself. */
const nobody: AuditActor = { key: null, address: null, requestId: null };

/** As many connections as leave enough files for everything else. */
function withinOpenFiles(settings: HttpSettings, openFilesMax: number | null): HttpSettings {
  if (openFilesMax === null) return settings;
  const connectionsMax = Math.min(settings.limits.connectionsMax, Math.max(openFilesMax / 4, openFilesMax - otherFiles));
  return { ...settings, limits: { ...settings.limits, connectionsMax: Math.floor(connectionsMax) } };
}

/** A worker process beside those of the servers, confined and started again as theirs are. */
export async function startWorkerProcess(
  config: Config,
  logger: Logger,
  env: NodeJS.ProcessEnv,
  modules = ownModules,
): Promise<Running> {
  const refused = Promise.withResolvers<number>();
  const supervisor = superviseWorker(config, logger, env, modules, (exitCode) => end(refused, exitCode));
  return {
    lost: new AbortController().signal,
    refused: refused.promise,
    announcement: workerReady,
    stop: () => supervisor.stop(config.stopMs + 1000),
  };
}

function end(refused: PromiseWithResolvers<number>, exitCode: number): true {
  refused.resolve(exitCode);
  return true;
}

function superviseWorker(
  config: Config,
  logger: Logger,
  env: NodeJS.ProcessEnv,
  modules: Modules,
  onRefused: (exitCode: number) => boolean,
): Supervisor {
  const execArgv = confinement({
    codeFolders: codeFolders(),
    dataDir: config.dataDir,
    readable: certificateFiles(config),
    addons: needsAddons(config),
    env,
  });
  const supervisor = createSupervisor({ filename: modules.main, args: ['worker'], execArgv, env, logger, onRefused });
  supervisor.start();
  return supervisor;
}

/** The threads that read documents, as the settings have it. */
export function openThreads(config: Config, logger: Logger, modules = ownModules): ThreadPool {
  return createThreadPool({
    threads: config.threads,
    filename: modules.ingest,
    settings: {
      limits: parseLimits(config),
      chunkTokensMax: config.chunkTokens,
      ocrLanguages: config.ocrLanguages,
      ocrPages: config.ocrPages,
      embedder: embedderSettings(config),
    },
    threadMemoryMb: config.threadMemoryMb,
    deadlines: { parseMs: config.parseMs, pageMs: config.pageMs, embedMs: config.embedMs },
    logger,
  });
}

/** How documents that are read again wait, as uploads of their size do. */
export function rereadingRules({ attemptsMax, syncBytesMax }: Config): RereadingRules {
  return { attemptsMax, laneOf: (fileBytes) => (fileBytes < syncBytesMax ? 'small' : 'large'), newId, now };
}

/** Works through the queue with its own pool of threads. Any number may share one data directory or database. */
export async function startWorker(config: Config, logger: Logger, modules = ownModules): Promise<Running> {
  const embedder = embedderSettings(config);
  const limits = parseLimits(config);
  const pool = openThreads(config, logger, modules);
  const seeing = ocrOptions(config, limits);
  const [{ engine, damageLog, fileStore }, { id: embedderId }, ocr, lacking] = await Promise.all([
    openWorkerStorage(storageOptions(config, logger)),
    createEmbedder(embedder),
    openOcr(seeing),
    seeing.pages === 'off' ? null : lackingLanguages(seeing),
    pool.ready(),
  ]);
  if (lacking !== null)
    logger.warn({ ...lacking }, 'OCR_LANGUAGES names languages that are not installed; nothing is read in them');
  const dispatcher = createDispatcher({
    engine,
    pool,
    embedderId,
    reading: {
      chunkTokensMax: config.chunkTokens,
      limits,
      ocrLanguages: ocr?.languages ?? [],
      ocrReadsAll: ocr?.readsAll ?? false,
    },
    now,
    retryDelayMs: (attempt) => config.retryDelayMs * 4 ** (attempt - 2),
    logger,
  });
  dispatcher.start();
  if (process.send !== undefined)
    answering((question, signal) => {
      if ('fileStore' in (question as object)) return Promise.resolve(fileStore());
      const request = question as ReadRequest;
      return dispatcher.lend(readingJob(request, now()), { caller: request.caller, signal });
    });
  const damage =
    config.checkMinutes === 0
      ? null
      : createDamageWatch({
          engine,
          readAgain: (job) => pool.run(job, { signal: engine.lost, onProgress: () => undefined }),
          rereading: rereadingRules(config),
          log: damageLog,
          everyMs: config.checkMinutes * 60_000,
          now,
          logger,
        });
  damage?.start();
  return {
    lost: engine.lost,
    announcement: workerReady,
    async stop() {
      await Promise.all([dispatcher.stop(config.stopMs), damage?.stop()]);
      await pool.close();
      await engine.close();
    },
  };
}

/** The routes that a setting switches on, and the webhooks'. */
async function extraRoutes(
  config: Config,
  { limits }: HttpSettings,
  wire: WireOptions,
  webhooks: () => Webhooks | null,
  logger: Logger,
): Promise<Route[]> {
  const { webhookRoutes } = await import('./webhooks/webhook-routes.ts');
  const routes = [...webhookRoutes(webhooks)];
  if (config.mcp) routes.push(await createMcp(wire, limits, logger));
  if (config.answerUrl !== '') {
    const { answerRoutes } = await import('./http/routes/answer-routes.ts');
    routes.push(...answerRoutes({ limits, wire }));
  }
  return routes;
}

/** Whether models run in this program, by the ONNX runtime. */
function needsAddons(config: Config): boolean {
  return embedderSettings(config).kind === 'onnx' || rerankerSettings(config)?.kind === 'onnx';
}

/** Only these, since they are copied into every thread. */
function parseLimits(config: Config): ParseLimits {
  const { unpackedBytesMax, entriesMax, ratioMax, depthMax, pagesMax, cellsMax, charactersMax, pixelsMax, pdfMemoryMb, pageMs } =
    config;
  return { unpackedBytesMax, entriesMax, ratioMax, depthMax, pagesMax, cellsMax, charactersMax, pixelsMax, pdfMemoryMb, pageMs };
}

function storageOptions(config: Config, logger: Logger): StorageOptions {
  return { config, now, newId, logger };
}

/** Only the worker process of this very front end reads for it: it shares its folder. */
function askOwn(own: Supervisor | null): AskWorker {
  return async (request, signal) => {
    if (own === null)
      throw new AppError(
        'unavailable',
        'This server runs without a worker process (--role api) and cannot read files immediately; upload the file instead.',
      );
    return (await own.ask(request, signal)) as RunOutcome;
  };
}

/** How long the worker is waited for when it is asked what it has asked of the object store. */
const fileStoreAnswerMs = 1000;

/**
 * The workers as a front end sees them: where it has one of its own and everything lies on this machine that one counts alone,
 * otherwise another host's is as good.
 */
function workersOf(own: Supervisor | null, storage: FrontEndStorage): Workers {
  return {
    up: async () => own?.up === true || ((own === null || storage.manyHosts) && (await storage.workerSeen())),
    restarts: () => own?.restarts ?? 0,
    residentBytes: async () => (await own?.residentBytes()) ?? null,
    async fileStore() {
      const asked = storage.fileStore();
      if (asked === null) return [];
      const answer = (await own?.ask({ fileStore: true }, AbortSignal.timeout(fileStoreAnswerMs)).catch(() => null)) ?? null;
      const uses = { frontend: asked, worker: answer as StoreFigures | null };
      return (['frontend', 'worker'] as const).flatMap((name) => {
        const figures = uses[name];
        return figures === null ? [] : [{ process: name, figures }];
      });
    },
  };
}

function openWebhooks(config: Config, engine: Engine, storage: FrontEndStorage, wire: WireOptions, logger: Logger): Webhooks {
  const targets = createTargets({ hosts: config.webhookHosts, networks: config.webhookNetworks });
  const clock = (): Date => new Date();
  return createWebhooks({
    tasks: engine.tasks,
    log: storage.deliveryLog,
    targets,
    send: createWebhookSender({ targets, secrets: config.webhookSecrets, userAgent, now: clock }),
    defaultUrl: config.webhookUrl,
    toData: (snapshot) => toTaskRecord(snapshot, wire),
    keepMs: Math.max(7 * 24, config.taskRetentionHours + 24) * 3_600_000,
    now: clock,
    monotonicMs: () => performance.now(),
    random: () => randomInt(2 ** 32) / 2 ** 32,
    logger,
  });
}

async function createMcp(wire: WireOptions, limits: HttpLimits, logger: Logger): Promise<Route> {
  const { createMcpHandler } = await import('./mcp/mcp-handler.ts');
  const handle = await createMcpHandler({ version: packageJson.version, logger }).catch((error: Error) => {
    throw new ConfigError([error.message]);
  });
  return mcpRoute({ handle, wire, limits, documentBytesMax: mcpDocumentBytesMax });
}

function createServices(
  config: Config,
  engine: Engine,
  webhooks: Webhooks,
  {
    tasks,
    collections,
    workers,
    damageLog,
    askWorker,
    quotas,
  }: {
    tasks: TaskControl;
    collections: Collections;
    workers: Workers;
    damageLog: DamageLog;
    askWorker: AskWorker;
    quotas: Quotas | null;
  },
): Services {
  const uploads = createUploads({
    ...config,
    engine,
    callbackUrl: (asked) => webhooks.callbackUrl(asked),
    countQuota: (keyId, bytes) => quotas?.document(keyId, bytes),
    newId,
    now,
  });
  const documents = createLibrary({ engine, cancel: (id, options) => tasks.cancel(id, options) });
  const status = createSystemStatus({ engine, dataDir: config.dataDir, threads: config.threads, workers, damageLog });
  const search = searchInTurns(engine);
  return {
    uploads,
    tasks,
    documents: inTurns(documents),
    search,
    reading: createDirectReader({ files: engine.files, ask: askWorker, newId }),
    ...(config.answerUrl === '' ? {} : { answers: answersFrom(config, search) }),
    collections,
    readiness: () => status.readiness(),
    status: (reach) => status.figures(reach),
  };
}

/** As many as there are threads; what a client may have waiting is more than a page of anything asks for at once. */
function searchInTurns(engine: Engine): SearchService {
  const turns = createTurns({ atOnce: 2, waitingMax: 512, waitingPerClientMax: 128 });
  return {
    async search({ collections, ...query }, asker) {
      const stop = stopOn(asker.gone);
      const [only, ...others] = collections;
      const ask = async (one: SearchQuery, collection: Collection | null | undefined): Promise<SearchAnswer> => {
        const synonyms = collection?.settings.synonyms ?? [];
        return engine.index.search(synonyms.length === 0 ? one : { ...one, synonyms }, stop);
      };
      if (only !== undefined && others.length === 0)
        return turns.run(asker, async () => ask({ ...query, collection: only }, await engine.collections.get(only)));
      const all = await turns.run(asker, () => engine.collections.all());
      const known = new Map(all.map((collection) => [collection.name, collection]));
      // Each collection has a turn of its own: whoever asks of a thousand lets others come in between.
      const inTurn = (one: SearchQuery): Promise<SearchAnswer> => turns.run(asker, () => ask(one, known.get(one.collection ?? '')));
      return searchAcross(inTurn, query, collections);
    },
  };
}

/** What reads the index for a moment has turns of its own, so that it waits for no more than a search that runs; so has what changes it. */
function inTurns(library: Library): DocumentService {
  const turns = createTurns({ atOnce: 8, waitingMax: 2048, waitingPerClientMax: 512 });
  const changes = createTurns({ atOnce: 16, waitingMax: 1024, waitingPerClientMax: 256 });
  return {
    list: (options, asker) => turns.run(asker, () => library.list(options)),
    change: (docId, patch, asker) => changes.run(asker, () => library.change(docId, patch)),
    info: (docId, asker) => turns.run(asker, () => library.info(docId)),
    // Most names have one form only, and then nothing is read.
    keptDocId: (docId, asker) => turns.run(asker, () => library.keptDocId(docId)),
    chunks: (docId, from, limit, asker) => turns.run(asker, () => library.chunks(docId, from, limit)),
    content: (docId, asker, pick) => turns.run(asker, () => library.content(docId, pick)),
    look: (docId, page, asker) => turns.run(asker, () => library.look(docId, page)),
    original: (docId, asker, pick) => turns.run(asker, () => library.original(docId, pick)),
    remove: (docId, asker) => changes.run(asker, () => library.remove(docId)),
    removeMatching: (collection, filters, asker) =>
      library.removeMatching(collection, filters, { signal: asker.gone, turn: (work) => changes.run(asker, work) }),
  };
}

/** Below this nothing of what was asked for is in a passage: most questions of another subject stay below it (`search/ranking/relevance.ts`). */
const answerRelevanceMin = 0.2;

function answersFrom(config: Config, service: SearchService): AnswerService {
  return createAnswers({
    search: (query, asker) => service.search(query, asker),
    url: config.answerUrl,
    model: config.answerModel,
    // What only vectors found is rated low by its words.
    minRelevance: config.embedder === 'builtin' ? answerRelevanceMin : 0,
    key: config.answerKey,
    silenceMs: config.embeddingsTimeoutMs,
  });
}
