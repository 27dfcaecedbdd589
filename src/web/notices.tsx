/**
 * What somebody must be told although they are looking elsewhere: a refusal with its reason, or what was just done and can be
 * undone. Each is seen and read out once, and stays until it is closed; the same sentence again is the same notice.
 */
import { signal } from '@preact/signals';
import type { VNode } from 'preact';
import { Icon } from './icons.tsx';
import { sentences } from './language.ts';
import { sentenceOf } from './problem-words.ts';

export type Notice = {
  readonly key: string;
  readonly kind: 'problem' | 'news';
  readonly sentence: string;
  /** A second sentence: the reason. */
  readonly reason?: string;
  readonly action?: { readonly name: string; readonly run: () => void };
};

/** Shown at once; the oldest goes when one more comes. */
const noticesMax = 4;

const notices = signal<readonly Notice[]>([]);

export function notify(notice: Notice): void {
  // A question that is open keeps everything else from being seen and read.
  if (notice.kind === 'problem') document.querySelector<HTMLDialogElement>('dialog[open]')?.close();
  notices.value = [...notices.value.filter(({ key }) => key !== notice.key), notice].slice(-noticesMax);
}

export function withdraw(key: string): void {
  notices.value = notices.value.filter((each) => each.key !== key);
}

/** Says that something was refused: `what` was wanted (a short sentence), and why it did not happen. */
export function tellRefusal(what: string, error: unknown): void {
  if (error instanceof DOMException && error.name === 'AbortError') return;
  notify({ key: what, kind: 'problem', sentence: what, reason: sentenceOf(error) });
}

export function Notices(): VNode {
  return (
    <div class="notices" role="region" aria-label={sentences.value.notices}>
      {notices.value.map((notice) => (
        <div key={notice.key} class={`notice card is-${notice.kind}`} role={notice.kind === 'problem' ? 'alert' : 'status'}>
          <Icon name={notice.kind === 'problem' ? 'warning' : 'check'} />
          <p>
            <bdi>{notice.sentence}</bdi>
            {notice.reason === undefined ? null : <bdi class="reason">{notice.reason}</bdi>}
          </p>
          {notice.action === undefined ? null : (
            <button
              type="button"
              onClick={() => {
                withdraw(notice.key);
                notice.action?.run();
              }}
            >
              {notice.action.name}
            </button>
          )}
          <button
            type="button"
            class="quiet icon-only"
            aria-label={sentences.value.closeNotice}
            title={sentences.value.close}
            onClick={() => withdraw(notice.key)}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
