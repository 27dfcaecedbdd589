/** A wall clock that a test sets. */
export type FakeClock = { now(): string; set(ms: number): void; advance(ms: number): void };

export function fakeClock(startMs = Date.now()): FakeClock {
  let at = startMs;
  return {
    now: () => new Date(at).toISOString(),
    set: (ms) => void (at = ms),
    advance: (ms) => void (at += ms),
  };
}
