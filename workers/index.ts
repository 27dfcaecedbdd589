/** Piscina entry of the index: one SQLite connection and one embedder a thread. */
import { workerData } from 'node:worker_threads';
import { createEmbedder } from '../src/embed/create-embedder.ts';
import type { IndexJob, IndexOutcome, IndexThreadSettings } from '../src/search/sqlite/index-job.ts';
import { createIndexThread } from '../src/search/sqlite/index-thread.ts';
import { createReranker } from '../src/search/models/create-reranker.ts';

// Piscina hands workerData on as [its own, ours].
const settings = (Array.isArray(workerData) ? workerData.at(-1) : workerData) as IndexThreadSettings;
const thread = createIndexThread({
  indexDir: settings.indexDir,
  createEmbedder: () => createEmbedder(settings.embedder),
  createReranker: () => createReranker(settings.reranker ?? null),
  translates: settings.translates ?? true,
});

/** Runs one method of the index. */
export default function runIndexJob(job: IndexJob): Promise<IndexOutcome> {
  return thread.run(job);
}
