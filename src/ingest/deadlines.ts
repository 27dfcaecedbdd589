/**
 * How long a job may take. What is counted is the processor time of its thread, so the verdict on a document does not depend on what
 * else the machine does. A thread that does not compute either, though it is silent, waits for something that does not come: that is
 * no document's fault, and is tried again.
 */
import type { StageCounts } from '../tasks/progress.ts';
import type { ProgressMessage } from './job.ts';

/** Milliseconds of processor time of the thread. */
export type Deadlines = {
  /** For the whole of parsing. */
  readonly parseMs: number;
  /** For one page, while a format with pages is read. */
  readonly pageMs: number;
  /** For chunking and embedding together; also the longest silence of a model, which computes elsewhere. */
  readonly embedMs: number;
};

/** `late`: the document needs more than it may; `stalled`: it was kept from being read. */
export type Overrun = { readonly kind: 'late' | 'stalled'; readonly sentence: string };

export interface DeadlineWatch {
  /** The thread has told of itself. */
  heard(message: ProgressMessage): void;
  end(): void;
}

/** Times a silent thread may wait, in times of a page: Tesseract's own time, which is bounded, fits in. */
const idlePages = 10;
/** By the clock a stage may take this many times as long, however little is computed. */
const clockFactor = 10;
/** A thread that has computed less of the time was idle. */
const idleShare = 0.01;

type Mark = { readonly cpuMs: number; readonly clockMs: number };

/**
 * Watches one job from its beginning on; `onOverrun` is called once at most. The thread is asked for its time only when it could be
 * over: never more often than a deadline is long.
 */
export function watchDeadlines(options: {
  readonly deadlines: Deadlines;
  /** The processor time of a thread in milliseconds; null when it cannot be said. */
  readonly cpuTimeOf: (threadId: number) => Promise<number | null>;
  readonly onOverrun: (overrun: Overrun) => void;
}): DeadlineWatch {
  const { deadlines } = options;
  let stage: StageCounts['stage'] = 'parsing';
  let threadId: number | null = null;
  let onPage = false;
  let stageMark: Mark | null = null;
  let pageMark: Mark | null = null;
  let look: Mark = { cpuMs: 0, clockMs: performance.now() };
  const begunAt = look.clockMs;
  let idleMs = 0;
  let timer: NodeJS.Timeout | undefined;
  let ended = false;
  schedule(deadlines.pageMs);

  function schedule(ms: number): void {
    timer = setTimeout(() => void check().catch(() => schedule(deadlines.pageMs)), Math.max(10, ms));
  }

  function stop(): void {
    ended = true;
    clearTimeout(timer);
  }

  async function check(): Promise<void> {
    const lookedMs = performance.now() - look.clockMs;
    const cpuMs = (threadId === null ? null : await options.cpuTimeOf(threadId)) ?? look.cpuMs;
    if (ended) return;
    const isIdle = cpuMs - look.cpuMs < lookedMs * idleShare;
    // A process that was stopped as a whole has not waited: at most two looks' time is counted for one.
    idleMs = isIdle ? idleMs + Math.min(lookedMs, 2 * deadlines.pageMs) : 0;
    look = { cpuMs, clockMs: performance.now() };
    const overrun = overrunAt(look);
    if (overrun === null) return schedule(untilNext(cpuMs));
    stop();
    options.onOverrun(overrun);
  }

  function overrunAt({ cpuMs, clockMs }: Mark): Overrun | null {
    const stageMs = stageMark === null ? 0 : cpuMs - stageMark.cpuMs;
    const stageClockMs = clockMs - (stageMark?.clockMs ?? begunAt);
    if (stage !== 'parsing') {
      if (stageMs >= deadlines.embedMs) return late('Chunking and embedding the document', deadlines.embedMs, 'EMBED_TIMEOUT_MS');
      return isStalled(deadlines.embedMs, deadlines.embedMs) ? stalled('Chunking and embedding', stageClockMs) : null;
    }
    if (stageMs >= deadlines.parseMs) return late('Parsing the document', deadlines.parseMs, 'PARSE_TIMEOUT_MS');
    if (onPage && pageMark !== null && cpuMs - pageMark.cpuMs >= deadlines.pageMs)
      return late('One page', deadlines.pageMs, 'PAGE_TIMEOUT_MS');
    return isStalled(idlePages * deadlines.pageMs, deadlines.parseMs) ? stalled('Reading', stageClockMs) : null;

    function isStalled(idleMsMax: number, stageMsMax: number): boolean {
      return idleMs >= idleMsMax || stageClockMs >= clockFactor * stageMsMax;
    }
  }

  /** No deadline can be met before: nobody computes faster than the clock goes. */
  function untilNext(cpuMs: number): number {
    if (stage !== 'parsing') return Math.min(deadlines.pageMs, deadlines.embedMs - (cpuMs - (stageMark?.cpuMs ?? cpuMs)));
    const parseMs = deadlines.parseMs - (cpuMs - (stageMark?.cpuMs ?? cpuMs));
    const pageMs = deadlines.pageMs - (onPage ? cpuMs - (pageMark?.cpuMs ?? cpuMs) : 0);
    return Math.min(parseMs, pageMs);
  }

  return {
    heard(message) {
      if (ended) return;
      const mark: Mark = { cpuMs: message.cpuMs, clockMs: performance.now() };
      const isNewStage = stageMark === null || (stage === 'parsing' && message.stage !== 'parsing');
      threadId = message.threadId;
      stage = message.stage;
      onPage = message.onPage;
      pageMark = mark;
      idleMs = 0;
      if (!isNewStage) return;
      stageMark = mark;
      look = mark;
      clearTimeout(timer);
      schedule(untilNext(mark.cpuMs));
    },
    end: stop,
  };
}

function late(what: string, ms: number, setting: string): Overrun {
  return { kind: 'late', sentence: `${what} took longer than ${seconds(ms)} s (${setting})` };
}

function stalled(what: string, ms: number): Overrun {
  return {
    kind: 'stalled',
    sentence: `${what} made no progress on the server within ${seconds(ms)} s; the document is not the cause`,
  };
}

function seconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}
