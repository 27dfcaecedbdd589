/** Whether the database takes uploads: once it has refused one, it is tried, as an upload would, before anybody is told that it does again. */
import { troubleOf } from '../../trouble.ts';
import type { StoreState } from '../engine.ts';
import type { Blobs } from './blobs.ts';
import type { Database } from './database.ts';

/** How often it is tried at most. */
const probeMs = 500;

export function createRoom(options: { database: Database; blobs: Pick<Blobs, 'tryRoom' | 'state'>; owner: string }): {
  /** Cheap while nothing is refused. */
  state(): Promise<StoreState>;
  /** What an upload has met. */
  note(error: unknown): void;
} {
  const { database, blobs, owner } = options;
  let refusal: Exclude<StoreState, { state: 'ready' }> | null = null;
  let probedAt = -Infinity;
  let probing: Promise<void> | null = null;

  async function probe(): Promise<void> {
    await blobs.tryRoom(owner);
    database.roomFound();
    refusal = null;
  }

  async function probeSometimes(): Promise<void> {
    if (performance.now() - probedAt < probeMs) return;
    probing ??= probe()
      .catch(note)
      .finally(() => {
        probedAt = performance.now();
        probing = null;
      });
    await probing;
  }

  function note(error: unknown): void {
    const trouble = troubleOf(error);
    if (trouble === 'full') refusal = { state: 'full', reason: 'the database has no space left' };
    else if (trouble !== null) refusal = { state: 'unusable', reason: `the database refuses uploads: ${reasonOf(error)}` };
  }

  return {
    note,
    async state() {
      if (database.lacksRoom) refusal ??= { state: 'full', reason: 'the database has no space left' };
      if (refusal !== null) await probeSometimes();
      return refusal ?? blobs.state();
    },
  };
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? cause.message : message;
}
