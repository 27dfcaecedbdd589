/**
 * The parsed text of a document, with a passage marked and in sight, and its table of contents. Only a stretch of the text is on the
 * page, since a document may hold a hundred million characters; two buttons lengthen it.
 */
import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { ApiError, listPageStarts, openContent, type PageStart } from './api.ts';
import { sentences } from './language.ts';
import { createLongText, wholeLines, type LongText } from './long-text.ts';
import type { MarkRange } from './marked-text.tsx';
import { sentenceOf } from './problem-words.ts';
import { blocksOf } from './reading/blocks.ts';
import { outlineOf, type OutlineEntry } from './reading/outline.ts';
import { Rendered } from './reading/rendered.tsx';

type Props = {
  readonly docId: string;
  /** Null: this page's own. */
  readonly collection?: string | null;
  /** UTF-16 offsets into the text; null shows the beginning. */
  readonly passage: MarkRange | null;
  /** The words searched for, as offsets into the text too. */
  readonly words?: readonly MarkRange[];
  /** The level that the document's outermost headings have on the page. */
  readonly headingLevel: number;
  /** It has pages or slides, whose beginnings are shown. */
  readonly withPages?: boolean;
  /** `tabs`: the headings are the sheets of a workbook. */
  readonly contents?: 'list' | 'tabs';
};

/** Characters shown before and after the passage at first, and added by each button. */
const stretch = 6000;
/** Characters that are read for the table of contents. */
const outlinedCharacters = 4_000_000;

export function TextPanel({
  docId,
  collection = null,
  passage,
  words = [],
  headingLevel,
  withPages = false,
  contents = 'list',
}: Props): VNode {
  const source = useRef<LongText | null>(null);
  const shown = useSignal<{ text: string; start: number; more: boolean } | null>(null);
  const problem = useSignal<string | null>(null);
  const pages = useSignal<readonly PageStart[]>([]);
  const outline = useSignal<readonly OutlineEntry[]>([]);
  const range = useRef({ start: 0, end: 0 });
  const host = useRef<HTMLDivElement>(null);
  /** What is to be scrolled to once it is there. */
  const wanted = useRef<string | null>(null);
  const start = passage?.[0] ?? 0;
  const end = passage?.[1] ?? 0;

  const show = async (): Promise<void> => {
    const text = source.current;
    if (text === null) return;
    await text.readUpTo(range.current.end + stretch);
    const [from, to] = wholeLines(text.text, range.current.start, range.current.end);
    shown.value = { text: text.text.slice(from, to), start: from, more: to < text.text.length || !text.ended };
  };

  useEffect(() => {
    const life = new AbortController();
    shown.value = null;
    problem.value = null;
    outline.value = [];
    pages.value = [];
    range.current = { start: Math.max(0, start - stretch), end: end + stretch };
    // Without them the text is still the text.
    if (withPages)
      listPageStarts(docId, collection, life.signal).then(
        (found) => (pages.value = found),
        () => undefined,
      );
    openContent(docId, collection, life.signal)
      .then(async (stream) => {
        source.current = createLongText(stream);
        wanted.current = '.passage';
        await show();
        await source.current.readUpTo(outlinedCharacters);
        outline.value = outlineOf(source.current.text.slice(0, outlinedCharacters));
      })
      .catch((error: unknown) => {
        if (life.signal.aborted) return;
        const gone = error instanceof ApiError && error.status === 404;
        problem.value = gone ? sentences.value.documents.gone : sentenceOf(error);
      });
    return () => life.abort();
  }, [docId, collection, withPages, start, end]);

  const stretchShown = shown.value;
  useLayoutEffect(() => {
    if (wanted.current === null || stretchShown === null) return;
    const target = host.current?.querySelector(`${wanted.current} mark`) ?? host.current?.querySelector(wanted.current);
    wanted.current = null;
    target?.scrollIntoView({ block: target.classList.contains('block') ? 'start' : 'center' });
  }, [stretchShown]);

  const t = sentences.value;
  if (problem.value !== null) return <p class="problem">{problem.value}</p>;
  if (shown.value === null) return <p class="muted">{t.loading}</p>;
  const { text, start: from, more } = shown.value;
  const moved = ([first, last]: MarkRange): MarkRange => [first - from, last - from];
  const marks = { passage: passage === null ? null : moved(passage), words: words.map(moved) };
  const goTo = (entry: OutlineEntry): void => {
    range.current = { start: entry.start, end: entry.start + stretch };
    wanted.current = `[data-start="${entry.start}"]`;
    void show();
  };
  return (
    <div ref={host} class="text-panel">
      {outline.value.length < 2 ? null : contents === 'tabs' ? (
        <nav class="sheet-tabs" aria-label={t.documents.sheets}>
          {outline.value.map((entry) => (
            <button key={entry.start} type="button" onClick={() => goTo(entry)}>
              <bdi>{entry.title}</bdi>
            </button>
          ))}
        </nav>
      ) : (
        <details class="contents">
          <summary>{t.documents.contents}</summary>
          <ol>
            {outline.value.map((entry) => (
              <li key={entry.start} class={`depth-${Math.min(entry.depth, 5)}`}>
                <button type="button" class="quiet" onClick={() => goTo(entry)}>
                  <bdi>{entry.title}</bdi>
                </button>
              </li>
            ))}
          </ol>
        </details>
      )}
      {from > 0 ? (
        <button
          type="button"
          onClick={() => {
            range.current.start = Math.max(0, range.current.start - 4 * stretch);
            void show();
          }}
        >
          {t.documents.earlier}
        </button>
      ) : null}
      <div class="text" dir="auto">
        <Rendered text={text} blocks={blocksOf(text)} marks={marks} pages={pages.value} offset={from} headingLevel={headingLevel} />
      </div>
      {more ? (
        <button
          type="button"
          onClick={() => {
            range.current.end += 4 * stretch;
            void show();
          }}
        >
          {t.documents.later}
        </button>
      ) : null}
    </div>
  );
}

/** Documents whose pages browsers cannot draw and are drawn from what was read of them. */
export function isDrawn(mediaType: string): boolean {
  return /^application\/(?:ofd|oxps|vnd\.ms-xpsdocument)$/.test(mediaType);
}

/** Documents that are read page by page and whose pages are not drawn. */
export function hasTextPages(mediaType: string): boolean {
  return /presentation|ms-powerpoint/.test(mediaType) || isDrawn(mediaType);
}

/** How the headings of a document are shown: those of a workbook are its sheets. */
export function contentsOf(mediaType: string): 'list' | 'tabs' {
  return /spreadsheet|ms-excel/.test(mediaType) ? 'tabs' : 'list';
}
