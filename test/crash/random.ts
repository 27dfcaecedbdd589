/** Random numbers that a seed repeats (mulberry32). */
export type Random = {
  /** 0 ≤ x < 1. */
  next(): number;
  /** A whole number, `from` and `to` included. */
  whole(from: number, to: number): number;
  pick<T>(items: readonly T[]): T;
  sample<T>(items: readonly T[], count: number): T[];
};

export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }
  const whole = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1));
  return {
    next,
    whole,
    pick: (items) => items[whole(0, items.length - 1)]!,
    sample(items, count) {
      const rest = [...items];
      return Array.from({ length: Math.min(count, items.length) }, () => rest.splice(whole(0, rest.length - 1), 1)[0]!);
    },
  };
}
