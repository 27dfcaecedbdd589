/**
 * The parsed text of a document, with a passage marked and in sight. Only a stretch around it is on the page, since a document may
 * hold a hundred million characters; two buttons lengthen it. Markdown stays as it is, to the letter (offsets count in it); its
 * blocks are only dressed.
 */
import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { ApiError, openContent } from './api.ts';
import { sentences } from './language.ts';
import { createLongText, wholeLines, type LongText } from './long-text.ts';
import { MarkedText, type MarkRange } from './marked-text.tsx';

type Props = {
  readonly docId: string;
  /** UTF-16 offsets into the text; null shows the beginning. */
  readonly passage: MarkRange | null;
  /** The words searched for, as offsets into the text too. */
  readonly words?: readonly MarkRange[];
};

/** Characters shown before and after the passage at first, and added by each button. */
const stretch = 6000;

export function TextPanel({ docId, passage, words = [] }: Props): VNode {
  const source = useRef<LongText | null>(null);
  const shown = useSignal<{ text: string; start: number; more: boolean } | null>(null);
  const problem = useSignal<string | null>(null);
  const range = useRef({ start: 0, end: 0 });
  const host = useRef<HTMLDivElement>(null);
  /** The passage was not scrolled to yet. */
  const unseen = useRef(false);
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
    range.current = { start: Math.max(0, start - stretch), end: end + stretch };
    openContent(docId, life.signal)
      .then(async (stream) => {
        source.current = createLongText(stream);
        unseen.current = true;
        await show();
      })
      .catch((error: unknown) => {
        if (life.signal.aborted) return;
        const gone = error instanceof ApiError && error.status === 404;
        problem.value = gone ? sentences.value.documents.gone : (error as Error).message;
      });
    return () => life.abort();
  }, [docId, start, end]);

  const stretchShown = shown.value;
  useLayoutEffect(() => {
    if (!unseen.current || stretchShown === null) return;
    unseen.current = false;
    const target = host.current?.querySelector('.passage mark') ?? host.current?.querySelector('.passage');
    target?.scrollIntoView({ block: 'center' });
  }, [stretchShown]);

  const t = sentences.value;
  if (problem.value !== null) return <p class="problem">{problem.value}</p>;
  if (shown.value === null) return <p class="muted">{t.loading}</p>;
  const { text, start: from, more } = shown.value;
  const moved = words.map(([first, last]): MarkRange => [first - from, last - from]);
  return (
    <div ref={host} class="text-panel">
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
        {blocks(text).map((block) => (
          <p key={from + block.start} class={`block block-${block.kind}`}>
            <BlockText block={block} passage={passage === null ? null : [start - from, end - from]} words={moved} />
          </p>
        ))}
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

type BlockProps = { readonly block: TextBlock; readonly passage: MarkRange | null; readonly words: readonly MarkRange[] };

function BlockText({ block, passage, words }: BlockProps): VNode {
  const { text } = block;
  const [part] = passage === null ? [] : within([passage], block.start, block.start + text.length);
  if (part === undefined) return <>{text}</>;
  const [first, last] = part;
  return (
    <>
      {text.slice(0, first)}
      <mark class="passage">
        <MarkedText text={text.slice(first, last)} ranges={within(words, block.start + first, block.start + last)} />
      </mark>
      {text.slice(last)}
    </>
  );
}

type TextBlock = { readonly text: string; readonly start: number; readonly kind: 'heading' | 'table' | 'code' | 'plain' };

/** Cut at empty lines, outside fenced code. */
function blocks(text: string): readonly TextBlock[] {
  const found: TextBlock[] = [];
  let start = 0;
  let fenced = false;
  let at = 0;
  const push = (end: number): void => {
    const piece = text.slice(start, end);
    if (piece.trim() !== '') found.push({ text: piece, start, kind: kindOf(piece) });
  };
  for (const line of text.split('\n')) {
    if (line.startsWith('```')) fenced = !fenced;
    if (line.trim() === '' && !fenced) {
      push(Math.max(start, at - 1));
      start = at + line.length + 1;
    }
    at += line.length + 1;
  }
  push(text.length);
  return found;
}

function kindOf(block: string): TextBlock['kind'] {
  if (/^#{1,6} /.test(block)) return 'heading';
  if (block.startsWith('|')) return 'table';
  return block.startsWith('```') ? 'code' : 'plain';
}

/** The part of each range that lies in `[start, end)`, counted from `start`. */
function within(ranges: readonly MarkRange[], start: number, end: number): readonly MarkRange[] {
  return ranges
    .map(([from, to]): MarkRange => [Math.max(from, start) - start, Math.min(to, end) - start])
    .filter(([from, to]) => to > from);
}
