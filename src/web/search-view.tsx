/**
 * Questions and the passages that answer them. Everything is in the address: what was asked, where, and which passage is open.
 * Keys: `/` to the field, arrows among the hits, Enter opens, Esc goes back one step.
 */
import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { announce } from './announcer.ts';
import { collections, currentName, everyCollection, titleOf } from './collection.ts';
import { count } from './figures.ts';
import { Icon } from './icons.tsx';
import { sentences } from './language.ts';
import { lazily } from './lazy.tsx';
import { filterOf, metadataFilterOf } from './metadata-filter.ts';
import { excerpt, MarkedText, withoutRules } from './marked-text.tsx';
import { fromParameters, keyOf, pageText, passageOf, toParameters, type PassageRef } from './passage-link.ts';
import { sentenceOf } from './problem-words.ts';
import { answers, ask, askAgain, busy, found, hasMoreHits, problem, showMore, type Found, type Question } from './results.ts';
import { linkTo, replaceRoute, route } from './route.ts';
import { agesInDays, after, fileKinds, mediaTypeOf } from './search-filters.ts';
import { config } from './server-state.ts';
import type { WireHit } from './wire.ts';

const excerptCharacters = 320;
/** Hits of one document shown before its reader asks for the others. */
const hitsOfDocument = 1;

const HitViewer = lazily<{ passage: PassageRef; query: string; onClose: () => void }>(
  async () => (await import('./hit-viewer.tsx')).HitViewer,
);
const AnswerPanel = lazily<{ question: string; where: string | null; docId: string | null }>(
  async () => (await import('./answer-panel.tsx')).AnswerPanel,
);

/** What the address says of the search, beside the passage that is open. */
type Place = {
  readonly q: string;
  /** `*`: in all collections; null: in this page's own. */
  readonly where: string | null;
  readonly doc: string | null;
  readonly kind: string | null;
  readonly age: string | null;
  readonly meta: string | null;
};

function placeOf(parameters: Readonly<Record<string, string>>): Place {
  return {
    q: parameters['q'] ?? '',
    where: parameters['where'] === everyCollection ? everyCollection : null,
    doc: parameters['doc'] ?? null,
    kind: parameters['kind'] ?? null,
    age: parameters['age'] ?? null,
    meta: parameters['meta'] ?? null,
  };
}

export function SearchView(): VNode {
  const t = sentences.value.search;
  const { parameters } = route.value;
  const place = placeOf(parameters);
  const { q, where, doc, kind, age, meta } = place;
  const field = useRef<HTMLInputElement>(null);
  const question: Question = {
    query: q,
    where,
    docId: doc,
    mediaType: mediaTypeOf(kind),
    insertedAfter: after(age),
    filters: filterOf(meta ?? undefined),
  };

  useEffect(() => ask(question), [q, where, doc, kind, age, meta]);
  useEffect(() => {
    if (open === null) field.current?.focus();
  }, []);

  const open = fromParameters(parameters);
  const close = (): void => {
    replaceRoute('search', place);
    requestAnimationFrame(() => (document.getElementById(open === null ? '' : hitId(open)) ?? field.current)?.focus());
  };

  return (
    <section class={`view search-view${open === null ? '' : ' with-viewer'}`} aria-labelledby="title">
      <h1 id="title" class="hidden">
        {sentences.value.views.search}
      </h1>
      <div class="search-side">
        <div class="search-head">
          <SearchField place={place} question={question} field={field} />
          <Filters place={place} />
          {doc === null ? null : (
            <p class="chip">
              <bdi>{t.only(doc)}</bdi>
              <a
                class="button quiet icon-only"
                href={linkTo('search', { ...place, doc: null })}
                aria-label={t.everywhere}
                title={t.everywhere}
              >
                <Icon name="close" />
              </a>
            </p>
          )}
          <MetadataChip place={place} />
          <p class="muted small" id="search-keys">
            {t.keys}
          </p>
        </div>
        {config.value?.answers === true && q.trim() !== '' ? (
          <AnswerPanel.View key={JSON.stringify([q, where, doc])} question={q} where={where} docId={doc} />
        ) : null}
        <Results place={place} question={question} open={open} />
      </div>
      {open === null ? null : <HitViewer.View passage={open} query={q} onClose={close} />}
    </section>
  );
}

type FieldProps = { readonly place: Place; readonly question: Question; readonly field: { current: HTMLInputElement | null } };

/** Keeps what is being composed (pinyin, kana) to itself until it is a word. */
function SearchField({ place, question, field }: FieldProps): VNode {
  const t = sentences.value.search;
  const typed = useSignal(place.q);
  const composing = useRef(false);
  useEffect(() => {
    // By then more may have been typed: what counts is the address as it is now.
    const latest = route.peek().parameters['q'] ?? '';
    if (!composing.current) typed.value = latest;
  }, [place.q]);
  const take = (value: string): void => {
    typed.value = value;
    // The passage that is open stays open.
    if (!composing.current) replaceRoute('search', { ...route.peek().parameters, q: value });
  };
  return (
    <div class="search-field" role="search">
      <Icon name="search" />
      <input
        ref={field}
        id="query"
        type="search"
        aria-label={t.label}
        placeholder={t.hint}
        autocomplete="off"
        enterkeyhint="search"
        value={typed.value}
        maxLength={2000}
        aria-describedby="search-keys"
        onCompositionStart={() => {
          composing.current = true;
        }}
        onCompositionEnd={(event) => {
          composing.current = false;
          take(event.currentTarget.value);
        }}
        onInput={(event) => take(event.currentTarget.value)}
        onKeyDown={(event) => {
          fromField(event, place, question);
          if (!composing.current) typed.value = route.peek().parameters['q'] ?? '';
        }}
      />
      <kbd aria-hidden="true">/</kbd>
    </div>
  );
}

function Filters({ place }: { place: Place }): VNode {
  const t = sentences.value.search;
  const set = (name: 'where' | 'kind' | 'age', value: string): void =>
    replaceRoute('search', { ...route.peek().parameters, [name]: value });
  return (
    <div class="search-filters" role="group" aria-label={t.filters}>
      {collections.value.length < 2 ? null : (
        <select
          class={place.where === null ? '' : 'is-set'}
          aria-label={t.where}
          value={place.where ?? ''}
          onChange={(event) => set('where', event.currentTarget.value)}
        >
          <option value="">{titleOf(currentName(config.value))}</option>
          <option value={everyCollection}>{t.everyCollection}</option>
        </select>
      )}
      <select
        class={place.kind === null ? '' : 'is-set'}
        aria-label={t.kind}
        value={place.kind ?? ''}
        onChange={(event) => set('kind', event.currentTarget.value)}
      >
        <option value="">{t.anyKind}</option>
        {fileKinds.map(({ name }) => (
          <option key={name} value={name}>
            {t.kinds[name]}
          </option>
        ))}
      </select>
      <select
        class={place.age === null ? '' : 'is-set'}
        aria-label={t.age}
        value={place.age ?? ''}
        onChange={(event) => set('age', event.currentTarget.value)}
      >
        <option value="">{t.anyAge}</option>
        {agesInDays.map((days) => (
          <option key={days} value={String(days)}>
            {t.lastDays(days)}
          </option>
        ))}
      </select>
    </div>
  );
}

function MetadataChip({ place }: { place: Place }): VNode | null {
  const t = sentences.value;
  const filter = metadataFilterOf(place.meta ?? undefined);
  if (filter === null) return null;
  return (
    <p class="chip">
      <bdi>{t.documents.only(filter.key, filter.value)}</bdi>
      <a
        class="button quiet icon-only"
        href={linkTo('search', { ...place, meta: null })}
        aria-label={t.search.everywhere}
        title={t.search.everywhere}
      >
        <Icon name="close" />
      </a>
    </p>
  );
}

/** In words: a figure would say more than it knows. */
function matchOf(relevance: number): 'strong' | 'partial' | 'weak' {
  return relevance >= 0.6 ? 'strong' : relevance >= 0.3 ? 'partial' : 'weak';
}

type ResultsProps = { readonly place: Place; readonly question: Question; readonly open: PassageRef | null };

function Results({ place, question, open }: ResultsProps): VNode {
  const t = sentences.value.search;
  const shown = found.value;
  const isCurrent = answers(question);
  useEffect(() => {
    // One of them will be opened.
    if (shown !== null && shown.hits.length > 0) HitViewer.load();
    if (shown !== null && isCurrent) announce(shown.hits.length === 0 ? t.none(question.query) : foundLine(shown));
  }, [shown]);

  if (problem.value !== null)
    return (
      <div class="nothing" role="alert">
        <p class="problem">{sentenceOf(problem.value)}</p>
        <p>
          <button type="button" onClick={askAgain}>
            {sentences.value.tryAgain}
          </button>
        </p>
      </div>
    );
  if (question.query.trim() === '') return <p class="nothing">{t.start}</p>;
  if (shown === null) return <Searching query={question.query} />;
  if (shown.hits.length === 0 && isCurrent) {
    const isNarrowed = place.kind !== null || place.age !== null || place.doc !== null || place.meta !== null;
    return (
      <div class="nothing">
        <p>{t.none(question.query)}</p>
        <p class="muted">{t.noneHint}</p>
        {isNarrowed ? (
          <p>
            <a class="button" href={linkTo('search', { q: place.q })}>
              {t.withoutFilters}
            </a>
          </p>
        ) : null}
      </div>
    );
  }
  return (
    <>
      {isCurrent ? <p class="muted small found">{foundLine(shown)}</p> : <Searching query={question.query} />}
      {shown.notice === null ? null : <p class="muted small">{shown.notice}</p>}
      {shown.shownFor === null ? null : <p class="muted small">{t.shownFor(shown.shownFor)}</p>}
      <ol class={`hits${isCurrent ? '' : ' stale'}`} aria-label={t.hits} aria-busy={!isCurrent}>
        {byDocument(shown.hits).map((hits) => (
          <li key={hits[0] === undefined ? '' : nameOf(hits[0])}>
            <DocumentHits hits={hits} place={place} open={open} />
          </li>
        ))}
      </ol>
      {hasMoreHits.value && isCurrent ? (
        <p class="actions more">
          <button type="button" onClick={showMore} aria-disabled={busy.value}>
            {busy.value ? sentences.value.loading : t.more}
          </button>
        </p>
      ) : null}
    </>
  );
}

function Searching({ query }: { query: string }): VNode {
  return (
    <p class="muted small found searching" role="status">
      <span class="turning" aria-hidden="true" />
      {sentences.value.search.searching(query)}
    </p>
  );
}

function foundLine({ hits, total, tookMs }: Found): string {
  return sentences.value.search.found(count(hits.length), count(total), count(Math.round(tookMs)));
}

/** In the order of each document's best hit. */
function byDocument(hits: readonly WireHit[]): readonly (readonly WireHit[])[] {
  const groups = new Map<string, WireHit[]>();
  for (const hit of hits) {
    const name = nameOf(hit);
    const known = groups.get(name);
    if (known === undefined) groups.set(name, [hit]);
    else known.push(hit);
  }
  return [...groups.values()];
}

function nameOf({ citation }: WireHit): string {
  return JSON.stringify([citation.collection, citation.doc_id]);
}

type HitsProps = { readonly hits: readonly WireHit[]; readonly place: Place; readonly open: PassageRef | null };

function DocumentHits({ hits, place, open }: HitsProps): VNode {
  const t = sentences.value.search;
  const wide = useSignal(false);
  const openKey = open === null ? null : keyOf(open);
  const isOpen = (hit: WireHit): boolean => keyOf(passageOf(hit)) === openKey;
  const isWide = wide.value || hits.slice(hitsOfDocument).some(isOpen);
  const rest = hits.length - hitsOfDocument;
  return (
    <div class="group card">
      {(isWide ? hits : hits.slice(0, hitsOfDocument)).map((hit) => (
        <Hit key={hit.citation.chunk_id} hit={hit} place={place} isOpen={isOpen(hit)} />
      ))}
      {rest <= 0 ? null : (
        <button
          type="button"
          class="quiet group-more"
          aria-expanded={isWide}
          onClick={() => {
            wide.value = !isWide;
          }}
        >
          {isWide ? t.fewerOf : t.moreOf(rest)}
        </button>
      )}
    </div>
  );
}

function Hit({ hit, place, isOpen }: { hit: WireHit; place: Place; isOpen: boolean }): VNode {
  const t = sentences.value.search;
  const { citation } = hit;
  const part = excerpt(hit.text, hit.highlights as [number, number][], excerptCharacters);
  const ref = passageOf(hit);
  return (
    <a
      id={hitId(ref)}
      class="hit"
      href={linkTo('search', { ...place, ...toParameters(ref) })}
      aria-current={isOpen ? 'true' : undefined}
      onKeyDown={amongHits}
    >
      <span class="hit-head">
        <bdi class="name">{citation.filename}</bdi>
        {citation.page === null ? null : <span class="page">{t.page(pageText(citation.page, citation.page_end))}</span>}
        {ref.collection === null ? null : <bdi class="muted small">{titleOf(ref.collection)}</bdi>}
        <span class={`match match-${matchOf(hit.relevance)}`}>{t.match[matchOf(hit.relevance)]}</span>
        {hit.across_languages ? <span class="muted small">{t.acrossLanguages}</span> : null}
        {hit.also_in === undefined ? null : <span class="muted small">{t.alsoIn(hit.also_in.map(placeText))}</span>}
      </span>
      {citation.section.length === 0 ? null : <bdi class="muted section">{citation.section.join(' › ')}</bdi>}
      <span class="snippet" dir="auto">
        <MarkedText text={part.text} ranges={part.ranges} dress={withoutRules} />
      </span>
    </a>
  );
}

function placeText({ filename, page }: NonNullable<WireHit['also_in']>[number]): string {
  return page === null ? filename : `${filename} (${sentences.value.search.page(String(page))})`;
}

function hitId(ref: PassageRef): string {
  return `hit-${keyOf(ref)}`;
}

function fromField(event: KeyboardEvent, place: Place, question: Question): void {
  if (event.isComposing) return;
  const first = document.querySelector<HTMLElement>('.hit');
  if (event.key === 'ArrowDown' && first !== null) {
    event.preventDefault();
    first.focus();
  } else if (event.key === 'Enter' && first !== null && answers(question)) {
    first.click();
  } else if (event.key === 'Escape') {
    event.preventDefault();
    if (place.q === '') (event.currentTarget as HTMLElement).blur();
    else replaceRoute('search', { ...route.peek().parameters, q: null });
  }
}

function amongHits(event: KeyboardEvent): void {
  const hits = [...document.querySelectorAll<HTMLElement>('.hit')];
  const at = hits.indexOf(event.currentTarget as HTMLElement);
  const field = document.getElementById('query');
  const to =
    event.key === 'ArrowDown'
      ? hits[at + 1]
      : event.key === 'ArrowUp'
        ? (hits[at - 1] ?? field)
        : event.key === 'Home'
          ? hits[0]
          : event.key === 'End'
            ? hits.at(-1)
            : event.key === 'Escape'
              ? field
              : null;
  if (to === null || to === undefined) return;
  event.preventDefault();
  to.focus();
}
