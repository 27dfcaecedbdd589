/** What is known of documents and can be changed: title, file name, and their own details (metadata), of one or of many at once. */
import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { changeDocument, type DocumentChange } from './api.ts';
import { putDocument } from './document-list.ts';
import { Field } from './field.tsx';
import { bytes, count } from './figures.ts';
import { sentences } from './language.ts';
import { metadataParameter, typedValue } from './metadata-filter.ts';
import { notify, tellRefusal } from './notices.tsx';
import { linkTo } from './route.ts';
import { mayWrite } from './server-state.ts';
import type { MetadataValue, WireDocument } from './wire.ts';

type Props = { readonly document: WireDocument; readonly onChange: (changed: WireDocument) => void };

export function DocumentDetails({ document: known, onChange }: Props): VNode {
  const t = sentences.value.describe;
  const editing = useSignal(false);
  const facts: readonly (readonly [string, string | null])[] = [
    [t.title, known.title],
    [t.author, known.author],
    [t.size, bytes(known.file_size)],
    [t.type, known.media_type],
    [t.language, known.language],
    [t.parts, count(known.chunks)],
    [t.docId, known.doc_id],
  ];
  return (
    <details class="contents details">
      <summary>{sentences.value.details}</summary>
      <dl>
        {facts.map(([name, value]) =>
          value === null ? null : (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                <bdi>{value}</bdi>
              </dd>
            </div>
          ),
        )}
        {Object.entries(known.metadata ?? {}).map(([name, value]) => (
          <div key={`own ${name}`}>
            <dt>
              <bdi>{name}</bdi>
            </dt>
            <dd>
              <Value name={name} value={value} />
            </dd>
          </div>
        ))}
      </dl>
      {known.warnings.length === 0 ? null : <p class="muted">{known.warnings.join(' ')}</p>}
      {!mayWrite.value ? null : editing.value ? (
        <EditForm
          known={known}
          onDone={(changed) => {
            editing.value = false;
            if (changed !== null) onChange(changed);
          }}
        />
      ) : (
        <button type="button" onClick={() => (editing.value = true)}>
          {t.edit}
        </button>
      )}
    </details>
  );
}

/** A value leads to all documents that have it. */
function Value({ name, value }: { name: string; value: MetadataValue }): VNode {
  const values = Array.isArray(value) ? value : [value];
  return (
    <>
      {values.map((each, index) => (
        <span key={index}>
          {index === 0 ? '' : ', '}
          {each === null ? '–' : <a href={linkTo('documents', { meta: metadataParameter(name, each) })}>{String(each)}</a>}
        </span>
      ))}
    </>
  );
}

type FormProps = { readonly known: WireDocument; readonly onDone: (changed: WireDocument | null) => void };

function EditForm({ known, onDone }: FormProps): VNode {
  const t = sentences.value.describe;
  const title = useSignal(known.title ?? '');
  const filename = useSignal(known.filename);
  const rows = useSignal<readonly (readonly [string, string])[]>([
    ...Object.entries(known.metadata ?? {}).map(([name, value]) => [name, textOf(value)] as const),
    ['', ''],
  ]);
  const setRow = (at: number, row: readonly [string, string]): void => {
    const next = rows.value.map((each, index) => (index === at ? row : each));
    rows.value = next.at(-1)?.[0] === '' ? next : [...next, ['', '']];
  };
  const save = (event: Event): void => {
    event.preventDefault();
    const change: DocumentChange = {
      ...(title.value === (known.title ?? '') ? {} : { title: title.value.trim() === '' ? null : title.value.trim() }),
      ...(filename.value.trim() === known.filename || filename.value.trim() === '' ? {} : { filename: filename.value.trim() }),
      metadata: changedMembers(known.metadata ?? {}, rows.value),
    };
    changeDocument(known.doc_id, change).then(
      (changed) => {
        putDocument(changed);
        notify({ key: 'saved', kind: 'news', sentence: t.saved(changed.filename) });
        onDone(changed);
      },
      (error: unknown) => tellRefusal(t.notSaved(known.filename), error),
    );
  };
  return (
    <form class="edit-form" onSubmit={save}>
      <Field name={t.filename} value={filename.value} onInput={(value) => (filename.value = value)} />
      <Field name={t.title} value={title.value} onInput={(value) => (title.value = value)} />
      {rows.value.map(([name, value], at) => (
        <div key={at} class="edit-row">
          <Field name={t.memberName} value={name} max={64} onInput={(text) => setRow(at, [text, value])} />
          <Field name={t.memberValue} value={value} max={1024} onInput={(text) => setRow(at, [name, text])} />
        </div>
      ))}
      <p class="actions">
        <button type="button" class="quiet" onClick={() => onDone(null)}>
          {sentences.value.cancel}
        </button>
        <button type="submit" class="primary">
          {t.save}
        </button>
      </p>
    </form>
  );
}

function textOf(value: MetadataValue): string {
  return Array.isArray(value) ? value.join(', ') : value === null ? '' : String(value);
}

/** Only what differs; null for what was there and is not any more. What was a list stays one. */
function changedMembers(
  before: Readonly<Record<string, MetadataValue>>,
  rows: readonly (readonly [string, string])[],
): Record<string, MetadataValue> {
  const given = new Map(
    rows.filter(([name, value]) => name.trim() !== '' && value.trim() !== '').map(([name, value]) => [name.trim(), value.trim()]),
  );
  const changes: Record<string, MetadataValue> = {};
  for (const name of Object.keys(before)) if (!given.has(name)) changes[name] = null;
  for (const [name, text] of given) {
    const known = before[name];
    if (known !== undefined && textOf(known) === text) continue;
    changes[name] = Array.isArray(known) ? text.split(',').map((each) => each.trim()) : typedValue(text);
  }
  return changes;
}

/** One detail given to many documents, or taken from them when its value is left empty. */
export function BulkDetails({ chosen, onClose }: { chosen: readonly WireDocument[]; onClose: () => void }): VNode {
  const t = sentences.value.describe;
  const dialog = useRef<HTMLDialogElement>(null);
  const name = useSignal('');
  const value = useSignal('');
  const done = useSignal(0);
  useEffect(() => dialog.current?.showModal(), []);
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    const key = name.value.trim();
    if (key === '') return;
    const metadata = { [key]: value.value.trim() === '' ? null : typedValue(value.value.trim()) };
    for (const each of chosen) {
      try {
        putDocument(await changeDocument(each.doc_id, { metadata }));
        done.value += 1;
      } catch (error) {
        tellRefusal(t.notSaved(each.filename), error);
        return;
      }
    }
    notify({ key: 'saved', kind: 'news', sentence: t.savedMany(count(chosen.length)) });
    dialog.current?.close();
  };
  return (
    <dialog ref={dialog} aria-labelledby="describe-title" onClose={onClose}>
      <h2 id="describe-title">{t.many(count(chosen.length))}</h2>
      <form class="edit-form" onSubmit={(event) => void save(event)}>
        <Field name={t.memberName} value={name.value} max={64} onInput={(text) => (name.value = text)} />
        <Field name={t.memberValue} value={value.value} max={1024} onInput={(text) => (value.value = text)} />
        <p class="muted small" role="status">
          {done.value === 0 ? t.manyHint : `${count(done.value)} / ${count(chosen.length)}`}
        </p>
        <p class="actions">
          <button type="button" class="quiet" onClick={() => dialog.current?.close()}>
            {sentences.value.cancel}
          </button>
          <button type="submit" class="primary">
            {t.save}
          </button>
        </p>
      </form>
    </dialog>
  );
}
