/** How the whole server is doing, in figures, and whether it can take uploads now. */
import { statfs } from 'node:fs/promises';
import type { DamageLog } from '../storage/damage-log.ts';
import type { SearcherBacklog } from '../search/document-index.ts';
import type { Engine, Standby, StoreFigures } from '../storage/engine.ts';

/** The processes that run the tasks, as a front end sees them. */
export interface Workers {
  /** Whether one of them takes tasks. */
  up(): Promise<boolean>;
  /** How often another one had to be started here. */
  restarts(): number;
  /** Memory of the one here; null when there is none, or where the system does not say. */
  residentBytes(): Promise<number | null>;
  /** What an object store was asked, by this front end and by the one here; none where files lie elsewhere. */
  fileStore(): Promise<readonly FileStoreUse[]>;
}

export type FileStoreUse = { readonly process: 'frontend' | 'worker'; readonly figures: StoreFigures };

export type StatusOptions = {
  readonly engine: Engine;
  readonly dataDir: string;
  readonly threads: number;
  readonly workers: Workers;
  /** Null: nothing is looked for. */
  readonly damageLog: Pick<DamageLog, 'read'> | null;
};

export type SystemFigures = {
  readonly pending: number;
  readonly processing: number;
  /** ISO 8601: since when the task has waited that is next; null when none waits. */
  readonly pendingSince: string | null;
  readonly threads: number;
  readonly workerUp: boolean;
  /** How often another worker had to be started here. */
  readonly workerRestarts: number;
  /** Memory of the worker process; null when it is down, or where the system does not say. */
  readonly workerBytes: number | null;
  readonly documents: number;
  readonly chunks: number;
  /** Found by the last pass of the check for damage. */
  readonly documentsDamaged: number;
  readonly documentsMended: number;
  readonly indexBytes: number;
  /** Of a searcher that follows the index; null where nobody does. */
  readonly searcherBacklog: SearcherBacklog | null;
  readonly diskFreeBytes: number;
  readonly diskTotalBytes: number;
  /** Standbys of the database that answer questions. */
  readonly standbys: readonly Standby[];
  /** Of an object store: what this process and its worker have asked of it. */
  readonly fileStore: readonly FileStoreUse[];
  readonly store: 'ready' | 'full' | 'read_only' | 'unusable';
};

export type Readiness = { readonly ready: true } | { readonly ready: false; readonly reason: string };

export interface SystemStatus {
  /** Store writable, space left, a worker up. Cheap enough for every probe. */
  readiness(): Promise<Readiness>;
  /** `reach`: of these collections alone, and nothing of what all share; null: of everything. */
  figures(reach: readonly string[] | null): Promise<SystemFigures>;
}

/** Tasks of one collection that are counted one by one. */
const countedTasksMax = 1000;

export function createSystemStatus({ engine, dataDir, threads, workers, damageLog }: StatusOptions): SystemStatus {
  /** What disk, index and damage come to would tell of other collections. */
  async function figuresOf(collections: readonly string[]): Promise<SystemFigures> {
    const count = async (status: 'pending' | 'processing'): Promise<number> => {
      const pages = await Promise.all(
        collections.map((collection) => engine.tasks.list({ collection, status, limit: countedTasksMax })),
      );
      return pages.reduce((total, { tasks }) => total + tasks.length, 0);
    };
    const [pending, processing, workerUp, stats, store] = await Promise.all([
      count('pending'),
      count('processing'),
      workers.up(),
      engine.index.collectionStats(collections),
      engine.state(),
    ]);
    const held = [...stats.values()];
    return {
      pending,
      processing,
      threads,
      pendingSince: null,
      workerUp,
      workerRestarts: 0,
      workerBytes: null,
      documents: held.reduce((total, { documents }) => total + documents, 0),
      chunks: held.reduce((total, { chunks }) => total + chunks, 0),
      documentsDamaged: 0,
      documentsMended: 0,
      indexBytes: 0,
      searcherBacklog: null,
      standbys: [],
      fileStore: [],
      diskFreeBytes: 0,
      diskTotalBytes: 0,
      store: store.state,
    };
  }

  return {
    async readiness() {
      const store = await engine.state();
      if (store.state !== 'ready') return { ready: false, reason: store.reason };
      return (await workers.up()) ? { ready: true } : { ready: false, reason: 'no worker process is running' };
    },
    async figures(reach) {
      if (reach !== null) return figuresOf(reach);
      const [counts, oldest, workerUp, workerBytes, index, store, disk, damage, fileStore] = await Promise.all([
        engine.tasks.counts(),
        engine.tasks.oldestPending(),
        workers.up(),
        workers.residentBytes(),
        engine.index.stats(),
        engine.state(),
        statfs(dataDir),
        damageLog?.read() ?? null,
        workers.fileStore(),
      ]);
      return {
        ...counts,
        threads,
        pendingSince: oldest?.status === 'pending' ? oldest.updatedAt : null,
        workerUp,
        workerRestarts: workers.restarts(),
        workerBytes,
        documents: index.documents,
        chunks: index.chunks,
        documentsDamaged: damage?.damaged ?? 0,
        documentsMended: damage?.mended ?? 0,
        indexBytes: index.bytes,
        searcherBacklog: index.backlog ?? null,
        standbys: engine.standbys?.() ?? [],
        fileStore,
        diskFreeBytes: disk.bavail * disk.bsize,
        diskTotalBytes: disk.blocks * disk.bsize,
        store: store.state,
      };
    },
  };
}
