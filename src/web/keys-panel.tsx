/** For administrators: the API keys there are, a new one shown once, one revoked. */
import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { createKey, listKeys, revokeKey } from './api.ts';
import { copyText } from './clipboard.ts';
import { collections } from './collection.ts';
import { ConfirmDialog } from './confirm-dialog.tsx';
import { Field } from './field.tsx';
import { Icon } from './icons.tsx';
import { keyWords } from './key-words.ts';
import { sentences } from './language.ts';
import { sentenceOf } from './problem-words.ts';
import type { WireKey, WireKeyList } from './wire.ts';

const namePattern = '[A-Za-z0-9][A-Za-z0-9._\\-]{0,63}';
const scopes = ['read', 'write', 'admin'] as const;

type Open = 'new' | WireKey;

export function KeysPanel(): VNode {
  const t = keyWords.value;
  const known = useSignal<WireKeyList | null>(null);
  const problem = useSignal<string | null>(null);
  const open = useSignal<Open | null>(null);
  const read = async (): Promise<void> => {
    try {
      known.value = await listKeys();
      problem.value = null;
    } catch (error) {
      problem.value = sentenceOf(error);
    }
  };
  useEffect(() => void read(), []);
  const close = (): void => {
    open.value = null;
    void read();
  };
  const revoke = (name: string): void => {
    revokeKey(name).then(read, (error: unknown) => {
      problem.value = sentenceOf(error);
    });
  };
  return (
    <>
      <KeyList known={known.value} onRevoke={(key) => (open.value = key)} />
      <p class="problem" role="alert">
        {problem.value}
      </p>
      {known.value?.can_change === false ? <p class="muted">{t.noFile}</p> : null}
      {known.value?.can_change === true ? (
        <p class="actions">
          <button type="button" onClick={() => (open.value = 'new')}>
            <Icon name="plus" />
            {t.add}
          </button>
        </p>
      ) : null}
      {open.value === 'new' ? <NewKeyDialog onClose={close} /> : null}
      {open.value !== null && open.value !== 'new' ? (
        <RevokeDialog known={open.value} onRevoke={revoke} onClose={() => (open.value = null)} />
      ) : null}
    </>
  );
}

function KeyList({ known, onRevoke }: { readonly known: WireKeyList | null; readonly onRevoke: (key: WireKey) => void }): VNode {
  const t = keyWords.value;
  if (known === null) return <p class="muted">{sentences.value.loading}</p>;
  if (known.keys.length === 0) return <p>{t.none}</p>;
  return (
    <ul class="card plain-rows" aria-label={t.list}>
      {known.keys.map((key) => (
        <li key={key.name} class="plain-row">
          <div>
            <bdi class="name">{key.name}</bdi>
            <span class="muted small">{saidOf(key)}</span>
          </div>
          {key.source === 'file' && known.can_change ? (
            <button type="button" aria-label={t.revokeOf(key.name)} onClick={() => onRevoke(key)}>
              {t.revoke}
            </button>
          ) : null}
        </li>
      ))}
    </ul>
  );
}

/** What it may do and where, in one line. */
function saidOf({ scope, collections: bound, source }: WireKey): string {
  const t = keyWords.value;
  const where = bound === null ? t.everywhere : t.only(bound.map(titleOf));
  return [sentences.value.settings.scopes[scope], where, ...(source === 'setting' ? [t.fixed] : [])].join(' · ');
}

function titleOf(name: string): string {
  return collections.value.find((each) => each.name === name)?.title ?? name;
}

/** First what is to be made, then what was. */
function NewKeyDialog({ onClose }: { readonly onClose: () => void }): VNode {
  const t = keyWords.value;
  const dialog = useRef<HTMLDialogElement>(null);
  const made = useSignal<{ readonly name: string; readonly key: string } | null>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-labelledby="key-title" onClose={onClose}>
      <h2 id="key-title">{made.value === null ? t.add : t.made(made.value.name)}</h2>
      {made.value === null ? (
        <NewKeyForm onMade={(key) => (made.value = key)} onCancel={() => dialog.current?.close()} />
      ) : (
        <MadeKey value={made.value.key} onDone={() => dialog.current?.close()} />
      )}
    </dialog>
  );
}

type FormProps = { readonly onMade: (key: { name: string; key: string }) => void; readonly onCancel: () => void };

function NewKeyForm({ onMade, onCancel }: FormProps): VNode {
  const t = keyWords.value;
  const name = useSignal('');
  const scope = useSignal<WireKey['scope']>('write');
  const isBound = useSignal(false);
  const chosen = useSignal<readonly string[]>([]);
  const problem = useSignal<string | null>(null);
  const make = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      onMade(await createKey({ name: name.value, scope: scope.value, collections: isBound.value ? chosen.value : null }));
    } catch (error) {
      problem.value = sentenceOf(error);
    }
  };
  return (
    <form class="edit-form" onSubmit={(event) => void make(event)}>
      <Field
        name={t.name}
        hint={t.nameHint}
        value={name.value}
        max={64}
        pattern={namePattern}
        required
        onInput={(text) => (name.value = text)}
      />
      <label>
        <span>{t.may}</span>
        <select value={scope.value} onChange={(event) => (scope.value = event.currentTarget.value as WireKey['scope'])}>
          {scopes.map((each) => (
            <option key={each} value={each}>
              {sentences.value.settings.scopes[each]}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>{t.reaches}</span>
        <select
          value={isBound.value ? 'these' : 'all'}
          onChange={(event) => (isBound.value = event.currentTarget.value === 'these')}
        >
          <option value="all">{t.everywhere}</option>
          <option value="these">{t.these}</option>
        </select>
      </label>
      {isBound.value ? <Choice chosen={chosen.value} onChange={(names) => (chosen.value = names)} /> : null}
      <p class="problem" role="alert">
        {problem.value}
      </p>
      <p class="actions">
        <button type="button" class="quiet" onClick={onCancel}>
          {sentences.value.cancel}
        </button>
        <button type="submit" class="primary" disabled={isBound.value && chosen.value.length === 0}>
          {t.create}
        </button>
      </p>
    </form>
  );
}

type ChoiceProps = { readonly chosen: readonly string[]; readonly onChange: (names: readonly string[]) => void };

/** In the order in which they were chosen: the first is the key's own. */
function Choice({ chosen, onChange }: ChoiceProps): VNode {
  return (
    <fieldset class="choices">
      <legend class="hidden">{keyWords.value.these}</legend>
      {collections.value.map(({ name, title }) => (
        <label key={name}>
          <input
            type="checkbox"
            checked={chosen.includes(name)}
            onChange={(event) =>
              onChange(event.currentTarget.checked ? [...chosen, name] : chosen.filter((other) => other !== name))
            }
          />
          <bdi>{title ?? name}</bdi>
        </label>
      ))}
    </fieldset>
  );
}

function MadeKey({ value, onDone }: { readonly value: string; readonly onDone: () => void }): VNode {
  const t = keyWords.value;
  const copy = useRef<HTMLButtonElement>(null);
  // What had the focus is gone with the form.
  useEffect(() => copy.current?.focus(), []);
  return (
    <div class="edit-form">
      <p role="status">{t.madeHint}</p>
      <label>
        <span>{t.key}</span>
        <input type="text" readOnly value={value} onFocus={(event) => event.currentTarget.select()} />
      </label>
      <p class="actions">
        <button ref={copy} type="button" onClick={() => void copyText(value)}>
          {t.copy}
        </button>
        <button type="button" class="primary" onClick={onDone}>
          {t.done}
        </button>
      </p>
    </div>
  );
}

type RevokeProps = { readonly known: WireKey; readonly onRevoke: (name: string) => void; readonly onClose: () => void };

function RevokeDialog({ known, onRevoke, onClose }: RevokeProps): VNode {
  const t = keyWords.value;
  return (
    <ConfirmDialog
      question={t.question(known.name)}
      hint={t.questionHint}
      confirm={t.revoke}
      onConfirm={() => onRevoke(known.name)}
      onClose={onClose}
    />
  );
}
