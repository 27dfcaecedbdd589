/**
 * The names of files that were chosen and are not with the server yet, kept by this browser: after the page was closed or loaded again
 * it can say which files must be chosen once more. The files themselves cannot be kept.
 */
import { effect, signal } from '@preact/signals';
import { forget, remember, remembered } from './memory.ts';
import { uploads } from './uploads.ts';

/** Names that are kept; of more there is only their number. */
const namesMax = 500;

export type Unsent = { readonly paths: readonly string[]; readonly count: number };

/** Of the visit before; null when nothing was left behind, or it was chosen again or given up. */
export const leftBehind = signal<Unsent | null>(readLeft());

export function forgetLeft(): void {
  leftBehind.value = null;
}

// What is chosen again is no longer missing.
effect(() => {
  const chosen = new Set(uploads.value.map(({ path }) => path));
  const before = leftBehind.peek();
  if (before === null || chosen.size === 0) return;
  const paths = before.paths.filter((path) => !chosen.has(path));
  if (paths.length === before.paths.length) return;
  leftBehind.value = paths.length === 0 ? null : { paths, count: before.count - (before.paths.length - paths.length) };
});

effect(() => {
  const waiting = uploads.value.filter(({ state }) => ['ready', 'taken', 'waiting', 'sending'].includes(state.value.phase));
  const left = leftBehind.value;
  const paths = [...(left?.paths ?? []), ...waiting.map(({ path }) => path)];
  const count = (left?.count ?? 0) + waiting.length;
  if (count === 0) forget('unsent');
  else remember('unsent', JSON.stringify({ paths: paths.slice(0, namesMax), count }));
});

function readLeft(): Unsent | null {
  try {
    const kept = JSON.parse(remembered('unsent') ?? 'null') as Partial<Unsent> | null;
    const isSound =
      Array.isArray(kept?.paths) && typeof kept.count === 'number' && kept.paths.every((path) => typeof path === 'string');
    return isSound ? (kept as Unsent) : null;
  } catch {
    return null;
  }
}
