/**
 * Damage at rest is looked for in the background, by one process at a time and a little at a time: document after document, with pauses
 * that bound what is read, a pass now and then. What can be mended is; the rest is told in the log, in figures and on the page.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { DamageLog } from '../storage/damage-log.ts';
import type { Engine } from '../storage/engine.ts';
import type { Logger } from '../logger.ts';
import type { IndexedDocument } from '../search/document-index.ts';
import { checkDocument, documentsIn, type ReadAgain } from './checkup.ts';
import { askReread, type RereadingRules } from './rereading.ts';

export interface DamageWatch {
  start(): void;
  /** Waits for the document that is looked at. Safe twice. */
  stop(): Promise<void>;
}

/** Read in a second, on average. */
const bytesPerSecond = 4 * 1024 * 1024;
const pauseMsMin = 20;
const firstMs = 10_000;

export function createDamageWatch(options: {
  readonly engine: Engine;
  readonly readAgain: ReadAgain;
  readonly rereading: RereadingRules;
  readonly log: DamageLog;
  /** Between two passes. */
  readonly everyMs: number;
  /** ISO 8601. */
  readonly now: () => string;
  readonly logger: Logger;
}): DamageWatch {
  const { engine, readAgain, rereading, log, everyMs, now, logger } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  let running: Promise<void> = Promise.resolve();

  async function watch(): Promise<void> {
    for (let waitMs = Math.min(firstMs, everyMs); await paused(waitMs); waitMs = everyMs)
      await passIfLeading().catch((error: unknown) =>
        logger.warn({ err: error }, 'the check for damage was interrupted; it starts again later'),
      );
  }

  async function passIfLeading(): Promise<void> {
    const lead = await log.lead();
    if (lead === null) return;
    try {
      await pass();
    } finally {
      await lead.release();
    }
  }

  async function pass(): Promise<void> {
    const before = await log.read();
    let damaged = 0;
    let mended = before?.mended ?? 0;
    for await (const document of documentsIn(engine)) {
      const { docId, is, faults, bytes } = await checkDocument(engine, document, readAgain);
      const what = faults.map((fault) => `${fault.part} ${fault.is}`).join(', ');
      if (is === 'damaged') {
        damaged += 1;
        logger.error({ docId, what }, 'a stored document is damaged and cannot be repaired; upload it again');
      } else if (is === 'mended') {
        mended += 1;
        logger.warn({ docId, what }, 'a stored document was damaged and has been repaired');
      } else if (is === 'otherwise' && (await readAsUpload(document))) {
        mended += 1;
        logger.warn({ docId, what }, 'a stored document was damaged and has been read again; its text may differ');
      }
      if (is === 'mended' || is === 'otherwise' || damaged > (before?.damaged ?? 0))
        await log.write({ checkedAt: now(), damaged: Math.max(damaged, before?.damaged ?? 0), mended });
      if (!(await paused(Math.max(pauseMsMin, (bytes / bytesPerSecond) * 1000)))) return;
    }
    await log.write({ checkedAt: now(), damaged, mended });
  }

  /** False when something is on its way already that decides what the document becomes. */
  async function readAsUpload(document: IndexedDocument): Promise<boolean> {
    for (const status of ['pending', 'processing'] as const)
      if ((await engine.tasks.list({ status, docId: document.docId, limit: 1 })).tasks.length > 0) return false;
    const asked = await askReread(engine, document, rereading);
    return asked !== null && 'id' in asked;
  }

  /** False when it is time to stop. */
  async function paused(ms: number): Promise<boolean> {
    await pause(ms, undefined, { signal, ref: false }).catch(() => undefined);
    return !signal.aborted && !engine.lost.aborted;
  }

  return {
    start() {
      running = watch();
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
