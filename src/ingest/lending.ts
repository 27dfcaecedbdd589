/** Jobs that are no tasks and wait for one of the threads: each caller's in the order in which they came, the callers by turns. A rule and lists; it runs nothing. */

export interface Lending {
  /** Those that have begun and not ended. */
  readonly running: number;
  /** Whether the first one that waits may begin now, rather than a task that waits too. */
  readonly isNext: boolean;
  /** Whether any waits that may begin as soon as no task is found. */
  readonly mayBegin: boolean;
  /** Begins the one whose turn it is. */
  begin(): void;
  /** A task had its chance. */
  taskWasNext(): void;
  /** When it may begin: true; false when one of the signals aborts first. After true `end` must be called. */
  turn(caller: string, signals: readonly AbortSignal[]): Promise<boolean>;
  end(): void;
}

/** At most all threads but one, where there are two; of a job and a task that both wait, each is next in turn. */
export function createLending(threads: number): Lending {
  /** By caller, in the order of their turns. */
  const waiting = new Map<string, (() => void)[]>();
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
      return waiting.size > 0 && running < runningMax;
    },
    begin() {
      const [next] = waiting;
      if (next === undefined) return;
      const [caller, own] = next;
      const first = own.shift()!;
      // To the end of the line of callers.
      waiting.delete(caller);
      if (own.length > 0) waiting.set(caller, own);
      running += 1;
      tasksTurn = true;
      first();
    },
    taskWasNext() {
      tasksTurn = false;
    },
    async turn(caller, signals) {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const begin = (): void => resolve(true);
      const leave = (): void => {
        const own = waiting.get(caller) ?? [];
        const place = own.indexOf(begin);
        if (place < 0) return;
        own.splice(place, 1);
        if (own.length === 0) waiting.delete(caller);
        resolve(false);
      };
      waiting.set(caller, [...(waiting.get(caller) ?? []), begin]);
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
