/** What wakes those who wait for a task to claim. */

export interface Notifier {
  /** Grows with every notification. */
  readonly count: number;
  notify(): void;
  /** Resolves when there was a notification since `seen`, when `signal` aborts, or after `waitMs`. */
  changedSince(seen: number, signal: AbortSignal, waitMs: number): Promise<void>;
}

export function createNotifier(): Notifier {
  let count = 0;
  const waiting = new Set<() => void>();
  return {
    get count() {
      return count;
    },
    notify() {
      count += 1;
      for (const wake of waiting) wake();
    },
    changedSince(seen, signal, waitMs) {
      if (seen !== count || signal.aborted) return Promise.resolve();
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
