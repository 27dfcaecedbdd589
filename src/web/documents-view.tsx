/** What can be searched: its text, its original, and a way to delete it that leaves time to change one's mind. */
import { signal, useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useCallback, useEffect } from 'preact/hooks';
import { deleteDocument, documentPath, getDocument, originalUrl } from './api.ts';
import { ConfirmDialog } from './confirm-dialog.tsx';
import { documents, dropDocuments, moreDocuments, readAgain, readMoreDocuments } from './document-list.ts';
import { bytes, count, shortTime, time } from './figures.ts';
import { Icon } from './icons.tsx';
import { sentences } from './language.ts';
import { lazily } from './lazy.tsx';
import { leaveLater, stay, undoSeconds } from './leaving.ts';
import { tellRefusal } from './notices.tsx';
import { sentenceOf } from './problem-words.ts';
import { linkTo, replaceRoute, route } from './route.ts';
import { mayWrite, status } from './server-state.ts';
import { join } from './task-words.ts';
import { VirtualList } from './virtual-list.tsx';
import { contentsOf, TextPanel } from './text-panel.tsx';
import type { WireDocument } from './wire.ts';

const PicturePanel = lazily(async () => (await import('./picture-panel.tsx')).PicturePanel);

const asking = signal<WireDocument | null>(null);
/** The doc_ids that are going to be deleted and can still be kept. */
const leaving = signal<ReadonlySet<string>>(new Set());

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
  const read = (): void => {
    readAgain().then(
      () => {
        problem.value = null;
      },
      (error: unknown) => {
        problem.value = sentenceOf(error);
      },
    );
  };
  useEffect(read, [known]);
  const onEnd = useCallback(() => void readMoreDocuments().catch(() => undefined), []);

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
        <p class="muted known">
          {all === null
            ? sentences.value.loading
            : text === ''
              ? t.known(count(Math.max(known, shown.length)), false)
              : t.known(count(shown.length), moreDocuments.value)}
        </p>
      </div>
      {problem.value === null ? null : (
        <p class="problem actions" role="alert">
          {problem.value}
          <button type="button" onClick={read}>
            {sentences.value.tryAgain}
          </button>
        </p>
      )}
      {all !== null && shown.length === 0 && !moreDocuments.value ? (
        <p class="nothing card">
          {text === '' ? t.none : t.noneFits(text)}{' '}
          {text === '' && mayWrite.value ? <a href={linkTo('upload')}>{sentences.value.views.upload}</a> : null}
        </p>
      ) : (
        <VirtualList
          label={sentences.value.views.documents}
          className="card document-rows"
          items={shown}
          keyOf={(each) => each.doc_id}
          row={documentRow}
          onEnd={onEnd}
          {...(text === '' ? { total: known } : {})}
        />
      )}
      {asking.value === null ? null : (
        <ConfirmDialog
          question={t.question(asking.value.filename)}
          hint={t.questionHint(undoSeconds)}
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
  const isLeaving = leaving.value.has(each.doc_id);
  const name = (action: string): string => t.actionOn(action, each.filename);
  return (
    <div class={`document-row${isLeaving ? ' leaving' : ''}`}>
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
      {isLeaving ? (
        <div class="row-actions">
          <span class="muted">{t.leaving}</span>
          <button type="button" aria-label={name(t.undo)} onClick={() => takeBack(each.doc_id)}>
            {t.undo}
          </button>
        </div>
      ) : (
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
          {mayWrite.value ? (
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
          ) : null}
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
        {known?.media_type.startsWith('image/') === true ? <PicturePanel.View document={known} /> : null}
        <TextPanel docId={docId} passage={null} headingLevel={2} contents={contentsOf(known?.media_type ?? '')} />
      </div>
    </section>
  );
}

function figuresOf(each: WireDocument): string {
  const t = sentences.value.documents;
  return join(each.pages === null ? null : t.pages(count(each.pages)), t.chunks(count(each.chunks)), bytes(each.file_size));
}

function leave(each: WireDocument): void {
  const { filename, doc_id: docId } = each;
  setLeaving(docId, true);
  leaveLater(docId, documentPath(docId), () => {
    deleteDocument(docId).then(
      () => {
        dropDocuments(new Set([docId]));
        setLeaving(docId, false);
      },
      (error: unknown) => {
        setLeaving(docId, false);
        tellRefusal(sentences.value.documents.notDeleted(filename), error);
      },
    );
  });
}

function takeBack(docId: string): void {
  stay(docId);
  setLeaving(docId, false);
}

function setLeaving(docId: string, isLeaving: boolean): void {
  const next = new Set(leaving.value);
  if (isLeaving) next.add(docId);
  else next.delete(docId);
  leaving.value = next;
}

function extension(filename: string): string {
  return /\.([A-Za-z0-9]{1,5})$/.exec(filename)?.[1]?.toUpperCase() ?? '·';
}
