/**
 * Whose task is next: threads go round among the callers that have tasks waiting, to those first of whom the fewest run here. So
 * whoever sends thousands of slow documents delays another's by the rest of one of them, and has all threads when nobody else waits.
 */

export interface Turns {
  /** The last caller that had a turn here; '' before the first. */
  readonly last: string;
  /** The callers in the order in which they get the next thread. */
  order(callers: Iterable<string>): string[];
  /** A task of this caller runs here from now on. */
  began(caller: string): void;
  ended(caller: string): void;
}

export function createTurns(): Turns {
  const running = new Map<string, number>();
  let last = '';

  function count(caller: string, more: 1 | -1): void {
    const now = (running.get(caller) ?? 0) + more;
    if (now > 0) running.set(caller, now);
    else running.delete(caller);
  }

  return {
    get last() {
      return last;
    },
    order(callers) {
      const round = [...callers].sort();
      const from = round.findIndex((caller) => caller > last);
      const turned = from <= 0 ? round : [...round.slice(from), ...round.slice(0, from)];
      return turned.sort((one, other) => (running.get(one) ?? 0) - (running.get(other) ?? 0));
    },
    began(caller) {
      last = caller;
      count(caller, 1);
    },
    ended: (caller) => count(caller, -1),
  };
}
