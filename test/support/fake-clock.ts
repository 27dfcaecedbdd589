/** A wall clock that a test sets. */
export type FakeClock = {
  readonly now: () => string;
  readonly advance: (ms: number) => void;
};

export function fakeClock(startMs = Date.now()): FakeClock {
  let at = startMs;
  return {
    now: () => new Date(at).toISOString(),
    advance: (ms) => void (at += ms),
  };
}
