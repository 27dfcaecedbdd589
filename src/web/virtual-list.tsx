/**
 * A long list of which only the rows in sight exist. It scrolls with the page (no box of its own, so zoom and narrow screens keep
 * one scroll bar) and takes rows of one height, which the style sheet names in `--row-height` so that it may depend on the width.
 */
import type { VNode } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';

type Props<T extends object> = {
  readonly items: readonly T[];
  readonly keyOf: (item: T) => string | number;
  /** Called once for each item as long as it stays the same function: what it draws follows signals by itself. */
  readonly row: (item: T) => VNode;
  readonly label: string;
  readonly className: string;
  /** Called when the end of the list is near. */
  readonly onEnd?: () => void;
};

/** Rows kept above and below what is seen. */
const spareRows = 6;

export function VirtualList<T extends object>({ items, keyOf, row, label, className, onEnd }: Props<T>): VNode {
  const list = useRef<HTMLUListElement>(null);
  const [rows, setRows] = useState({ first: 0, last: 20, height: 64 });

  useLayoutEffect(() => {
    const element = list.current;
    if (element === null) return undefined;
    const measure = (): void => {
      const height = Number.parseFloat(getComputedStyle(element).getPropertyValue('--row-height')) || 64;
      const above = -element.getBoundingClientRect().top;
      const first = Math.max(0, Math.floor(above / height) - spareRows);
      const last = Math.max(first, Math.ceil((above + window.innerHeight) / height) + spareRows);
      setRows((before) =>
        before.first === first && before.last === last && before.height === height ? before : { first, last, height },
      );
    };
    measure();
    window.addEventListener('scroll', measure, { passive: true });
    window.addEventListener('resize', measure);
    return () => {
      window.removeEventListener('scroll', measure);
      window.removeEventListener('resize', measure);
    };
  }, []);

  const atEnd = rows.last >= items.length;
  useEffect(() => {
    if (atEnd) onEnd?.();
  }, [atEnd, items.length, onEnd]);

  const drawn = useMemo(() => once(row), [row]);
  const shown = items.slice(rows.first, rows.last);
  return (
    <ul ref={list} class={`rows ${className}`} aria-label={label} style={{ height: `${items.length * rows.height}px` }}>
      {shown.map((item, index) => (
        <li
          key={keyOf(item)}
          class="row"
          aria-setsize={items.length}
          aria-posinset={rows.first + index + 1}
          style={{ transform: `translateY(${(rows.first + index) * rows.height}px)` }}
        >
          {drawn(item)}
        </li>
      ))}
    </ul>
  );
}

/** The same node for the same item, which Preact then need not look at again: a step of scrolling costs the rows that are new. */
function once<T extends object>(row: (item: T) => VNode): (item: T) => VNode {
  const nodes = new WeakMap<T, VNode>();
  return (item) => {
    const node = nodes.get(item) ?? row(item);
    nodes.set(item, node);
    return node;
  };
}
