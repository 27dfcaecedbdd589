/**
 * Whom a process that holds more than it may has to end: a rule without a clock or a process of its own. `resourceLimits` bound a thread's
 * heap only; Buffers and WebAssembly memory count for the process alone, which does not say whose they are.
 */

export interface MemoryBlame<Run> {
  /** A run begins; the answer takes it out again, when its thread is gone or has answered. */
  add(run: Run, nowMs: number): (nowMs: number) => void;
  /**
   * Whom to end when the process holds so much, and whether it is surely the guilty one: it had the process to itself. Null: nobody.
   * The run that began last is the one; when that was a wrong guess, the right one is met at a later look.
   */
  look(residentBytes: number, nowMs: number): { readonly run: Run; readonly sure: boolean } | null;
}

/**
 * How long a thread that is gone may take to give its memory back. Seen: 150 ms on a quiet machine. As long, and while a thread that is
 * to end is still there, only memory that grows beyond what was there when it was named is somebody else's.
 */
const givenBackMs = 2000;

export function createMemoryBlame<Run>(bytesMax: number): MemoryBlame<Run> {
  const runs: { readonly run: Run; shared: boolean; isEnding: boolean }[] = [];
  let goneAt = -Infinity;
  let namedAtBytes = 0;

  const isGivenBack = (nowMs: number): boolean => nowMs - goneAt >= givenBackMs && !runs.some(({ isEnding }) => isEnding);

  return {
    add(run, nowMs) {
      const added = { run, shared: runs.length > 0 || !isGivenBack(nowMs), isEnding: false };
      for (const other of runs) other.shared = true;
      runs.push(added);
      return (endMs) => {
        runs.splice(runs.indexOf(added), 1);
        if (added.isEnding) goneAt = endMs;
      };
    },
    look(residentBytes, nowMs) {
      if (residentBytes <= bytesMax || (!isGivenBack(nowMs) && residentBytes <= namedAtBytes)) return null;
      const suspect = runs.findLast(({ isEnding }) => !isEnding);
      if (suspect === undefined) return null;
      suspect.isEnding = true;
      namedAtBytes = residentBytes;
      return { run: suspect.run, sure: !suspect.shared };
    },
  };
}
