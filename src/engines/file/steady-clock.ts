/**
 * The wall clock for expiry, hardened against being set forward: what it gained in a jump counts only after the same time
 * has really passed, so a task that ended before the jump does not expire early. Set back, it merely expires later.
 */
export interface SteadyClock {
  /** Unix time in milliseconds. Look often (every second): a jump is what the clock gained between two looks. */
  look(): number;
}

/** Less than this is a slow turn of the event loop or a gentle correction, not a jump. */
const jumpMsMin = 60_000;

export function createSteadyClock(options: { wallMs: () => number; monotonicMs: () => number; settleMs: number }): SteadyClock {
  let wall = options.wallMs();
  let monotonic = options.monotonicMs();
  let jumps: { at: number; gainedMs: number }[] = [];

  return {
    look() {
      const wallNow = options.wallMs();
      const monotonicNow = options.monotonicMs();
      const gainedMs = wallNow - wall - (monotonicNow - monotonic);
      if (gainedMs > jumpMsMin) jumps.push({ at: monotonicNow, gainedMs });
      wall = wallNow;
      monotonic = monotonicNow;
      jumps = jumps.filter(({ at }) => monotonicNow - at < options.settleMs);
      return wallNow - jumps.reduce((sum, jump) => sum + jump.gainedMs, 0);
    },
  };
}
