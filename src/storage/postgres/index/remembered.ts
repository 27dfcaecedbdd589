/** Figures whose counting costs as much as there is to count: exact while they are small, a little old when they are large. */

/** How old a large figure may be. */
const keptMs = 1000;

/**
 * `count`, asked anew each time until `isLarge` of what it said; then that is the answer for a second, so that counting takes a bounded
 * share of the time however much there is. Callers at the same moment share one count.
 */
export function remembered<T>(count: () => Promise<T>, isLarge: (value: T) => boolean): () => Promise<T> {
  let last: { readonly value: T; readonly atMs: number } | null = null;
  let counting: Promise<T> | null = null;

  async function countAnew(): Promise<T> {
    const value = await count();
    last = isLarge(value) ? { value, atMs: performance.now() } : null;
    return value;
  }

  return () => {
    if (last === null) return countAnew();
    if (performance.now() - last.atMs < keptMs) return Promise.resolve(last.value);
    counting ??= countAnew().finally(() => (counting = null));
    return counting;
  };
}
