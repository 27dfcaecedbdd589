/**
 * When a process may declare another one dead. It judges by what it sees happen while it looks, on its own steady clock: whose sign of
 * life stays the same for a whole lease, or for a quarter of one when its connection has ended as well. And it judges only after a
 * whole lease in which it was never cut off itself and the server let in who came: when a server lets people in again after
 * an interruption, whoever comes first finds that nobody else has shown itself for long, and must not take that for death.
 */

/** What a process has left for others to see. */
export type SignOfLife = {
  readonly owner: string;
  /** Another one each time that the process shows itself. */
  readonly sign: string;
  /** How old it is by the server's clock, in milliseconds; that clock may step. */
  readonly ageMs: number;
};

export interface FailureDetector {
  /** This process has shown itself. */
  shown(): void;
  /** The connection of this process was lost, or is another one. */
  cutOff(): void;
  /** Runs what shows this process or looks at others: when it fails, this process was cut off. @throws what `work` throws. */
  watch<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Those who may be declared dead, provided that their sign is still the same. To be asked after each `shown`, with the signs of all
   * others. `withConnection` tells which of some owners have a connection to the server.
   */
  dead(
    others: readonly SignOfLife[],
    withConnection: (owners: readonly string[]) => Promise<readonly string[]>,
  ): Promise<readonly SignOfLife[]>;
}

/** So many are tried to be let in at once. */
const comersMax = 16;

export function createFailureDetector(options: {
  readonly leaseMs: number;
  /** Whether the server lets in so many who come now: while it does not, who is silent may be waiting at the door. */
  readonly letsIn: (count: number) => Promise<boolean>;
  /** A clock that never steps, in milliseconds. */
  readonly steadyMs?: () => number;
}): FailureDetector {
  const { leaseMs, letsIn, steadyMs = () => performance.now() } = options;
  /** Since when this process watches without a gap; null while it is cut off. */
  let watchingSince: number | null = null;
  let shownAt = -Infinity;
  let lookedAt = -Infinity;
  /** Since when each has left the same sign. */
  let silences = new Map<string, { readonly sign: string; readonly since: number }>();

  function cutOff(): void {
    watchingSince = null;
  }

  /** A step of the server's clock makes nobody older than the look before this one. */
  function look(others: readonly SignOfLife[]): void {
    const at = steadyMs();
    const before = Math.max(lookedAt, watchingSince ?? at);
    silences = new Map(
      others.map(({ owner, sign, ageMs }) => {
        const known = silences.get(owner);
        return [owner, known?.sign === sign ? known : { sign, since: Math.max(before, Math.min(at, at - ageMs)) }];
      }),
    );
    lookedAt = at;
  }

  async function silentOnes(
    others: readonly SignOfLife[],
    withConnection: (owners: readonly string[]) => Promise<readonly string[]>,
  ) {
    const silentMs = ({ owner }: SignOfLife): number => lookedAt - silences.get(owner)!.since;
    const silent = others.filter((other) => silentMs(other) >= leaseMs / 4);
    const there = silent.length === 0 ? [] : await withConnection(silent.map(({ owner }) => owner));
    return silent.filter((other) => silentMs(other) >= leaseMs || !there.includes(other.owner));
  }

  return {
    shown() {
      const at = steadyMs();
      // Whoever slept for so long has not watched.
      if (at - shownAt > leaseMs / 2) cutOff();
      watchingSince ??= at;
      shownAt = at;
    },
    cutOff,
    async watch(work) {
      try {
        return await work();
      } catch (error) {
        cutOff();
        throw error;
      }
    },
    async dead(others, withConnection) {
      const since = watchingSince;
      look(others);
      const silent = await silentOnes(others, withConnection);
      if (silent.length === 0) return [];
      // This process may just happen to hold a connection; each of the others needs two.
      const open = await letsIn(Math.min(2 * silent.length, comersMax));
      if (since === null || watchingSince !== since) return [];
      const at = steadyMs();
      if (!open) watchingSince = at;
      return open && at - since >= leaseMs && at - shownAt <= leaseMs / 2 ? silent : [];
    },
  };
}
