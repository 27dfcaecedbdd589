/** The box of a row, and what can be done with all that are chosen. */
import type { ComponentChildren, VNode } from 'preact';
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { announce } from './announcer.ts';
import { count } from './figures.ts';
import { sentences } from './language.ts';
import type { Selection } from './selection.ts';

export function RowBox({
  name,
  isChosen,
  onToggle,
}: {
  name: string;
  isChosen: boolean;
  onToggle: (extend: boolean) => void;
}): VNode {
  return (
    <input
      type="checkbox"
      class="row-box"
      aria-label={sentences.value.selection.choose(name)}
      checked={isChosen}
      onClick={(event) => onToggle(event.shiftKey)}
    />
  );
}

type BarProps = {
  readonly selection: Selection;
  /** Those that are listed now. */
  readonly allKeys: readonly string[];
  /** There are more that match than are listed. */
  readonly hasMore: boolean;
  /** Chooses all that match. */
  readonly onAll: () => Promise<void>;
  readonly children: ComponentChildren;
};

export function SelectionBar({ selection, allKeys, hasMore, onAll, children }: BarProps): VNode {
  const t = sentences.value.selection;
  const busy = useSignal(false);
  const isAll = !hasMore && allKeys.every((key) => selection.keys.value.has(key));
  const chosen = selection.keys.value.size;
  useEffect(() => announce(t.chosen(count(chosen))), [chosen]);
  const all = (): void => {
    busy.value = true;
    void onAll()
      .catch(() => undefined)
      .finally(() => {
        busy.value = false;
      });
  };
  return (
    <div class="selection-bar actions" role="group" aria-label={t.title}>
      <p>{t.chosen(count(chosen))}</p>
      {isAll ? null : (
        <button type="button" class="quiet" aria-disabled={busy.value} onClick={all}>
          {t.all}
        </button>
      )}
      {children}
      <button type="button" class="quiet" onClick={() => selection.clear()}>
        {t.none}
      </button>
    </div>
  );
}
