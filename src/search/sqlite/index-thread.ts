/**
 * What one thread of the index does with its jobs: opens the index when first asked, opens it again when another process has
 * set the file aside, and sets it aside itself when it turns out to be damaged.
 */
import type { Embedder } from '../../embed/embedder.ts';
import { AppError, DocumentError } from '../../errors.ts';
import { isDamage, setAside } from './corruption.ts';
import { indexIdentity, whileInPlace } from './in-place.ts';
import type { IndexJob, IndexMethod, IndexOutcome } from './index-job.ts';
import type { Reranker } from '../models/reranker.ts';
import { inOurWords } from '../../trouble.ts';
import { openSqliteIndex, type SqliteIndex } from './sqlite-index.ts';
import { followFlag, type StopFlag } from '../stop.ts';

export type IndexThread = { run(job: IndexJob): Promise<IndexOutcome> };

export function createIndexThread(options: {
  readonly indexDir: string;
  readonly createEmbedder: () => Promise<Embedder>;
  readonly createReranker: () => Promise<Reranker | null>;
  readonly translates?: boolean;
}): IndexThread {
  const { indexDir } = options;
  let opened: { index: SqliteIndex; identity: number | null } | null = null;
  let models: Promise<[Embedder, Reranker | null]> | null = null;

  async function current(): Promise<SqliteIndex> {
    const replaced = opened !== null && opened.identity !== indexIdentity(indexDir);
    if (replaced) await drop();
    if (opened === null) {
      models ??= Promise.all([options.createEmbedder(), options.createReranker()]);
      const [embedder, reranker] = await models;
      opened = whileInPlace(indexDir, () => {
        const index = openSqliteIndex({ indexDir, embedder, reranker, translates: options.translates ?? true });
        return { index, identity: indexIdentity(indexDir) };
      });
      // Somebody deleted the file that was in use.
      if (replaced && opened.index.rebuildState() === 'new') opened.index.setRebuildState('damaged');
    }
    return opened.index;
  }

  async function drop(): Promise<void> {
    const { index } = opened!;
    opened = null;
    await index.close();
  }

  async function call(job: IndexJob): Promise<unknown> {
    const index = await current();
    const value = await (job.stop === undefined ? apply(index, job.method, job.args) : stoppable(index, job, job.stop));
    // Written into a file that was set aside in the meantime: as good as not written.
    if (opened?.identity !== indexIdentity(indexDir))
      throw new AppError('unavailable', 'The index is being replaced; try again in a moment.');
    return value;
  }

  async function recover(): Promise<void> {
    const damaged = opened?.identity ?? indexIdentity(indexDir);
    if (opened !== null) await drop();
    setAside(indexDir, damaged);
    (await current()).setRebuildState('damaged');
  }

  async function recovered(job: IndexJob): Promise<IndexOutcome> {
    try {
      await recover();
      return { ok: true, value: await call(job) };
    } catch (error) {
      return toOutcome(error);
    }
  }

  return {
    async run(job) {
      try {
        return { ok: true, value: await call(job) };
      } catch (error) {
        return isDamage(error) ? recovered(job) : toOutcome(error);
      }
    },
  };
}

function apply(index: SqliteIndex, name: IndexMethod, args: readonly unknown[]): unknown {
  const method = index[name] as (...args: unknown[]) => unknown;
  return method(...args);
}

async function stoppable(index: SqliteIndex, { method, args }: IndexJob, flag: StopFlag): Promise<unknown> {
  const stop = followFlag(flag);
  try {
    stop.check();
    return await apply(index, method, [...args, stop]);
  } finally {
    stop.release();
  }
}

/** Between threads an error loses its class and its code, so what is expected goes over as a value. */
function toOutcome(thrown: unknown): IndexOutcome {
  const error = inOurWords(thrown);
  if (error instanceof DocumentError) return { ok: false, code: error.code, message: error.message, retryable: error.retryable };
  if (error instanceof AppError)
    return { ok: false, code: error.code, message: error.message, retryable: true, cause: error.cause };
  throw error;
}
