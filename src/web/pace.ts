/** How long a running task will still take, from the pace seen on this page: the server's and the reader's clocks may differ. */
import type { WireTask } from './wire.ts';

type Start = { readonly percent: number; readonly atMs: number };

const starts = new Map<string, Start>();
const startsMax = 1000;

/** Milliseconds, or null while there is too little to go by. */
export function msLeft(task: WireTask): number | null {
  const percent = task.progress.percent;
  if (task.status !== 'processing') return null;
  const key = `${task.task_id} ${task.attempts}`;
  const start = starts.get(key);
  if (start === undefined) {
    if (starts.size >= startsMax) starts.clear();
    starts.set(key, { percent, atMs: performance.now() });
    return null;
  }
  const elapsedMs = performance.now() - start.atMs;
  const gained = percent - start.percent;
  if (gained < 3 || elapsedMs < 1000) return null;
  return (elapsedMs / gained) * (100 - percent);
}
