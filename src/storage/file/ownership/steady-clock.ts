/**
 * The wall clock for expiry, hardened against being set forward: what it gained in a jump counts only after the same time
 * has really passed, so a task that ended before the jump does not expire early. Set back, it merely expires later.
 */
export interface SteadyClock {
  /** Unix time in milliseconds. Look often (every second): a jump is what the clock gained between two looks. */
  look(): number;
  /** How long ago, in milliseconds, the wall clock showed `thenMs`, without what it has jumped since; negative when it has not shown that yet. */
  readonly age: (thenMs: number) => number;
}

/** Less than this is a slow turn of the event loop or a gentle correction, not a jump. */
const jumpMsMin = 60_000;

export function createSteadyClock(options: { wallMs: () => number; monotonicMs: () => number; settleMs: number }): SteadyClock {
  let wall = options.wallMs();
  let monotonic = options.monotonicMs();
  let jumps: { at: number; gainedMs: number; toMs: number }[] = [];

  function look(): number {
    const wallNow = options.wallMs();
    const monotonicNow = options.monotonicMs();
    const gainedMs = wallNow - wall - (monotonicNow - monotonic);
    if (gainedMs > jumpMsMin) jumps.push({ at: monotonicNow, gainedMs, toMs: wallNow });
    if (gainedMs < -jumpMsMin) takeBack(-gainedMs);
    wall = wallNow;
    monotonic = monotonicNow;
    jumps = jumps.filter(({ at }) => monotonicNow - at < options.settleMs);
    return wallNow - gained(() => true);
  }

  /** Set back, the clock loses what it gained last: a jump that was put right is none. */
  function takeBack(lostMs: number): void {
    let left = lostMs;
    for (const jump of [...jumps].reverse()) {
      const taken = Math.min(jump.gainedMs, left);
      jumps = jumps.map((each) => (each === jump ? { ...jump, gainedMs: jump.gainedMs - taken, toMs: jump.toMs - taken } : each));
      left -= taken;
    }
    jumps = jumps.filter(({ gainedMs }) => gainedMs > 0);
  }

  function gained(isMeant: (jump: { toMs: number }) => boolean): number {
    return jumps.filter(isMeant).reduce((sum, jump) => sum + jump.gainedMs, 0);
  }

  return {
    look,
    age(thenMs) {
      look();
      return wall - thenMs - gained(({ toMs }) => thenMs < toMs && thenMs <= wall);
    },
  };
}
