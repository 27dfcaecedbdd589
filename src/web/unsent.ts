/**
 * The names of files that were chosen and are not with the server yet, kept by this browser: after the page was closed or loaded again
 * it can go on with them where the browser has kept their handles too, and says of the others that they must be chosen once more.
 */
import { effect, signal } from '@preact/signals';
import type { FoundFile } from './dropped-files.ts';
import { forget, remember, remembered } from './memory.ts';
import { uploads } from './uploads.ts';

/** Names that are kept; of more there is only their number. */
const namesMax = 500;

export type Unsent = { readonly paths: readonly string[]; readonly count: number };

/** Of the visit before; null when nothing was left behind, or it was chosen again or given up. */
export const leftBehind = signal<Unsent | null>(readLeft());

/** Those of them that can be read without being chosen again. */
export const resumable = signal<ReadonlyMap<string, FileSystemFileHandle>>(new Map());

/** Paths whose handles are kept. */
const kept = new Set<string>();

export function forgetLeft(): void {
  leftBehind.value = null;
}

/** Reads them again, as far as they are still there and may be read. */
export async function resume(): Promise<readonly FoundFile[]> {
  const { readAgain } = await handles();
  const found: FoundFile[] = [];
  for (const [path, handle] of resumable.value) {
    const file = await readAgain(handle);
    if (file !== null) found.push({ file, path, handle });
  }
  resumable.value = new Map();
  return found;
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
  const fresh = new Map(
    waiting.flatMap(({ path, handle }): [string, FileSystemFileHandle][] =>
      handle === null || kept.has(path) ? [] : [[path, handle]],
    ),
  );
  for (const path of fresh.keys()) kept.add(path);
  // Without them it is said which files must be chosen again.
  if (fresh.size > 0)
    void handles()
      .then(({ keepHandles }) => keepHandles(fresh))
      .catch(() => undefined);
  if (count > 0 || kept.size === 0) return;
  kept.clear();
  void handles()
    .then(({ forgetHandles }) => forgetHandles())
    .catch(() => undefined);
});

if (leftBehind.value !== null && 'indexedDB' in window) {
  const { paths } = leftBehind.value;
  handles()
    .then(({ keptHandles }) => keptHandles(paths))
    .then(
      (found) => {
        for (const path of found.keys()) kept.add(path);
        resumable.value = found;
      },
      () => undefined,
    );
}

function handles(): Promise<typeof import('./file-handles.ts')> {
  return import('./file-handles.ts');
}

function readLeft(): Unsent | null {
  try {
    const known = JSON.parse(remembered('unsent') ?? 'null') as Partial<Unsent> | null;
    const isSound =
      Array.isArray(known?.paths) && typeof known.count === 'number' && known.paths.every((path) => typeof path === 'string');
    return isSound ? (known as Unsent) : null;
  } catch {
    return null;
  }
}
