/** What wakes those who wait for a task to claim. */

export interface Bell {
  /** Grows with every ring. */
  readonly rings: number;
  ring(): void;
  /** Resolves when it has rung since `seen`, when `signal` aborts, or after `waitMs`. */
  rung(seen: number, signal: AbortSignal, waitMs: number): Promise<void>;
}

export function createBell(): Bell {
  let rings = 0;
  const waiting = new Set<() => void>();
  return {
    get rings() {
      return rings;
    },
    ring() {
      rings += 1;
      for (const wake of waiting) wake();
    },
    rung(seen, signal, waitMs) {
      if (seen !== rings || signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const timer = setTimeout(wake, waitMs);
        function wake(): void {
          clearTimeout(timer);
          waiting.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        }
        waiting.add(wake);
        signal.addEventListener('abort', wake, { once: true });
      });
    },
  };
}
