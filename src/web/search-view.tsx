/**
 * Questions and the passages that answer them. Everything is in the address: what was asked, in which document, and which passage
 * is open. Keys: `/` to the field, arrows among the hits, Enter opens, Esc goes back one step.
 */
import { signal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { announce } from './announcer.ts';
import { search } from './api.ts';
import { HitViewer } from './hit-viewer.tsx';
import { count } from './figures.ts';
import { Icon } from './icons.tsx';
import { sentences } from './language.ts';
import { excerpt, MarkedText, withoutRules } from './marked-text.tsx';
import { linkTo, replaceRoute, route } from './route.ts';
import type { WireHit, WireSearch } from './wire.ts';

const debounceMs = 150;
const hitsMax = 20;
const excerptCharacters = 320;

/** The last answer, the question it answers, and what went wrong with the last question. */
const answer = signal<WireSearch | null>(null);
const problem = signal<string | null>(null);
const busy = signal(false);
let asked = '';

export function SearchView(): VNode {
  const t = sentences.value.search;
  const { q = '', doc = null, hit = null } = route.value.parameters as { q?: string; doc?: string; hit?: string };
  const field = useRef<HTMLInputElement>(null);

  useEffect(() => ask(q, doc), [q, doc]);
  useEffect(() => {
    if (hit === null) field.current?.focus();
  }, []);

  const hits = answer.value?.hits ?? [];
  const open = hit === null ? undefined : hits.find((each) => each.citation.chunk_id === hit);
  const close = (): void => {
    replaceRoute('search', { q, doc });
    requestAnimationFrame(() => document.getElementById(hitId(hit ?? ''))?.focus());
  };

  return (
    <section class={`view search-view${open === undefined ? '' : ' with-viewer'}`} aria-labelledby="title">
      <h1 id="title" class="hidden">
        {sentences.value.views.search}
      </h1>
      <div class="search-side">
        <div class="search-head">
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
              value={q}
              maxLength={2000}
              aria-describedby="search-keys"
              onInput={(event) => replaceRoute('search', { q: event.currentTarget.value, doc })}
              onKeyDown={(event) => fromField(event, q, doc)}
            />
            <kbd aria-hidden="true">/</kbd>
          </div>
          {doc === null ? null : (
            <p class="chip">
              <bdi>{t.only(doc)}</bdi>
              <a class="button quiet icon-only" href={linkTo('search', { q })} aria-label={t.everywhere} title={t.everywhere}>
                <Icon name="close" />
              </a>
            </p>
          )}
          <p class="muted small" id="search-keys">
            {t.keys}
          </p>
        </div>
        <Answer query={q} doc={doc} open={hit} />
      </div>
      {open === undefined ? null : <HitViewer hit={open} onClose={close} />}
    </section>
  );
}

function Answer({ query, doc, open }: { query: string; doc: string | null; open: string | null }): VNode {
  const t = sentences.value.search;
  const found = answer.value;
  if (problem.value !== null) return <p class="problem">{problem.value}</p>;
  if (query.trim() === '') return <p class="nothing">{t.start}</p>;
  if (found === null) return <p class="muted">{busy.value ? sentences.value.loading : ''}</p>;
  if (found.hits.length === 0) {
    return (
      <div class="nothing">
        <p>{t.none(found.query)}</p>
        <p class="muted">{t.noneHint}</p>
      </div>
    );
  }
  return (
    <>
      <p class="muted small found">{t.found(found.hits.length, count(Math.round(found.took_ms)))}</p>
      {found.notice === null ? null : <p class="muted small">{found.notice}</p>}
      <ol class={`hits${busy.value ? ' stale' : ''}`} aria-label={t.hits}>
        {found.hits.map((hit) => (
          <li key={hit.citation.chunk_id}>
            <Hit
              hit={hit}
              href={linkTo('search', { q: query, doc, hit: hit.citation.chunk_id })}
              isOpen={hit.citation.chunk_id === open}
            />
          </li>
        ))}
      </ol>
    </>
  );
}

function Hit({ hit, href, isOpen }: { hit: WireHit; href: string; isOpen: boolean }): VNode {
  const t = sentences.value.search;
  const { citation } = hit;
  const part = excerpt(hit.text, hit.highlights as [number, number][], excerptCharacters);
  return (
    <a id={hitId(citation.chunk_id)} class="hit card" href={href} aria-current={isOpen ? 'true' : undefined} onKeyDown={amongHits}>
      <span class="hit-head">
        <bdi class="name">{citation.filename}</bdi>
        {citation.page === null ? null : <span class="page">{t.page(pages(citation.page, citation.page_end))}</span>}
        <span class="muted score">{hit.score.toFixed(2)}</span>
      </span>
      {citation.section.length === 0 ? null : <bdi class="muted section">{citation.section.join(' › ')}</bdi>}
      <span class="snippet" dir="auto">
        <MarkedText text={part.text} ranges={part.ranges} dress={withoutRules} />
      </span>
    </a>
  );
}

function pages(first: number, last: number | null): string {
  return last === null || last === first ? String(first) : `${first}–${last}`;
}

function hitId(chunkId: string): string {
  return `hit-${chunkId}`;
}

/** Asks after a short rest in typing; the question before is given up. Returns the way to call it off. */
function ask(query: string, doc: string | null): () => void {
  const key = JSON.stringify([query, doc]);
  if (query.trim() === '') {
    answer.value = null;
    problem.value = null;
    asked = '';
    return () => undefined;
  }
  if (key === asked && answer.value !== null) return () => undefined;
  const life = new AbortController();
  busy.value = true;
  const timer = setTimeout(() => {
    search({ query, docId: doc, topK: hitsMax }, life.signal).then(
      (found) => {
        if (life.signal.aborted) return;
        asked = key;
        answer.value = found;
        problem.value = null;
        busy.value = false;
        announce(
          found.hits.length === 0
            ? sentences.value.search.none(query)
            : sentences.value.search.found(found.hits.length, count(Math.round(found.took_ms))),
        );
      },
      (error: unknown) => {
        if (life.signal.aborted) return;
        problem.value = (error as Error).message;
        busy.value = false;
      },
    );
  }, debounceMs);
  return () => {
    clearTimeout(timer);
    life.abort();
  };
}

function fromField(event: KeyboardEvent, query: string, doc: string | null): void {
  if (event.isComposing) return;
  const first = document.querySelector<HTMLElement>('.hit');
  if (event.key === 'ArrowDown' && first !== null) {
    event.preventDefault();
    first.focus();
  } else if (event.key === 'Enter' && first !== null && JSON.stringify([query, doc]) === asked) {
    first.click();
  } else if (event.key === 'Escape') {
    event.preventDefault();
    if (query === '') (event.currentTarget as HTMLElement).blur();
    else replaceRoute('search', { doc });
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
