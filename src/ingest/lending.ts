/** Jobs that are no tasks and wait for one of the threads, in the order in which they came. A rule and a list; it runs nothing. */

export interface Lending {
  /** Those that have begun and not ended. */
  readonly running: number;
  /** Whether the first one that waits may begin now, rather than a task that waits too. */
  readonly isNext: boolean;
  /** Whether any waits that may begin as soon as no task is found. */
  readonly mayBegin: boolean;
  /** Begins the first that waits. */
  begin(): void;
  /** A task had its chance. */
  taskWasNext(): void;
  /** When it may begin: true; false when one of the signals aborts first. After true `end` must be called. */
  turn(signals: readonly AbortSignal[]): Promise<boolean>;
  end(): void;
}

/** At most all threads but one, where there are two; of a job and a task that both wait, each is next in turn. */
export function createLending(threads: number): Lending {
  const waiting: (() => void)[] = [];
  const runningMax = Math.max(1, threads - 1);
  let running = 0;
  let tasksTurn = false;

  return {
    get running() {
      return running;
    },
    get isNext() {
      return this.mayBegin && !tasksTurn;
    },
    get mayBegin() {
      return waiting.length > 0 && running < runningMax;
    },
    begin() {
      const first = waiting.shift();
      if (first === undefined) return;
      running += 1;
      tasksTurn = true;
      first();
    },
    taskWasNext() {
      tasksTurn = false;
    },
    async turn(signals) {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const begin = (): void => resolve(true);
      const leave = (): void => {
        const place = waiting.indexOf(begin);
        if (place < 0) return;
        waiting.splice(place, 1);
        resolve(false);
      };
      waiting.push(begin);
      for (const signal of signals) signal.addEventListener('abort', leave, { once: true });
      if (signals.some(({ aborted }) => aborted)) leave();
      try {
        return await promise;
      } finally {
        for (const signal of signals) signal.removeEventListener('abort', leave);
      }
    },
    end() {
      running -= 1;
    },
  };
}
