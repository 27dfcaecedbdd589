/** A question before something that cannot simply be taken back. The safe answer has the focus. */
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { sentences } from './language.ts';

type Props = {
  readonly question: string;
  readonly hint: string;
  readonly confirm: string;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
};

export function ConfirmDialog({ question, hint, confirm, onConfirm, onClose }: Props): VNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const safe = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
    safe.current?.focus();
  }, []);
  const answer = (): void => {
    dialog.current?.close();
    onConfirm();
  };
  return (
    <dialog ref={dialog} aria-labelledby="question" aria-describedby="question-hint" onClose={onClose}>
      <h2 id="question">{question}</h2>
      <p id="question-hint">{hint}</p>
      <div class="actions">
        <button ref={safe} type="button" class="quiet" onClick={() => dialog.current?.close()}>
          {sentences.value.keep}
        </button>
        <button type="button" class="danger" onClick={answer}>
          {confirm}
        </button>
      </div>
    </dialog>
  );
}
