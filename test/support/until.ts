/** Waiting for a condition, not for a time: looks again and again, and says what it waited for when it gives up. */

/** A look costs whoever is asked as well: after a while it comes later by at most a tenth of what was waited. */
const pauseMsMin = 10;
const pauseMsMax = 200;

export async function until(what: string, condition: () => boolean | Promise<boolean>, deadlineMs = 180_000): Promise<void> {
  const startedAt = performance.now();
  const deadline = startedAt + deadlineMs;
  let last: unknown;
  while (performance.now() < deadline) {
    try {
      if (await condition()) return;
    } catch (error) {
      last = error;
    }
    const pauseMs = Math.min(pauseMsMax, Math.max(pauseMsMin, (performance.now() - startedAt) / 10));
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  throw new Error(`waited ${deadlineMs} ms in vain until ${what}`, { cause: last });
}
