/** A log for what strangers can cause at will: a few lines of each kind in a while, then one that says how many more there were. */
import type { Logger } from '../logger.ts';

export interface BriefLog {
  /** `kind`: a sentence of ours, never a stranger's text: there are only as many as the program has. */
  write(level: 'debug' | 'warn' | 'error', fields: object, kind: string): void;
  /** Says what was left out so far. */
  close(): void;
}

/** Lines of a kind in each window. */
const linesMax = 10;
const windowMs = 10_000;

export function createBriefLog(logger: Logger): BriefLog {
  const written = new Map<string, { lines: number; leftOut: number }>();
  let timer: NodeJS.Timeout | undefined;
  return { write, close: endWindow };

  function write(level: 'debug' | 'warn' | 'error', fields: object, kind: string): void {
    timer ??= setTimeout(endWindow, windowMs).unref();
    const count = written.get(kind) ?? { lines: 0, leftOut: 0 };
    written.set(kind, count);
    count.lines += 1;
    if (count.lines <= linesMax) logger[level](fields, kind);
    else count.leftOut += 1;
  }

  function endWindow(): void {
    clearTimeout(timer);
    timer = undefined;
    for (const [kind, { leftOut }] of written)
      if (leftOut > 0) logger.warn({ leftOut, seconds: windowMs / 1000 }, `more lines of this kind were left out: ${kind}`);
    written.clear();
  }
}
