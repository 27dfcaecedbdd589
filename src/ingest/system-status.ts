/** How the whole server is doing, in figures, and whether it can take uploads now. */
import { statfs } from 'node:fs/promises';
import type { Engine } from '../engines/engine.ts';

export type StatusOptions = {
  readonly engine: Engine;
  readonly dataDir: string;
  readonly threads: number;
  /** Whether a worker process is up to run tasks. */
  readonly workerUp: () => boolean;
};

export type SystemFigures = {
  readonly pending: number;
  readonly processing: number;
  readonly threads: number;
  readonly workerUp: boolean;
  readonly documents: number;
  readonly chunks: number;
  readonly indexBytes: number;
  readonly diskFreeBytes: number;
  readonly diskTotalBytes: number;
  readonly store: 'ready' | 'full' | 'read_only' | 'unusable';
};

export type Readiness = { readonly ready: true } | { readonly ready: false; readonly reason: string };

export interface SystemStatus {
  /** Store writable, space left, a worker up. Cheap enough for every probe. */
  readiness(): Promise<Readiness>;
  figures(): Promise<SystemFigures>;
}

export function createSystemStatus({ engine, dataDir, threads, workerUp }: StatusOptions): SystemStatus {
  return {
    async readiness() {
      const store = await engine.state();
      if (store.state !== 'ready') return { ready: false, reason: store.reason };
      return workerUp() ? { ready: true } : { ready: false, reason: 'no worker process is up' };
    },
    async figures() {
      const [counts, index, store, disk] = await Promise.all([
        engine.tasks.counts(),
        engine.index.stats(),
        engine.state(),
        statfs(dataDir),
      ]);
      return {
        ...counts,
        threads,
        workerUp: workerUp(),
        documents: index.documents,
        chunks: index.chunks,
        indexBytes: index.bytes,
        diskFreeBytes: disk.bavail * disk.bsize,
        diskTotalBytes: disk.blocks * disk.bsize,
        store: store.state,
      };
    },
  };
}
