/**
 * The question that is being asked and what was found for it: one question at a time, the one before given up, more of the same on
 * request. A question that failed can be asked again, and is asked again by itself when the server is back.
 */
import { computed, effect, signal } from '@preact/signals';
import { ApiError, search, type SearchRequest } from './api.ts';
import { connection } from './feed.ts';
import { keyOf, passageOf, type KnownPassage } from './passage-link.ts';
import type { WireHit, WireSearch } from './wire.ts';

export type Question = Omit<SearchRequest, 'topK' | 'offset'>;

export type Found = {
  readonly question: Question;
  readonly hits: readonly WireHit[];
  /** A lower bound when the search stopped early. */
  readonly total: number;
  readonly tookMs: number;
  readonly notice: string | null;
  readonly shownFor: string | null;
};

const debounceMs = 150;
const pageHits = 20;
/** The server passes over no more than 1,000. */
const hitsMax = 1000;
const passagesKept = 2000;

/** The last answer; null before the first and after the question was cleared. */
export const found = signal<Found | null>(null);
/** What went wrong with the last question. */
export const problem = signal<unknown>(null);
/** A question is under way; its answer is not on the page. */
export const busy = signal(false);

/** What was found on this page so far, to open passages without asking again; by `keyOf`. */
const passages = new Map<string, KnownPassage>();

let asked: Question | null = null;
let life = new AbortController();

/** Whether `found` answers this very question. */
export function answers(question: Question): boolean {
  return found.value !== null && isSame(found.value.question, question);
}

export const hasMoreHits = computed(
  () => found.value !== null && found.value.hits.length < Math.min(found.value.total, hitsMax) && found.value.hits.length > 0,
);

export function knownPassage(key: string): KnownPassage | undefined {
  return passages.get(key);
}

/** Asks after a short rest in typing; nothing where this is the question that was asked last and did not fail. */
export function ask(question: Question): void {
  if (question.query.trim() === '') return clear();
  if (asked !== null && isSame(asked, question) && problem.peek() === null) return;
  begin(question, debounceMs);
}

/** The last question once more, at once. */
export function askAgain(): void {
  if (asked !== null) begin(asked, 0);
}

/** The next hits of the same question. */
export function showMore(): void {
  const before = found.peek();
  if (before === null || busy.peek()) return;
  begin(before.question, 0, before);
}

function clear(): void {
  life.abort();
  asked = null;
  found.value = null;
  problem.value = null;
  busy.value = false;
}

function begin(question: Question, afterMs: number, before?: Found): void {
  life.abort();
  life = new AbortController();
  const { signal } = life;
  asked = question;
  busy.value = true;
  const offset = before?.hits.length ?? 0;
  const timer = setTimeout(() => {
    search({ ...question, topK: Math.min(pageHits, hitsMax - offset), offset }, signal).then(
      (answer) => {
        if (signal.aborted) return;
        keep(answer.hits);
        found.value = toFound(question, answer, before);
        problem.value = null;
        busy.value = false;
      },
      (error: unknown) => {
        if (signal.aborted) return;
        problem.value = error;
        busy.value = false;
      },
    );
  }, afterMs);
  signal.addEventListener('abort', () => clearTimeout(timer));
}

function toFound(question: Question, answer: WireSearch, before?: Found): Found {
  const known = new Set(before?.hits.map(({ citation }) => citation.chunk_id));
  const hits = [...(before?.hits ?? []), ...answer.hits.filter(({ citation }) => !known.has(citation.chunk_id))];
  return {
    question,
    hits,
    // Nothing new came: there is no more, whatever was counted.
    total: before !== undefined && hits.length === before.hits.length ? hits.length : Math.max(answer.total, hits.length),
    tookMs: before?.tookMs ?? answer.took_ms,
    notice: answer.notice,
    shownFor: answer.shown_for,
  };
}

/** Also for passages that other questions find, such as the sources of an answer. */
export function keep(hits: readonly Pick<WireHit, 'citation' | 'text' | 'highlights'>[]): void {
  if (passages.size > passagesKept) passages.clear();
  for (const hit of hits) {
    const passage = passageOf(hit);
    passages.set(keyOf(passage), passage);
  }
}

function isSame(one: Question, other: Question): boolean {
  return (['query', 'where', 'docId', 'mediaType', 'insertedAfter', 'filters'] as const).every((name) => one[name] === other[name]);
}

// What failed because the server was away is asked again when it is back.
effect(() => {
  if (connection.value !== 'live' && connection.value !== 'polling') return;
  const error = problem.peek();
  if (error instanceof ApiError && (error.status === 0 || error.status === 503)) askAgain();
});
