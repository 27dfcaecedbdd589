/**
 * Answers in sentences with numbered citations, as `POST /answer` streams them, and the questions that follow on one. Loaded when
 * somebody asks for the first.
 */
import { signal, type Signal } from '@preact/signals';
import { placeMember, request } from './api.ts';
import { createEventParser } from './event-stream.ts';
import { passageOf, type KnownPassage } from './passage-link.ts';
import { keep } from './results.ts';
import type { WireHit } from './wire.ts';

export type AnswerState = 'asking' | 'writing' | 'done' | 'stopped' | 'failed';

export type Answer = {
  readonly question: string;
  readonly text: Signal<string>;
  /** By number, from 1; empty until they are known. */
  readonly sources: Signal<ReadonlyMap<number, KnownPassage>>;
  readonly state: Signal<AnswerState>;
  /** Why it failed: an `ApiError`, or the server's sentence when it broke off on the way. */
  readonly problem: Signal<unknown>;
  readonly stop: () => void;
};

/** Longest question that the server takes. */
const questionCharactersMax = 2000;
const textCharactersMax = 200_000;

/** Asks at once. `before`: the questions that this one follows on; the passages for it are looked for with them. */
export function askAnswer(
  question: string,
  options: { before: readonly string[]; where: string | null; docId: string | null },
): Answer {
  const life = new AbortController();
  const answer: Answer = {
    question,
    text: signal(''),
    sources: signal(new Map()),
    state: signal<AnswerState>('asking'),
    problem: signal(null),
    stop() {
      if (!isRunning(answer)) return;
      answer.state.value = 'stopped';
      life.abort();
    },
  };
  void run(answer, { question: withContext(question, options.before), where: options.where, docId: options.docId }, life.signal);
  return answer;
}

export function isRunning({ state }: Answer): boolean {
  return state.value === 'asking' || state.value === 'writing';
}

/** The text cut at its citations. A number that names no source is text. */
export function piecesOf(text: string, sources: ReadonlyMap<number, unknown>): readonly (string | number)[] {
  return text.split(/(\[\d{1,3}\])/).flatMap((piece): readonly (string | number)[] => {
    const number = Number(/^\[(\d{1,3})\]$/.exec(piece)?.[1] ?? Number.NaN);
    return sources.has(number) ? [number] : piece === '' ? [] : [piece];
  });
}

/** The sources that the text names, each once, by number: the others did not fit. */
export function citedIn(text: string, sources: ReadonlyMap<number, KnownPassage>): readonly (readonly [number, KnownPassage])[] {
  const named = new Set(piecesOf(text, sources));
  return [...sources].filter(([number]) => named.has(number));
}

/** The last questions go along as far as there is room. */
function withContext(question: string, before: readonly string[]): string {
  let whole = question;
  for (const earlier of before.toReversed()) {
    if (earlier.length + 1 + whole.length > questionCharactersMax) break;
    whole = `${earlier}\n${whole}`;
  }
  return whole.slice(-questionCharactersMax);
}

type Asked = { readonly question: string; readonly where: string | null; readonly docId: string | null };

async function run(answer: Answer, { question, where, docId }: Asked, signal: AbortSignal): Promise<void> {
  const body = { question, ...placeMember(where), ...(docId === null ? {} : { doc_ids: [docId] }) };
  try {
    const response = await request('answer', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal,
    });
    const parse = createEventParser(({ event, data }) => take(answer, event, JSON.parse(data)));
    const decoder = new TextDecoder();
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      parse(decoder.decode(value, { stream: true }));
    }
    if (isRunning(answer)) fail(answer, null);
  } catch (error) {
    if (!signal.aborted) fail(answer, error);
  }
}

function take(answer: Answer, event: string, data: unknown): void {
  if (!isRunning(answer)) return;
  const {
    sources = [],
    text = '',
    detail = '',
  } = data as { sources?: (WireHit & { number: number })[]; text?: string; detail?: string };
  if (event === 'sources') {
    keep(sources);
    answer.sources.value = new Map(sources.map((hit) => [hit.number, passageOf(hit)]));
  } else if (event === 'text') {
    answer.state.value = 'writing';
    answer.text.value = (answer.text.peek() + text).slice(0, textCharactersMax);
  } else if (event === 'done') {
    answer.state.value = 'done';
  } else if (event === 'error') {
    fail(answer, detail);
  }
}

function fail(answer: Answer, problem: unknown): void {
  answer.problem.value = problem;
  answer.state.value = 'failed';
}
