/** Asks where documents are to be moved, and says how far that is. */
import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { collections, currentName, titleOf } from './collection.ts';
import { count } from './figures.ts';
import { sentences } from './language.ts';
import { managingWords } from './managing-words.ts';
import { moveDocument } from './moving.ts';
import { notify, tellRefusal } from './notices.tsx';
import { config, refreshServer } from './server-state.ts';
import type { WireDocument } from './wire.ts';

type Props = { readonly chosen: readonly WireDocument[]; readonly onMoved: (docId: string) => void; readonly onClose: () => void };

export function MoveDialog({ chosen, onMoved, onClose }: Props): VNode {
  const t = managingWords.value;
  const others = collections.value.filter(({ name }) => name !== currentName(config.value));
  const dialog = useRef<HTMLDialogElement>(null);
  const to = useSignal(others[0]?.name ?? '');
  const done = useSignal<number | null>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const move = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (done.value !== null || to.value === '') return;
    done.value = 0;
    for (const each of chosen) {
      try {
        await moveDocument(each, to.value);
        onMoved(each.doc_id);
        done.value += 1;
      } catch (error) {
        dialog.current?.close();
        tellRefusal(t.notMoved(each.filename), error);
        return;
      }
    }
    void refreshServer();
    dialog.current?.close();
    notify({ key: 'moved', kind: 'news', sentence: t.moved(chosen.length, count(chosen.length), titleOf(to.value)) });
  };
  return (
    <dialog ref={dialog} aria-labelledby="move-title" onClose={onClose}>
      <h2 id="move-title">{t.moveQuestion(chosen.length, count(chosen.length))}</h2>
      <form class="edit-form" onSubmit={(event) => void move(event)}>
        <label>
          <span>{t.moveTo}</span>
          <select value={to.value} onChange={(event) => (to.value = event.currentTarget.value)}>
            {others.map(({ name }) => (
              <option key={name} value={name}>
                {titleOf(name)}
              </option>
            ))}
          </select>
        </label>
        <p class="muted small" role="status">
          {done.value === null ? t.moveHint : `${count(done.value)} / ${count(chosen.length)}`}
        </p>
        <p class="actions">
          <button type="button" class="quiet" onClick={() => dialog.current?.close()}>
            {sentences.value.cancel}
          </button>
          <button type="submit" class="primary" aria-disabled={done.value !== null}>
            {t.move}
          </button>
        </p>
      </form>
    </dialog>
  );
}
