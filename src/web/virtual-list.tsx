/**
 * A long list of which only the rows in sight exist. It scrolls with the page (no box of its own, so zoom and narrow screens keep
 * one scroll bar) and takes rows of one height, which the style sheet names in `--row-height` so that it may depend on the width.
 * What is read stays where it is when rows come or go above it.
 */
import { Component, type VNode } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

type Props<T extends object> = {
  readonly items: readonly T[];
  readonly keyOf: (item: T) => string | number;
  /** Called once for each item as long as it stays the same function: what it draws follows signals by itself. */
  readonly row: (item: T) => VNode;
  readonly label: string;
  readonly className: string;
  /** Called when the end of the list is near. */
  readonly onEnd?: () => void;
  /** How many there are in all, where that is known and more than are here. */
  readonly total?: number;
};

/** Rows kept above and below what is seen. */
const spareRows = 6;

export function VirtualList<T extends object>({ items, keyOf, row, label, className, onEnd, total }: Props<T>): VNode {
  const list = useRef<HTMLUListElement>(null);
  const [rows, setRows] = useState({ first: 0, last: 20, height: 64 });
  /** The first row in sight when the page was last drawn, for when its place changes; null while the list's head is in sight. */
  const anchor = useRef<{ key: string | number; index: number } | null>(null);

  const noteAnchor = (): void => {
    const element = list.current;
    if (element === null) return;
    const index = Math.ceil(-element.getBoundingClientRect().top / rows.height);
    const item = index > 0 ? items[index] : undefined;
    anchor.current = item === undefined ? null : { key: keyOf(item), index };
  };

  const latest = useRef({ noteAnchor });
  latest.current = { noteAnchor };

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
      latest.current.noteAnchor();
    };
    measure();
    window.addEventListener('scroll', measure, { passive: true });
    window.addEventListener('resize', measure);
    return () => {
      window.removeEventListener('scroll', measure);
      window.removeEventListener('resize', measure);
    };
  }, []);

  useLayoutEffect(() => {
    const held = anchor.current;
    if (held !== null) {
      const at = placeOf(items, held, keyOf);
      if (at !== -1 && at !== held.index) window.scrollBy({ top: (at - held.index) * rows.height, behavior: 'instant' });
    }
    noteAnchor();
  }, [items]);

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
          aria-setsize={Math.max(total ?? 0, items.length)}
          aria-posinset={rows.first + index + 1}
          style={{ transform: `translateY(${(rows.first + index) * rows.height}px)` }}
        >
          <Drawn item={item} row={row} />
        </li>
      ))}
    </ul>
  );
}

/** Where an item is now: mostly near where it was. */
function placeOf<T>(
  items: readonly T[],
  held: { key: string | number; index: number },
  keyOf: (item: T) => string | number,
): number {
  for (let step = 0; step < items.length; step += 1) {
    for (const at of step === 0 ? [held.index] : [held.index + step, held.index - step]) {
      const item = items[at];
      if (item !== undefined && keyOf(item) === held.key) return at;
    }
  }
  return -1;
}

type DrawnProps<T> = { readonly item: T; readonly row: (item: T) => VNode };

/** Is not drawn again for the same item: a step of scrolling costs the rows that are new. Nothing is kept of rows that are gone. */
class Drawn<T> extends Component<DrawnProps<T>> {
  override shouldComponentUpdate(next: DrawnProps<T>): boolean {
    return next.item !== this.props.item || next.row !== this.props.row;
  }

  override render(): VNode {
    return this.props.row(this.props.item);
  }
}
