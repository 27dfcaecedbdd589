/**
 * Whom a process that holds more than it may has to end: a rule without a clock or a process of its own. `resourceLimits` bound a thread's
 * heap only; Buffers and WebAssembly memory count for the process alone, which does not say whose they are.
 */

export interface MemoryBlame<Run> {
  /** A run begins; the answer takes it out again. */
  add(run: Run, nowMs: number): () => void;
  /**
   * Whom to end when the process holds so much, and whether it is surely the guilty one: it had the process to itself. Null: nobody.
   * The run that began last is the one; when that was a wrong guess, the right one is met at a later look.
   */
  look(residentBytes: number, nowMs: number): { readonly run: Run; readonly sure: boolean } | null;
}

/**
 * How long a thread that was ended may take to give its memory back. Seen: 150 ms on a quiet machine. As long, only memory that grows
 * beyond what was there when it ended is somebody else's.
 */
const givenBackMs = 2000;

export function createMemoryBlame<Run>(bytesMax: number): MemoryBlame<Run> {
  const runs: { readonly run: Run; shared: boolean }[] = [];
  let endedAt = -Infinity;
  let endedAtBytes = 0;

  return {
    add(run, nowMs) {
      const added = { run, shared: runs.length > 0 || nowMs - endedAt < givenBackMs };
      for (const other of runs) other.shared = true;
      runs.push(added);
      return () => void runs.splice(runs.indexOf(added), 1);
    },
    look(residentBytes, nowMs) {
      const suspect = runs.at(-1);
      if (residentBytes <= bytesMax || suspect === undefined) return null;
      if (nowMs - endedAt < givenBackMs && residentBytes <= endedAtBytes) return null;
      endedAt = nowMs;
      endedAtBytes = residentBytes;
      return { run: suspect.run, sure: !suspect.shared };
    },
  };
}
