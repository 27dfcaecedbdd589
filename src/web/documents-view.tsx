/** What can be searched: found and sorted, chosen, deleted with a time to undo, described; one opens as its text. */
import { signal, useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useCallback, useEffect } from 'preact/hooks';
import { announce } from './announcer.ts';
import { originalUrl } from './api.ts';
import { collections } from './collection.ts';
import { ConfirmDialog } from './confirm-dialog.tsx';
import {
  documents,
  documentSorts,
  listed,
  moreDocuments,
  readAllDocuments,
  readDocuments,
  readMoreDocuments,
  type DocumentQuery,
} from './document-list.ts';
import { extension, figuresOf } from './document-words.ts';
import { count, shortTime } from './figures.ts';
import { Icon } from './icons.tsx';
import { sentences } from './language.ts';
import { lazily } from './lazy.tsx';
import { deleteLater, keepDocuments, leaving, undoSeconds } from './leaving.ts';
import { filterOf, metadataFilterOf } from './metadata-filter.ts';
import { notify, tellRefusal, withdraw } from './notices.tsx';
import { sentenceOf } from './problem-words.ts';
import { linkTo, replaceRoute, route } from './route.ts';
import { createSelection } from './selection.ts';
import { RowBox, SelectionBar } from './selection-bar.tsx';
import { documentCount, mayWrite } from './server-state.ts';
import { VirtualList } from './virtual-list.tsx';
import type { WireDocument } from './wire.ts';

const DocumentText = lazily<{ docId: string }>(async () => (await import('./document-text.tsx')).DocumentText);
const BulkDetails = lazily<{ chosen: readonly WireDocument[]; onClose: () => void }>(
  async () => (await import('./document-details.tsx')).BulkDetails,
);

const MoveDialog = lazily<{ chosen: readonly WireDocument[]; onMoved: (docId: string) => void; onClose: () => void }>(
  async () => (await import('./move-dialog.tsx')).MoveDialog,
);

const restMs = 150;
/** Documents that can be chosen at once. */
const chosenMax = 10_000;

const asking = signal<readonly WireDocument[] | null>(null);
const describing = signal<readonly WireDocument[] | null>(null);
const moving = signal<readonly WireDocument[] | null>(null);
const selection = createSelection();

export function DocumentsView(): VNode {
  const docId = route.value.parameters['text'];
  return docId === undefined ? <DocumentList /> : <DocumentText.View docId={docId} />;
}

function queryOf(parameters: Readonly<Record<string, string>>): DocumentQuery {
  const { q = '', sort, meta } = parameters as { q?: string; sort?: string; meta?: string };
  return { q, sort: documentSorts.find((name) => name === sort) ?? '-inserted_at', filters: filterOf(meta) };
}

function DocumentList(): VNode {
  const t = sentences.value.documents;
  const problem = useSignal<string | null>(null);
  const query = queryOf(route.value.parameters);
  const meta = metadataFilterOf(route.value.parameters['meta']);
  const known = documentCount.value;
  const isWhole = query.q.trim() === '' && query.filters === null;

  const read = (): void => {
    readDocuments(query).then(
      () => {
        problem.value = null;
      },
      (error: unknown) => {
        problem.value = sentenceOf(error);
      },
    );
  };
  // Again whenever their number changes: the feed tells of tasks, not of documents. While one types, after a rest.
  useEffect(() => {
    const timer = setTimeout(read, listed.value === null ? 0 : restMs);
    return () => clearTimeout(timer);
  }, [known, query.q, query.sort, query.filters]);
  const onEnd = useCallback(() => void readMoreDocuments().catch(() => undefined), []);

  const shown = documents.value;
  const isCurrent = listed.value !== null && JSON.stringify(listed.value) === JSON.stringify(query);
  const chosen = (shown ?? []).filter(({ doc_id: id }) => selection.keys.value.has(id));
  const set = (name: string, value: string | null): void =>
    replaceRoute('documents', { ...route.peek().parameters, [name]: value });
  return (
    <section class="view" aria-labelledby="title">
      <h1 id="title">{sentences.value.views.documents}</h1>
      <div class="filters">
        <input
          type="search"
          id="document-find"
          aria-label={t.find}
          placeholder={t.find}
          value={query.q}
          onInput={(event) => set('q', event.currentTarget.value)}
        />
        <select aria-label={t.sort} value={query.sort} onChange={(event) => set('sort', event.currentTarget.value)}>
          {documentSorts.map((name) => (
            <option key={name} value={name}>
              {t.sorts[name]}
            </option>
          ))}
        </select>
        <p class="muted known">
          {shown === null || !isCurrent
            ? sentences.value.loading
            : isWhole
              ? t.known(count(Math.max(known, shown.length)), false)
              : t.known(count(shown.length), moreDocuments.value)}
        </p>
      </div>
      {meta === null ? null : (
        <p class="chip">
          <bdi>{t.only(meta.key, meta.value)}</bdi>
          <a
            class="button quiet icon-only"
            href={linkTo('search', { meta: route.value.parameters['meta'] ?? null })}
            aria-label={t.searchIn}
            title={t.searchIn}
          >
            <Icon name="search" />
          </a>
          <button
            type="button"
            class="quiet icon-only"
            aria-label={t.everything}
            title={t.everything}
            onClick={() => set('meta', null)}
          >
            <Icon name="close" />
          </button>
        </p>
      )}
      {problem.value === null ? null : (
        <p class="problem actions" role="alert">
          {problem.value}
          <button type="button" onClick={read}>
            {sentences.value.tryAgain}
          </button>
        </p>
      )}
      {selection.keys.value.size === 0 ? null : (
        <SelectionBar
          selection={selection}
          allKeys={(shown ?? []).map(({ doc_id: id }) => id)}
          hasMore={moreDocuments.value}
          onAll={chooseAll}
        >
          <button type="button" onClick={() => (describing.value = chosen)}>
            {t.describe}
          </button>
          {collections.value.length < 2 ? null : (
            <button type="button" onClick={() => (moving.value = chosen)}>
              {sentences.value.moving.start}
            </button>
          )}
          <button type="button" onClick={() => (asking.value = chosen)}>
            <Icon name="trash" />
            {t.remove}
          </button>
        </SelectionBar>
      )}
      {shown !== null && isCurrent && shown.length === 0 && !moreDocuments.value ? (
        <p class="nothing card">
          {isWhole ? t.none : t.noneFits(query.q === '' ? (meta?.value ?? '') : query.q)}{' '}
          {isWhole && mayWrite.value ? <a href={linkTo('upload')}>{sentences.value.views.upload}</a> : null}
        </p>
      ) : (
        <VirtualList
          label={sentences.value.views.documents}
          className="card document-rows"
          items={shown ?? []}
          keyOf={(each) => each.doc_id}
          row={documentRow}
          onEnd={onEnd}
          {...(isWhole ? { total: known } : {})}
        />
      )}
      {asking.value === null ? null : <DeleteQuestion chosen={asking.value} />}
      {moving.value === null ? null : (
        <MoveDialog.View
          chosen={moving.value}
          onMoved={(id) => selection.clear(new Set([id]))}
          onClose={() => {
            moving.value = null;
          }}
        />
      )}
      {describing.value === null ? null : (
        <BulkDetails.View
          chosen={describing.value}
          onClose={() => {
            describing.value = null;
          }}
        />
      )}
    </section>
  );
}

async function chooseAll(): Promise<void> {
  await readAllDocuments(chosenMax);
  selection.add((documents.value ?? []).map(({ doc_id: id }) => id).slice(0, chosenMax));
}

function DeleteQuestion({ chosen }: { chosen: readonly WireDocument[] }): VNode {
  const t = sentences.value.documents;
  return (
    <ConfirmDialog
      question={chosen.length === 1 ? t.question(chosen[0]?.filename ?? '') : t.questionMany(count(chosen.length))}
      hint={t.questionHint(undoSeconds)}
      confirm={t.confirm}
      onConfirm={() => leave(chosen)}
      onClose={() => {
        asking.value = null;
      }}
    />
  );
}

/** They are marked in the list and said beside it, each with a way back, until the time is over. */
function leave(chosen: readonly WireDocument[]): void {
  const t = sentences.value.documents;
  const docIds = chosen.map(({ doc_id: id }) => id);
  const what = chosen.length === 1 ? (chosen[0]?.filename ?? '') : t.many(count(chosen.length));
  selection.clear(new Set(docIds));
  deleteLater(docIds, (error) => tellRefusal(t.notDeleted(what), error));
  if (chosen.length === 1) return announce(t.leavingMany(what));
  const key = `leaving ${docIds.join(' ')}`;
  notify({ key, kind: 'news', sentence: t.leavingMany(what), action: { name: t.undo, run: () => keepDocuments(docIds) } });
  setTimeout(() => withdraw(key), undoSeconds * 1000);
}

function choose(docId: string, extend: boolean): void {
  selection.toggle(docId, { extend, order: (documents.peek() ?? []).map(({ doc_id: id }) => id) });
}

/** The button that had it is gone with the row as it was. */
function takeLostFocus(button: HTMLButtonElement | null): void {
  if (document.activeElement === null || document.activeElement === document.body) button?.focus({ preventScroll: true });
}

const documentRow = (each: WireDocument): VNode => <DocumentRow document={each} />;

function DocumentRow({ document: each }: { document: WireDocument }): VNode {
  const t = sentences.value.documents;
  const isLeaving = leaving.value.has(each.doc_id);
  const isChosen = selection.keys.value.has(each.doc_id);
  const name = (action: string): string => t.actionOn(action, each.filename);
  return (
    <div class={`document-row${isLeaving ? ' leaving' : ''}${isChosen ? ' is-chosen' : ''}`}>
      {mayWrite.value && !isLeaving ? (
        <RowBox name={each.filename} isChosen={isChosen} onToggle={(extend) => choose(each.doc_id, extend)} />
      ) : (
        <span />
      )}
      <span class="kind" aria-hidden="true">
        {extension(each.filename)}
      </span>
      <div class="document-name">
        <a class="name" href={linkTo('documents', { text: each.doc_id })} title={each.title ?? each.filename}>
          <bdi>{each.filename}</bdi>
        </a>
        <bdi class="muted second" title={each.doc_id}>
          {each.title ?? (each.doc_id === each.filename ? '' : each.doc_id)}
        </bdi>
      </div>
      <span class="muted document-figures">{figuresOf(each)}</span>
      <time class="muted document-time" dateTime={each.inserted_at}>
        {shortTime(each.inserted_at)}
      </time>
      {isLeaving ? (
        <div class="row-actions">
          <span class="muted">{t.leaving}</span>
          <button ref={takeLostFocus} type="button" aria-label={name(t.undo)} onClick={() => keepDocuments([each.doc_id])}>
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
                asking.value = [each];
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
