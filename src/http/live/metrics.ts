/** Figures for Prometheus. Names are part of the interface: dashboards and alerts are written against them. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { isTerminal, type Task, type TaskSnapshot } from '../../tasks/task.ts';
import type { Services, SystemStatus } from '../services.ts';

export interface HttpMetrics {
  request(operation: string, method: string, status: number, seconds: number): void;
  uploaded(bytes: number): void;
  searched(mode: string, seconds: number): void;
  cancelled(seconds: number): void;
  /** Notes a task's newest state; `atMs` is when it was seen. */
  task(snapshot: TaskSnapshot, atMs: number): void;
  /** The whole page, with the system's figures of the moment `atMs`. */
  page(services: Services, atMs: number): Promise<{ contentType: string; text: string }>;
  /** What may be told of these collections, and nothing of what all share. */
  boundPage(services: Services, collections: readonly string[]): Promise<{ contentType: string; text: string }>;
  close(): void;
}

const requestSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const taskSeconds = [0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800];
/** Tasks that are remembered, live and ended each. */
const tasksKept = 10_000;

/** `open`: what this process holds open, asked for at each scrape. */
export function createHttpMetrics(open: { eventStreams: () => number; uploads: () => number }): HttpMetrics {
  const registry = new Registry();
  const registers = [registry];
  const loopDelay = monitorEventLoopDelay({ resolution: 20 });
  loopDelay.enable();

  const counter = (name: string, help: string, labelNames: string[] = []) => new Counter({ name, help, labelNames, registers });
  const gauge = (name: string, help: string, labelNames: string[] = []) => new Gauge({ name, help, labelNames, registers });
  const histogram = (name: string, help: string, buckets: number[], labelNames: string[] = []) =>
    new Histogram({ name, help, buckets, labelNames, registers });

  const requests = counter('rag_http_requests_total', 'Requests answered.', ['operation', 'method', 'status']);
  const latency = histogram('rag_http_request_seconds', 'Time to answer a request, including waits.', requestSeconds, [
    'operation',
  ]);
  const uploadBytes = counter('rag_upload_bytes_total', 'Bytes of files accepted.');
  const searches = histogram('rag_search_seconds', 'Time to search.', requestSeconds, ['mode']);
  const cancels = histogram('rag_cancel_seconds', 'Time until a cancelled task has ended.', requestSeconds);
  const finished = counter('rag_tasks_finished_total', 'Finished tasks, by status and code.', ['status', 'code']);
  const finishedBytes = counter('rag_document_bytes_total', 'Bytes of files made searchable.');
  const finishedPages = counter('rag_document_pages_total', 'Pages, slides and sheets made searchable.');
  const finishedChunks = counter('rag_document_chunks_total', 'Chunks made searchable.');
  const retries = counter('rag_task_retries_total', 'Attempts after the first, of finished tasks.');
  const recoveries = counter(
    'rag_task_recoveries_total',
    'Attempts repeated because the process died, or the disk or the embedder failed.',
  );
  const waiting = histogram('rag_task_wait_seconds', 'Time from acceptance to the last attempt.', taskSeconds);
  const running = histogram('rag_task_run_seconds', 'Time of the last attempt.', taskSeconds);
  const stageTime = histogram('rag_stage_seconds', 'Time in a stage, as seen by this process.', taskSeconds, ['stage']);
  const live = gauge('rag_tasks', 'Tasks that have not finished.', ['status']);
  const system = {
    queueAge: gauge('rag_queue_age_seconds', 'How long the next task has waited; 0 when none waits.'),
    threads: gauge('rag_threads', 'Threads that process documents.'),
    workerUp: gauge('rag_worker_up', 'Whether the worker process is running.'),
    workerRestarts: gauge('rag_worker_restarts_total', 'Restarts of the worker process.'),
    workerBytes: gauge('rag_worker_resident_bytes', 'Memory of the worker process; 0 while it is down.'),
    ready: gauge('rag_ready', 'Whether uploads are accepted.'),
    documents: gauge('rag_documents', 'Searchable documents.'),
    chunks: gauge('rag_chunks', 'Searchable chunks.'),
    indexBytes: gauge('rag_index_bytes', 'Size of the index.'),
    standbyLag: gauge('rag_standby_lag_seconds', 'How far a standby in use is behind, at most; absent if unknown.', ['server']),
    standbyAsked: gauge('rag_standby_asked', 'Whether a standby is in use.', ['server']),
    storeRequests: gauge(
      'rag_file_store_requests_total',
      'Requests to the object store, by what came of them: ok, absent, a status, silent, broken.',
      ['process', 'operation', 'outcome'],
    ),
    storeSeconds: gauge('rag_file_store_seconds_total', 'Time until the object store began to answer them.', [
      'process',
      'operation',
    ]),
    storeBytes: gauge('rag_file_store_bytes_total', 'Bytes of objects sent there and received.', ['process', 'direction']),
    searcherWaiting: gauge('rag_searcher_waiting', 'Changes not yet sent to the searcher; 0 without one.'),
    searcherLag: gauge('rag_searcher_lag_seconds', 'How long the oldest of these changes has waited.'),
    searcherRefused: gauge('rag_searcher_refused', 'Documents that the searcher refused; they cannot be found.'),
    diskFree: gauge('rag_disk_free_bytes', 'Free space under the data directory.'),
    damaged: gauge('rag_documents_damaged', 'Documents found damaged on the disk that could not be repaired.'),
    mended: gauge('rag_documents_mended_total', 'Documents that were damaged on the disk and repaired.'),
    diskTotal: gauge('rag_disk_total_bytes', 'Size of the disk under the data directory.'),
    eventStreams: gauge('rag_event_streams', 'Open event streams.'),
    uploads: gauge('rag_uploads_active', 'Uploads being received.'),
    residentBytes: gauge('process_resident_memory_bytes', 'Memory of the front end process.'),
    cpuSeconds: gauge('process_cpu_seconds_total', 'CPU time of the front end process.'),
    loopDelayP99: gauge('nodejs_eventloop_lag_p99_seconds', 'Event-loop delay since the last scrape.'),
  };
  const seen = new Map<string, { stage: string; atMs: number; task: Task }>();
  const ended = new Map<string, number>();

  return {
    request(operation, method, status, seconds) {
      requests.inc({ operation, method, status });
      latency.observe({ operation }, seconds);
    },
    uploaded: (bytes) => uploadBytes.inc(bytes),
    searched: (mode, seconds) => searches.observe({ mode }, seconds),
    cancelled: (seconds) => cancels.observe(seconds),
    task(snapshot, atMs) {
      noteLife(snapshot, atMs);
      if (isTerminal(snapshot.task.status)) noteEnd(snapshot.task);
    },
    page,
    boundPage,
    close: () => void loopDelay.disable(),
  };

  function noteLife({ task, progress: { stage } }: TaskSnapshot, atMs: number): void {
    const before = seen.get(task.id);
    if (before !== undefined && beginsAgain(before.task, task)) recoveries.inc();
    const sameStage = before?.stage === stage;
    if (before !== undefined && !sameStage) stageTime.observe({ stage: before.stage }, Math.max(0, atMs - before.atMs) / 1000);
    seen.delete(task.id);
    if (!isTerminal(task.status)) seen.set(task.id, { stage, atMs: sameStage ? before.atMs : atMs, task });
    if (seen.size > tasksKept) seen.delete(seen.keys().next().value!);
  }

  function noteEnd(task: Task): void {
    if (ended.get(task.id) === task.revision) return;
    ended.set(task.id, task.revision);
    if (ended.size > tasksKept) ended.delete(ended.keys().next().value!);
    finished.inc({ status: task.status, code: task.error?.code ?? '' });
    retries.inc(Math.max(0, task.attempts - 1));
    if (task.startedAt !== null) {
      waiting.observe(secondsBetween(task.createdAt, task.startedAt));
      running.observe(secondsBetween(task.startedAt, task.finishedAt ?? task.startedAt));
    }
    if (task.result === null || task.result.unchanged) return;
    finishedBytes.inc(task.fileBytes);
    finishedPages.inc(task.result.pages ?? 0);
    finishedChunks.inc(task.result.chunks);
  }

  /** A worker that is down has asked nothing that is known. */
  function setFileStore(uses: SystemStatus['fileStore']): void {
    system.storeRequests.reset();
    system.storeSeconds.reset();
    system.storeBytes.reset();
    for (const { process, figures } of uses) {
      for (const { operation, outcome, count } of figures.requests)
        system.storeRequests.set({ process, operation, outcome }, count);
      for (const { operation, seconds } of figures.seconds) system.storeSeconds.set({ process, operation }, seconds);
      system.storeBytes.set({ process, direction: 'sent' }, figures.bytesSent);
      system.storeBytes.set({ process, direction: 'received' }, figures.bytesReceived);
    }
  }

  async function page(services: Services, atMs: number): Promise<{ contentType: string; text: string }> {
    const [status, readiness] = await Promise.all([services.status(null), services.readiness()]);
    live.set({ status: 'pending' }, status.pending);
    live.set({ status: 'processing' }, status.processing);
    system.queueAge.set(status.pendingSince === null ? 0 : Math.max(0, atMs - Date.parse(status.pendingSince)) / 1000);
    system.threads.set(status.threads);
    system.workerUp.set(status.workerUp ? 1 : 0);
    system.workerRestarts.set(status.workerRestarts);
    system.workerBytes.set(status.workerBytes ?? 0);
    system.ready.set(readiness.ready ? 1 : 0);
    system.documents.set(status.documents);
    system.chunks.set(status.chunks);
    system.indexBytes.set(status.indexBytes);
    system.standbyLag.reset();
    system.standbyAsked.reset();
    for (const { name: server, lagMs, asked } of status.standbys) {
      if (lagMs !== null) system.standbyLag.set({ server }, lagMs / 1000);
      system.standbyAsked.set({ server }, asked ? 1 : 0);
    }
    setFileStore(status.fileStore);
    system.searcherWaiting.set(status.searcherBacklog?.waiting ?? 0);
    system.searcherLag.set(status.searcherBacklog?.seconds ?? 0);
    system.searcherRefused.set(status.searcherBacklog?.refused ?? 0);
    system.diskFree.set(status.diskFreeBytes);
    system.damaged.set(status.documentsDamaged);
    system.mended.set(status.documentsMended);
    system.diskTotal.set(status.diskTotalBytes);
    system.eventStreams.set(open.eventStreams());
    system.uploads.set(open.uploads());
    const { user, system: kernel } = process.cpuUsage();
    system.residentBytes.set(process.memoryUsage.rss());
    system.cpuSeconds.set((user + kernel) / 1e6);
    system.loopDelayP99.set(loopDelay.percentile(99) / 1e9);
    loopDelay.reset();
    return { contentType: registry.contentType, text: await registry.metrics() };
  }
}

/** An attempt was under way, is counted, and is to be done again. A graceful stop takes its attempt back. */
function beginsAgain(before: Task, { status, attempts }: Task): boolean {
  if (before.status !== 'processing') return false;
  return (status === 'pending' && attempts === before.attempts) || (status === 'processing' && attempts > before.attempts);
}

function secondsBetween(from: string, to: string): number {
  return Math.max(0, Date.parse(to) - Date.parse(from)) / 1000;
}

async function boundPage(services: Services, collections: readonly string[]): Promise<{ contentType: string; text: string }> {
  const own = new Registry();
  const registers = [own];
  const gauge = (name: string, help: string, labelNames: string[]) => new Gauge({ name, help, labelNames, registers });
  const documents = gauge('rag_documents', 'Searchable documents.', ['collection']);
  const chunks = gauge('rag_chunks', 'Searchable chunks.', ['collection']);
  const bytes = gauge('rag_collection_bytes', 'Size of the files of a collection.', ['collection']);
  const live = gauge('rag_tasks', 'Tasks that have not finished.', ['status']);
  const [held, { pending, processing }] = await Promise.all([services.collections.list(collections), services.status(collections)]);
  for (const { name: collection, ...of } of held) {
    documents.set({ collection }, of.documents);
    chunks.set({ collection }, of.chunks);
    bytes.set({ collection }, of.bytes);
  }
  live.set({ status: 'pending' }, pending);
  live.set({ status: 'processing' }, processing);
  return { contentType: own.contentType, text: await own.metrics() };
}
