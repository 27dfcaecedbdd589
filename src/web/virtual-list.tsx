/**
 * A long list of which only the rows in sight exist. It scrolls with the page (no box of its own, so zoom and narrow screens keep
 * one scroll bar) and takes rows of one height, which the style sheet names in `--row-height` so that it may depend on the width.
 */
import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

type Props<T> = {
  readonly items: readonly T[];
  readonly keyOf: (item: T) => string | number;
  readonly row: (item: T, index: number) => ComponentChildren;
  readonly label: string;
  readonly className: string;
  /** Called when the end of the list is near. */
  readonly onEnd?: () => void;
};

/** Rows kept above and below what is seen. */
const spareRows = 6;

export function VirtualList<T>({ items, keyOf, row, label, className, onEnd }: Props<T>): VNode {
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
          {row(item, rows.first + index)}
        </li>
      ))}
    </ul>
  );
}
