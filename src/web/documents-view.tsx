/** What can be searched: its text, its original, and a way to delete it that leaves time to change one's mind. */
import { signal, useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useCallback, useEffect } from 'preact/hooks';
import { announce } from './announcer.ts';
import { deleteDocument, getDocument, listDocuments, originalUrl } from './api.ts';
import { ConfirmDialog } from './confirm-dialog.tsx';
import { bytes, count, shortTime, time } from './figures.ts';
import { Icon } from './icons.tsx';
import { sentences } from './language.ts';
import { linkTo, replaceRoute, route } from './route.ts';
import { status } from './server-state.ts';
import { join } from './upload-view.tsx';
import { VirtualList } from './virtual-list.tsx';
import { TextPanel } from './text-panel.tsx';
import type { WireDocument } from './wire.ts';

/** Time to undo, in seconds; a page that is closed meanwhile deletes nothing. */
const undoSeconds = 6;
const pageDocuments = 200;

const documents = signal<readonly WireDocument[] | null>(null);
const cursor = signal<string | null>(null);
const asking = signal<WireDocument | null>(null);
/** Seconds left, by doc_id. */
const leaving = signal<ReadonlyMap<string, number>>(new Map());
const timers = new Map<string, ReturnType<typeof setInterval>>();

export function DocumentsView(): VNode {
  const docId = route.value.parameters['text'];
  return docId === undefined ? <DocumentList /> : <DocumentText docId={docId} />;
}

function DocumentList(): VNode {
  const t = sentences.value.documents;
  const problem = useSignal<string | null>(null);
  const text = route.value.parameters['q'] ?? '';
  const known = status.value?.documents ?? 0;

  // Again whenever their number changes: the feed tells of tasks, not of documents.
  useEffect(() => {
    readFirst().then(
      () => {
        problem.value = null;
      },
      (error: unknown) => {
        problem.value = (error as Error).message;
      },
    );
  }, [known]);
  const onEnd = useCallback(() => void readMore().catch(() => undefined), []);

  const wanted = text.trim().toLowerCase();
  const all = documents.value;
  const shown = (all ?? []).filter((each) =>
    [each.filename, each.doc_id, each.title ?? ''].some((field) => field.toLowerCase().includes(wanted)),
  );
  return (
    <section class="view" aria-labelledby="title">
      <h1 id="title">{sentences.value.views.documents}</h1>
      <div class="filters">
        <input
          type="search"
          id="document-find"
          aria-label={t.find}
          placeholder={t.find}
          value={text}
          onInput={(event) => replaceRoute('documents', { q: event.currentTarget.value })}
        />
        <p class="muted known">{all === null ? sentences.value.loading : t.known(count(shown.length), cursor.value !== null)}</p>
      </div>
      {problem.value === null ? null : <p class="problem">{problem.value}</p>}
      {all !== null && shown.length === 0 && cursor.value === null ? (
        <p class="nothing card">
          {t.none} <a href={linkTo('upload')}>{sentences.value.views.upload}</a>
        </p>
      ) : (
        <VirtualList
          label={sentences.value.views.documents}
          className="card document-rows"
          items={shown}
          keyOf={(each) => each.doc_id}
          row={documentRow}
          onEnd={onEnd}
        />
      )}
      {asking.value === null ? null : (
        <ConfirmDialog
          question={t.question(asking.value.filename)}
          hint={t.questionHint}
          confirm={t.confirm}
          onConfirm={() => asking.value !== null && leave(asking.value)}
          onClose={() => {
            asking.value = null;
          }}
        />
      )}
    </section>
  );
}

const documentRow = (each: WireDocument): VNode => <DocumentRow document={each} />;

function DocumentRow({ document: each }: { document: WireDocument }): VNode {
  const t = sentences.value.documents;
  const seconds = leaving.value.get(each.doc_id);
  const name = (action: string): string => t.actionOn(action, each.filename);
  return (
    <div class={`document-row${seconds === undefined ? '' : ' leaving'}`}>
      <span class="kind" aria-hidden="true">
        {extension(each.filename)}
      </span>
      <div class="document-name">
        <a class="name" href={linkTo('documents', { text: each.doc_id })} title={each.title ?? each.filename}>
          <bdi>{each.filename}</bdi>
        </a>
        <bdi class="muted second" title={each.doc_id}>
          {each.title ?? each.doc_id}
        </bdi>
      </div>
      <span class="muted document-figures">{figuresOf(each)}</span>
      <time class="muted document-time" dateTime={each.inserted_at}>
        {shortTime(each.inserted_at)}
      </time>
      {seconds === undefined ? (
        <div class="row-actions">
          <a
            class="button quiet icon-only"
            href={linkTo('search', { doc: each.doc_id })}
            aria-label={name(t.searchIn)}
            title={t.searchIn}
          >
            <Icon name="search" />
          </a>
          <a
            class="button quiet icon-only"
            href={linkTo('documents', { text: each.doc_id })}
            aria-label={name(t.text)}
            title={t.text}
          >
            <Icon name="text" />
          </a>
          <a
            class="button quiet icon-only"
            href={originalUrl(each.doc_id)}
            download={each.filename}
            aria-label={name(t.original)}
            title={t.original}
          >
            <Icon name="download" />
          </a>
          <button
            type="button"
            class="quiet icon-only"
            aria-label={name(t.remove)}
            title={t.remove}
            onClick={() => {
              asking.value = each;
            }}
          >
            <Icon name="trash" />
          </button>
        </div>
      ) : (
        <div class="row-actions">
          <span class="muted">{t.leaving(seconds)}</span>
          <button type="button" aria-label={name(t.undo)} onClick={() => stay(each.doc_id)}>
            {t.undo}
          </button>
        </div>
      )}
    </div>
  );
}

function DocumentText({ docId }: { docId: string }): VNode {
  const t = sentences.value.documents;
  const record = useSignal<WireDocument | null>(null);
  useEffect(() => {
    let wanted = true;
    getDocument(docId).then(
      (found) => {
        if (wanted) record.value = found;
      },
      () => undefined,
    );
    return () => {
      wanted = false;
    };
  }, [docId]);
  const known = record.value;
  return (
    <section class="view" aria-labelledby="title">
      <div class="actions document-tools">
        <a class="button quiet" href={linkTo('documents')}>
          <Icon name="previous" />
          {t.back}
        </a>
        <span class="spacer" />
        <a class="button quiet" href={linkTo('search', { doc: docId })}>
          <Icon name="search" />
          {t.searchIn}
        </a>
        <a class="button quiet" href={originalUrl(docId)} download={known?.filename ?? ''}>
          <Icon name="download" />
          {t.original}
        </a>
      </div>
      <h1 id="title">
        <bdi>{known?.filename ?? docId}</bdi>
      </h1>
      {known === null ? null : (
        <p class="muted small">
          <bdi>{docId}</bdi> · {figuresOf(known)} · {time(known.inserted_at)}
        </p>
      )}
      <div class="card paper">
        <TextPanel docId={docId} passage={null} />
      </div>
    </section>
  );
}

function figuresOf(each: WireDocument): string {
  const t = sentences.value.documents;
  return join(each.pages === null ? null : t.pages(count(each.pages)), t.chunks(count(each.chunks)), bytes(each.file_size));
}

async function readFirst(): Promise<void> {
  const wanted = Math.max(pageDocuments, documents.value?.length ?? 0);
  const page = await listDocuments({ limit: Math.min(1000, wanted) });
  documents.value = page.documents;
  cursor.value = page.next_cursor;
}

async function readMore(): Promise<void> {
  const from = cursor.value;
  if (from === null) return;
  const page = await listDocuments({ limit: pageDocuments, cursor: from });
  if (cursor.value !== from) return;
  const known = new Set(documents.value?.map((each) => each.doc_id));
  documents.value = [...(documents.value ?? []), ...page.documents.filter((each) => !known.has(each.doc_id))];
  cursor.value = page.next_cursor;
}

function leave(each: WireDocument): void {
  setSeconds(each.doc_id, undoSeconds);
  const timer = setInterval(() => {
    const seconds = (leaving.value.get(each.doc_id) ?? 1) - 1;
    setSeconds(each.doc_id, Math.max(0, seconds));
    if (seconds > 0) return;
    clearInterval(timer);
    deleteDocument(each.doc_id).then(
      () => {
        documents.value = documents.value?.filter((other) => other.doc_id !== each.doc_id) ?? null;
        stay(each.doc_id);
      },
      (error: unknown) => {
        stay(each.doc_id);
        announce((error as Error).message);
      },
    );
  }, 1000);
  timers.set(each.doc_id, timer);
}

function stay(docId: string): void {
  clearInterval(timers.get(docId));
  timers.delete(docId);
  const rest = new Map(leaving.value);
  rest.delete(docId);
  leaving.value = rest;
}

function setSeconds(docId: string, seconds: number): void {
  leaving.value = new Map(leaving.value).set(docId, seconds);
}

function extension(filename: string): string {
  return /\.([A-Za-z0-9]{1,5})$/.exec(filename)?.[1]?.toUpperCase() ?? '·';
}
