/** Piscina entry of the index: one SQLite connection and one embedder a thread. */
import { workerData } from 'node:worker_threads';
import { createEmbedder } from '../src/embed/create-embedder.ts';
import { AppError, DocumentError } from '../src/errors.ts';
import type { IndexJob, IndexOutcome, IndexThreadSettings } from '../src/search/index-job.ts';
import { openSqliteIndex, type SqliteIndex } from '../src/search/sqlite-index.ts';

// Piscina hands workerData on as [its own, ours].
const settings = (Array.isArray(workerData) ? workerData.at(-1) : workerData) as IndexThreadSettings;
let opened: Promise<SqliteIndex> | null = null;

/** Runs one method of the index. */
export default async function runIndexJob(job: IndexJob): Promise<IndexOutcome> {
  try {
    const index = await (opened ??= open());
    const method = index[job.method] as (...args: unknown[]) => unknown;
    return { ok: true, value: await method(...job.args) };
  } catch (error) {
    if (error instanceof DocumentError) return { ok: false, code: error.code, message: error.message, retryable: error.retryable };
    if (error instanceof AppError) return { ok: false, code: error.code, message: error.message, retryable: false };
    throw error;
  }
}

async function open(): Promise<SqliteIndex> {
  try {
    return openSqliteIndex({ indexDir: settings.indexDir, embedder: await createEmbedder(settings.embedder) });
  } catch (error) {
    opened = null;
    throw error;
  }
}
