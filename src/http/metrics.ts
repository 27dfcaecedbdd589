/** Figures for Prometheus. Names are part of the interface: dashboards and alerts are written against them. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { isTerminal, type Task, type TaskSnapshot } from '../tasks/task.ts';
import type { Services } from './services.ts';

export interface HttpMetrics {
  request(operation: string, method: string, status: number, seconds: number): void;
  uploaded(bytes: number): void;
  searched(mode: string, seconds: number): void;
  /** Notes a task's newest state; `atMs` is when it was seen. */
  task(snapshot: TaskSnapshot, atMs: number): void;
  /** The whole page, with the system's figures of this moment. */
  page(services: Services): Promise<{ contentType: string; text: string }>;
  close(): void;
}

const requestSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const taskSeconds = [0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800];
/** Live tasks whose stage is remembered. */
const stagesKept = 10_000;

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
  const latency = histogram('rag_http_request_seconds', 'Time to answer, waits included.', requestSeconds, ['operation']);
  const uploadBytes = counter('rag_upload_bytes_total', 'Bytes of files accepted.');
  const searches = histogram('rag_search_seconds', 'Time to search.', requestSeconds, ['mode']);
  const finished = counter('rag_tasks_finished_total', 'Tasks that ended, by how.', ['status', 'code']);
  const finishedBytes = counter('rag_document_bytes_total', 'Bytes of files made searchable.');
  const finishedPages = counter('rag_document_pages_total', 'Pages, slides and sheets made searchable.');
  const finishedChunks = counter('rag_document_chunks_total', 'Chunks made searchable.');
  const retries = counter('rag_task_retries_total', 'Attempts after the first, of tasks that ended.');
  const waiting = histogram('rag_task_wait_seconds', 'From acceptance to the last attempt.', taskSeconds);
  const running = histogram('rag_task_run_seconds', 'Of the last attempt.', taskSeconds);
  const stageTime = histogram('rag_stage_seconds', 'Time in a stage, as seen from here.', taskSeconds, ['stage']);
  const live = gauge('rag_tasks', 'Tasks that are not done.', ['status']);
  const system = {
    threads: gauge('rag_threads', 'Threads that process documents.'),
    workerUp: gauge('rag_worker_up', 'Whether the worker process runs.'),
    ready: gauge('rag_ready', 'Whether uploads are taken.'),
    documents: gauge('rag_documents', 'Searchable documents.'),
    chunks: gauge('rag_chunks', 'Searchable chunks.'),
    indexBytes: gauge('rag_index_bytes', 'Size of the index.'),
    diskFree: gauge('rag_disk_free_bytes', 'Free space under the data directory.'),
    diskTotal: gauge('rag_disk_total_bytes', 'Size of the disk under the data directory.'),
    eventStreams: gauge('rag_event_streams', 'Open event streams.'),
    uploads: gauge('rag_uploads_active', 'Uploads being received.'),
    residentBytes: gauge('process_resident_memory_bytes', 'Memory of the front end process.'),
    cpuSeconds: gauge('process_cpu_seconds_total', 'CPU time of the front end process.'),
    loopDelayP99: gauge('nodejs_eventloop_lag_p99_seconds', 'Event-loop delay since the last scrape.'),
  };
  const stages = new Map<string, { stage: string; atMs: number }>();
  const ended = new Map<string, number>();

  return {
    request(operation, method, status, seconds) {
      requests.inc({ operation, method, status });
      latency.observe({ operation }, seconds);
    },
    uploaded: (bytes) => uploadBytes.inc(bytes),
    searched: (mode, seconds) => searches.observe({ mode }, seconds),
    task(snapshot, atMs) {
      noteStage(snapshot, atMs);
      if (isTerminal(snapshot.task.status)) noteEnd(snapshot.task);
    },
    page,
    close: () => void loopDelay.disable(),
  };

  function noteStage({ task, progress }: TaskSnapshot, atMs: number): void {
    const before = stages.get(task.id);
    if (before?.stage === progress.stage) return;
    if (before !== undefined) stageTime.observe({ stage: before.stage }, Math.max(0, atMs - before.atMs) / 1000);
    stages.delete(task.id);
    if (!isTerminal(task.status)) stages.set(task.id, { stage: progress.stage, atMs });
    if (stages.size > stagesKept) stages.delete(stages.keys().next().value!);
  }

  function noteEnd(task: Task): void {
    if (ended.get(task.id) === task.revision) return;
    ended.set(task.id, task.revision);
    if (ended.size > stagesKept) ended.delete(ended.keys().next().value!);
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

  async function page(services: Services): Promise<{ contentType: string; text: string }> {
    const [status, readiness] = await Promise.all([services.status(), services.readiness()]);
    live.set({ status: 'pending' }, status.pending);
    live.set({ status: 'processing' }, status.processing);
    system.threads.set(status.threads);
    system.workerUp.set(status.workerUp ? 1 : 0);
    system.ready.set(readiness.ready ? 1 : 0);
    system.documents.set(status.documents);
    system.chunks.set(status.chunks);
    system.indexBytes.set(status.indexBytes);
    system.diskFree.set(status.diskFreeBytes);
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

function secondsBetween(from: string, to: string): number {
  return Math.max(0, Date.parse(to) - Date.parse(from)) / 1000;
}
