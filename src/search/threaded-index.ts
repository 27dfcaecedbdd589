/** The index behind a pool of threads, so that no search and no commit holds up the event loop. */
import { Piscina } from 'piscina';
import { AppError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { DocumentIndex } from './document-index.ts';
import type { IndexJob, IndexMethod, IndexOutcome, IndexThreadSettings } from './index-job.ts';
import type { SqliteIndex } from './sqlite-index.ts';

export type ThreadedIndexOptions = IndexThreadSettings & {
  /** Each is a connection of its own; two let a search run beside a commit. */
  readonly threads: number;
  readonly logger: Logger;
};

/** Opens the index and waits until every thread answers. Closing waits for what runs. */
export async function openThreadedIndex(options: ThreadedIndexOptions): Promise<DocumentIndex> {
  const { indexDir, embedder } = options;
  const pool = new Piscina({
    filename: new URL('../../workers/index.ts', import.meta.url).href,
    minThreads: options.threads,
    maxThreads: options.threads,
    idleTimeout: Infinity,
    workerData: { indexDir, embedder } satisfies IndexThreadSettings,
  });
  const failure = new Promise<never>((_, reject) => pool.on('error', reject));
  failure.catch(() => {});
  let tidying: Promise<void> | null = null;
  let closing = false;

  /** A thread that cannot start rejects one call and leaves the later ones waiting for ever; the pool's error ends them. */
  async function call<M extends IndexMethod>(
    method: M,
    ...args: Parameters<SqliteIndex[M]>
  ): Promise<Awaited<ReturnType<SqliteIndex[M]>>> {
    const job: IndexJob = { method, args };
    const outcome = (await Promise.race([pool.run(job), failure])) as IndexOutcome;
    if (!outcome.ok) throw new AppError(outcome.code, outcome.message);
    return outcome.value as Awaited<ReturnType<SqliteIndex[M]>>;
  }

  /** Merges in the background, one at a time in this process, until nothing is due. */
  function tidySoon(): void {
    tidying ??= (async () => {
      while (!closing && (await call('tidy')));
    })()
      .catch((error: unknown) => options.logger.error({ err: error }, 'merging index segments failed'))
      .finally(() => (tidying = null));
  }

  await Promise.all(Array.from({ length: options.threads }, () => call('stats')));
  return {
    async replace(document, folder) {
      const outcome = await call('replace', document, folder);
      if (outcome === 'ok') tidySoon();
      return outcome;
    },
    touch: (...args) => call('touch', ...args),
    revoke: (...args) => call('revoke', ...args),
    reinstate: (...args) => call('reinstate', ...args),
    remove: (...args) => call('remove', ...args),
    info: (...args) => call('info', ...args),
    wasCommitted: (...args) => call('wasCommitted', ...args),
    list: (...args) => call('list', ...args),
    search: (...args) => call('search', ...args),
    stats: () => call('stats'),
    purge: (...args) => call('purge', ...args),
    async close() {
      closing = true;
      await tidying;
      await pool.close();
    },
  };
}
