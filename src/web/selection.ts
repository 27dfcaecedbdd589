/** Rows that are chosen to do something with all of them: by click, by shift from the last one clicked, or all at once. */
import { signal, type ReadonlySignal } from '@preact/signals';

export interface Selection {
  readonly keys: ReadonlySignal<ReadonlySet<string>>;
  /** `order`: the keys as they are listed now; with `extend` everything from the last one clicked to this one follows it. */
  toggle(key: string, options: { extend: boolean; order: readonly string[] }): void;
  add(keys: readonly string[]): void;
  /** Without those that are not there any more, or all without an argument. */
  clear(keys?: ReadonlySet<string>): void;
}

export function createSelection(): Selection {
  const keys = signal<ReadonlySet<string>>(new Set());
  let last: string | null = null;
  return {
    keys,
    toggle(key, { extend, order }) {
      const next = new Set(keys.value);
      const isWanted = !next.has(key);
      const from = extend && last !== null ? order.indexOf(last) : -1;
      const to = order.indexOf(key);
      const touched = from === -1 || to === -1 ? [key] : order.slice(Math.min(from, to), Math.max(from, to) + 1);
      for (const each of touched) {
        if (isWanted) next.add(each);
        else next.delete(each);
      }
      last = key;
      keys.value = next;
    },
    add(more) {
      keys.value = new Set([...keys.value, ...more]);
    },
    clear(gone) {
      keys.value = gone === undefined ? new Set() : new Set([...keys.value].filter((key) => !gone.has(key)));
      if (gone === undefined) last = null;
    },
  };
}
