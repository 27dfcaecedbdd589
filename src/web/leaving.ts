/**
 * Removals that were confirmed and wait a few seconds for an undo. When the page goes away meanwhile they are done at once: what
 * was confirmed is kept, and nothing that its reader believes to be deleted can still be found.
 */

/** Seconds in which a removal can be taken back. */
export const undoSeconds = 6;

type Leaving = { readonly path: string; readonly run: () => void; timer: ReturnType<typeof setTimeout> };

const waiting = new Map<string, Leaving>();

/** Runs `run` after the time to undo. `path` is the address that a DELETE would be sent to if the page goes away before. */
export function leaveLater(key: string, path: string, run: () => void): void {
  stay(key);
  const timer = setTimeout(() => {
    waiting.delete(key);
    run();
  }, undoSeconds * 1000);
  waiting.set(key, { path, run, timer });
}

/** Takes it back; true when there was still time. */
export function stay(key: string): boolean {
  clearTimeout(waiting.get(key)?.timer);
  return waiting.delete(key);
}

/** The page is going away: `keepalive` lets a request outlive it. */
export function leavesNow(): void {
  for (const { path, timer } of waiting.values()) {
    clearTimeout(timer);
    void fetch(path, { method: 'DELETE', credentials: 'same-origin', keepalive: true }).catch(() => undefined);
  }
  waiting.clear();
}
