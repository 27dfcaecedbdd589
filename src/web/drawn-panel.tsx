/**
 * A page that browsers cannot draw (OFD, XPS), drawn from the places of its texts and lines, with the passage marked. What is drawn comes as numbers
 * and texts, never as markup. Of a document that was read before these were kept there is its text.
 */
import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { announce } from './announcer.ts';
import { getPageLook } from './api.ts';
import { PassageText } from './hit-viewer.tsx';
import { sentences } from './language.ts';
import { marksOn, type LookMark } from './look-marks.ts';
import type { KnownPassage } from './passage-link.ts';
import { ToolButton } from './tool-button.tsx';
import type { WireDocument, WirePageLook } from './wire.ts';
import './sheet.css';

/** Pages of one citation that are looked through. */
const citedPagesMax = 12;
/** Of the height of type, above the line on which it stands. */
const aboveLine = 0.85;

type Shown = { readonly page: number; readonly look: WirePageLook; readonly marks: readonly LookMark[] };

export function DrawnPanel({ document, passage }: { document: WireDocument; passage: KnownPassage }): VNode {
  const t = sentences.value.search;
  const shown = useSignal<Shown | 'loading' | 'unknown'>('loading');
  const zoom = useSignal(1);
  const body = useRef<HTMLDivElement>(null);
  const first = passage.page ?? 1;
  const last = Math.min(passage.pageEnd ?? first, first + citedPagesMax - 1);
  const wanted = useRef(0);

  const open = async (pages: readonly number[]): Promise<void> => {
    wanted.current += 1;
    const mine = wanted.current;
    let found: Shown | null = null;
    for (const page of pages) {
      const look = await getPageLook(document.doc_id, document.collection, page);
      if (mine !== wanted.current) return;
      const isCited = page >= first && page <= last;
      const next = look === null ? null : { page, look, marks: isCited ? marksOn(look, passage) : [] };
      if (found === null || (next?.marks.length ?? 0) > 0) found = next;
      if ((found?.marks.length ?? 0) > 0) break;
    }
    shown.value = found ?? 'unknown';
    if ((found?.marks.length ?? 0) > 0) announce(t.marked);
  };
  const show = (pages: readonly number[]): void => {
    open(pages).catch(() => {
      shown.value = 'unknown';
    });
  };
  useEffect(() => {
    show(Array.from({ length: last - first + 1 }, (_, index) => first + index));
    return () => {
      wanted.current += 1;
    };
  }, [document.task_id, passage]);

  const now = shown.value;
  const place = typeof now === 'string' ? '' : String(now.page);
  useEffect(() => {
    body.current?.querySelector('.mark-word, .mark-passage')?.scrollIntoView({ block: 'center', inline: 'nearest' });
  }, [place, passage]);

  if (now === 'loading') return <p class="muted">{sentences.value.loading}</p>;
  if (now === 'unknown')
    return (
      <div class="viewer-body" tabIndex={0} role="group" aria-labelledby="viewer-title">
        <PassageText passage={passage} mediaType={document.media_type} />
      </div>
    );
  const pages = document.pages ?? 1;
  const label = t.pageOf(place, String(pages));
  return (
    <>
      <div class="viewer-tools">
        <ToolButton icon="previous" name={t.previousPage} disabled={now.page <= 1} onClick={() => show([now.page - 1])} />
        <span class="page-number">{label}</span>
        <ToolButton icon="next" name={t.nextPage} disabled={now.page >= pages} onClick={() => show([now.page + 1])} />
        <span class="spacer" />
        <ToolButton icon="minus" name={t.smaller} disabled={zoom.value <= 0.5} onClick={() => (zoom.value /= 1.25)} />
        <ToolButton icon="plus" name={t.larger} disabled={zoom.value >= 3} onClick={() => (zoom.value *= 1.25)} />
      </div>
      {now.marks.length === 0 && now.page >= first && now.page <= last ? <p class="muted small">{t.unmarked}</p> : null}
      <div ref={body} class="viewer-body pages" tabIndex={0} role="group" aria-label={label}>
        <div class="sheet" style={{ width: `${zoom.value * 100}%` }}>
          <Drawing look={now.look} />
          <div class="marks">
            {now.marks.map(({ kind, left, top, width, height }, index) => (
              <div
                key={index}
                class={`mark-${kind}`}
                style={{ left: share(left), top: share(top), width: share(width), height: share(height) }}
              />
            ))}
          </div>
        </div>
      </div>
    </>
  );
}

function share(part: number): string {
  return `${part * 100}%`;
}

function Drawing({ look: { width, height, texts, lines } }: { look: WirePageLook }): VNode {
  return (
    <svg viewBox={`0 0 ${width} ${height}`}>
      <path d={lines.map(([x1 = 0, y1 = 0, x2 = 0, y2 = 0]) => `M${x1} ${y1}L${x2} ${y2}`).join('')} />
      {texts.map(({ text, box: [left = 0, top = 0, right = 0, bottom = 0] }, index) => (
        <text
          key={index}
          x={left}
          y={top + (bottom - top) * aboveLine}
          font-size={Math.max(0.1, bottom - top)}
          textLength={Math.max(0.1, right - left)}
          lengthAdjust="spacingAndGlyphs"
        >
          {text}
        </text>
      ))}
    </svg>
  );
}
