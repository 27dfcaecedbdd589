/** For administrators: the collections there are, made, described, given synonyms, and deleted with all that is in them. */
import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { deleteCollection, putCollection } from './api.ts';
import { collections } from './collection.ts';
import { Field } from './field.tsx';
import { bytes, count } from './figures.ts';
import { Icon } from './icons.tsx';
import { sentences } from './language.ts';
import { managingWords } from './managing-words.ts';
import { sentenceOf } from './problem-words.ts';
import { readCollections } from './server-state.ts';
import type { WireCollection } from './wire.ts';

const namePattern = '[a-z0-9_\\-]{1,64}';

type Open = { readonly what: 'edit' | 'delete'; readonly collection: WireCollection | null };

export function CollectionsPanel(): VNode {
  const t = managingWords.value;
  const open = useSignal<Open | null>(null);
  const close = (): void => {
    open.value = null;
    void readCollections();
  };
  const { what, collection = null } = open.value ?? {};
  return (
    <>
      <ul class="card plain-rows" aria-label={t.list}>
        {collections.value.map((each) => {
          const title = each.title ?? each.name;
          return (
            <li key={each.name} class="plain-row">
              <div>
                <bdi class="name">{title}</bdi>
                <span class="muted small">
                  {t.figures(each.documents, count(each.documents), bytes(each.bytes))}
                  {each.rereading ? ` · ${t.rereading}` : ''}
                </span>
              </div>
              <div class="row-actions">
                <button
                  type="button"
                  aria-label={t.editOf(title)}
                  onClick={() => (open.value = { what: 'edit', collection: each })}
                >
                  {t.edit}
                </button>
                {each.name === 'default' ? null : (
                  <button
                    type="button"
                    class="quiet icon-only"
                    aria-label={t.removeOf(title)}
                    title={t.remove}
                    onClick={() => (open.value = { what: 'delete', collection: each })}
                  >
                    <Icon name="trash" />
                  </button>
                )}
              </div>
            </li>
          );
        })}
      </ul>
      <p class="actions">
        <button type="button" onClick={() => (open.value = { what: 'edit', collection: null })}>
          <Icon name="plus" />
          {t.add}
        </button>
      </p>
      {what === 'edit' ? <EditDialog known={collection} onClose={close} /> : null}
      {what === 'delete' && collection !== null ? <DeleteDialog known={collection} onClose={close} /> : null}
    </>
  );
}

type DialogProps<T> = { readonly known: T; readonly onClose: () => void };

/** A new one, or what is said of one that there is. */
function EditDialog({ known, onClose }: DialogProps<WireCollection | null>): VNode {
  const t = managingWords.value;
  const dialog = useRef<HTMLDialogElement>(null);
  const name = useSignal(known?.name ?? '');
  const title = useSignal(known?.title ?? '');
  const description = useSignal(known?.description ?? '');
  const synonyms = useSignal(textOf(known?.settings.synonyms ?? []));
  const chunkTokens = useSignal(String(known?.settings.chunk_tokens ?? ''));
  const problem = useSignal<string | null>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    const tokens = Number.parseInt(chunkTokens.value, 10);
    try {
      await putCollection(name.value, {
        title: title.value.trim() === '' ? null : title.value.trim(),
        description: description.value.trim() === '' ? null : description.value.trim(),
        settings: { synonyms: groupsOf(synonyms.value), chunk_tokens: Number.isNaN(tokens) ? null : tokens },
      });
      dialog.current?.close();
    } catch (error) {
      problem.value = sentenceOf(error);
    }
  };
  return (
    <dialog ref={dialog} aria-labelledby="collection-title" onClose={onClose}>
      <h2 id="collection-title">{known === null ? t.add : t.editOf(known.title ?? known.name)}</h2>
      <form class="edit-form" onSubmit={(event) => void save(event)}>
        {known === null ? (
          <Field
            name={t.name}
            hint={t.nameHint}
            value={name.value}
            max={64}
            pattern={namePattern}
            required
            onInput={(text) => (name.value = text)}
          />
        ) : null}
        <Field name={t.shownName} value={title.value} onInput={(text) => (title.value = text)} />
        <Field name={t.description} value={description.value} max={2000} onInput={(text) => (description.value = text)} />
        <Field
          name={t.synonyms}
          hint={t.synonymsHint}
          value={synonyms.value}
          max={200_000}
          rows={4}
          onInput={(text) => (synonyms.value = text)}
        />
        <details>
          <summary>{sentences.value.details}</summary>
          <Field
            name={t.chunkTokens}
            hint={t.chunkTokensHint}
            value={chunkTokens.value}
            max={4}
            pattern="[0-9]*"
            onInput={(text) => (chunkTokens.value = text)}
          />
        </details>
        <p class="problem" role="alert">
          {problem.value}
        </p>
        <p class="actions">
          <button type="button" class="quiet" onClick={() => dialog.current?.close()}>
            {sentences.value.cancel}
          </button>
          <button type="submit" class="primary">
            {sentences.value.describe.save}
          </button>
        </p>
      </form>
    </dialog>
  );
}

/** Its name has to be written once more: everything in it is lost. */
function DeleteDialog({ known, onClose }: DialogProps<WireCollection>): VNode {
  const t = managingWords.value;
  const dialog = useRef<HTMLDialogElement>(null);
  const typed = useSignal('');
  const problem = useSignal<string | null>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const remove = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (typed.value !== known.name) return;
    try {
      await deleteCollection(known.name);
      dialog.current?.close();
    } catch (error) {
      problem.value = sentenceOf(error);
    }
  };
  return (
    <dialog ref={dialog} aria-labelledby="collection-title" aria-describedby="collection-hint" onClose={onClose}>
      <h2 id="collection-title">{t.question(known.title ?? known.name)}</h2>
      <form class="edit-form" onSubmit={(event) => void remove(event)}>
        <p id="collection-hint">{t.questionHint(known.documents, count(known.documents))}</p>
        <Field name={t.typeName(known.name)} value={typed.value} max={64} onInput={(text) => (typed.value = text)} />
        <p class="problem" role="alert">
          {problem.value}
        </p>
        <p class="actions">
          <button type="button" class="quiet" onClick={() => dialog.current?.close()}>
            {sentences.value.keep}
          </button>
          <button type="submit" class="danger" disabled={typed.value !== known.name}>
            {t.remove}
          </button>
        </p>
      </form>
    </dialog>
  );
}

/** A group a line. */
function textOf(groups: readonly (readonly string[])[]): string {
  return groups.map((group) => group.join(', ')).join('\n');
}

function groupsOf(text: string): readonly (readonly string[])[] {
  return text
    .split('\n')
    .map((line) =>
      line
        .split(/[,，、]/)
        .map((word) => word.trim())
        .filter((word) => word !== ''),
    )
    .filter((group) => group.length > 0);
}
