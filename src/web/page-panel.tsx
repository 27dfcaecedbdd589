/** A PDF's page with the passage marked, with zoom, turning and small pictures of all pages; the text where pdf.js cannot read the file. */
import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { announce } from './announcer.ts';
import { getPageLook, originalUrl } from './api.ts';
import { PassageText } from './hit-viewer.tsx';
import { sentences } from './language.ts';
import { drawMarks, marksOn } from './look-marks.ts';
import type { KnownPassage } from './passage-link.ts';
import { openPdf, type PdfView } from './pdf-view.ts';
import { Thumbnails } from './thumbnails.tsx';
import { ToolButton } from './tool-button.tsx';
import './sheet.css';
import './pdf-page.css';

export function PagePanel({ passage }: { passage: KnownPassage }): VNode {
  const t = sentences.value.search;
  const host = useRef<HTMLDivElement>(null);
  const body = useRef<HTMLDivElement>(null);
  const view = useSignal<PdfView | null>(null);
  /** Null until it is known which of the cited pages has the words. */
  const page = useSignal<number | null>(null);
  const zoom = useSignal(1);
  const turned = useSignal(0);
  const withThumbnails = useSignal(false);
  const state = useSignal<'loading' | 'marked' | 'unmarked' | 'failed'>('loading');
  const first = passage.page ?? 1;
  const last = passage.pageEnd ?? first;

  useEffect(() => {
    let wanted = true;
    view.value = null;
    state.value = 'loading';
    turned.value = 0;
    openPdf(originalUrl(passage.docId, passage.collection)).then(
      (opened) => {
        if (wanted) view.value = opened;
        else opened.close();
      },
      () => {
        state.value = 'failed';
      },
    );
    return () => {
      wanted = false;
      view.value?.close();
    };
  }, [passage.docId, passage.collection]);

  const pdf = view.value;
  useEffect(() => {
    let wanted = true;
    page.value = null;
    pdf?.pageOf(passage, first, last).then(
      (number) => {
        if (wanted) page.value = number;
      },
      () => {
        state.value = 'failed';
      },
    );
    return () => {
      wanted = false;
    };
  }, [pdf, passage]);

  const shownPage = page.value;
  const shownZoom = zoom.value;
  const rotation = turned.value;
  const isNarrow = withThumbnails.value;
  useEffect(() => {
    if (pdf === null || shownPage === null || host.current === null || body.current === null) return undefined;
    const frame = host.current;
    const draw = async (): Promise<void> => {
      const widthPx = Math.max(240, (body.current?.clientWidth ?? 600) - 32) * shownZoom;
      const isHere = shownPage >= first && shownPage <= last;
      const shown = await pdf.show(frame, { number: shownPage, widthPx, rotation, passage: isHere ? passage : null });
      if (shown === null) return;
      const firstMark = shown.firstMark ?? (isHere && rotation === 0 ? await markScan(frame, passage, shownPage) : null);
      state.value = firstMark === null ? 'unmarked' : 'marked';
      if (isHere) announce(firstMark === null ? sentences.value.search.unmarked : sentences.value.search.marked);
      firstMark?.scrollIntoView({ block: 'center', inline: 'nearest' });
    };
    const redraw = (): void => {
      draw().catch(() => {
        state.value = 'failed';
      });
    };
    redraw();
    let width = body.current.clientWidth;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const observer = new ResizeObserver(() => {
      if (body.current === null || body.current.clientWidth === width) return;
      width = body.current.clientWidth;
      clearTimeout(timer);
      timer = setTimeout(redraw, 150);
    });
    observer.observe(body.current);
    return () => {
      clearTimeout(timer);
      observer.disconnect();
    };
  }, [pdf, shownPage, shownZoom, rotation, isNarrow, passage]);

  if (state.value === 'failed') {
    return (
      <div class="viewer-body" tabIndex={0} role="group" aria-labelledby="viewer-title">
        <p class="problem">{t.pdfFailed}</p>
        <PassageText passage={passage} />
      </div>
    );
  }
  const pageCount = pdf?.pageCount ?? 1;
  const current = shownPage ?? first;
  const isCited = current >= first && current <= last;
  return (
    <>
      <div class="viewer-tools">
        <ToolButton icon="previous" name={t.previousPage} disabled={current <= 1} onClick={() => (page.value = current - 1)} />
        <span class="page-number">{t.pageOf(String(current), String(pageCount))}</span>
        <ToolButton icon="next" name={t.nextPage} disabled={current >= pageCount} onClick={() => (page.value = current + 1)} />
        <span class="spacer" />
        <ToolButton icon="minus" name={t.smaller} disabled={shownZoom <= 0.5} onClick={() => (zoom.value = shownZoom / 1.25)} />
        <ToolButton icon="plus" name={t.larger} disabled={shownZoom >= 3} onClick={() => (zoom.value = shownZoom * 1.25)} />
        <ToolButton icon="turn" name={t.turn} onClick={() => (turned.value = (rotation + 90) % 360)} />
        {pageCount < 2 ? null : (
          <button
            type="button"
            class="quiet"
            aria-pressed={withThumbnails.value}
            onClick={() => (withThumbnails.value = !withThumbnails.value)}
          >
            {t.allPages}
          </button>
        )}
      </div>
      {state.value === 'unmarked' && isCited ? <p class="muted small">{t.unmarked}</p> : null}
      <div class="viewer-columns">
        {pdf === null || !withThumbnails.value ? null : (
          <Thumbnails pdf={pdf} current={current} onPick={(number) => (page.value = number)} />
        )}
        <div
          ref={body}
          class="viewer-body pages"
          tabIndex={0}
          role="group"
          aria-label={t.pageOf(String(current), String(pageCount))}
        >
          {state.value === 'loading' ? <p class="muted">{sentences.value.loading}</p> : null}
          <div ref={host} class={`sheet-host is-${state.value}`} />
        </div>
      </div>
    </>
  );
}

/** A scanned page has no text of its own: the passage is marked where its words were seen. Null where that is not known, or not on this page. */
async function markScan(host: HTMLElement, passage: KnownPassage, page: number): Promise<HTMLElement | null> {
  const sheet = host.firstElementChild;
  const look = await getPageLook(passage.docId, passage.collection, page).catch(() => null);
  const marks = look === null ? null : drawMarks(marksOn(look, passage));
  // Another page may have been drawn meanwhile.
  if (marks === null || sheet === null || sheet !== host.firstElementChild) return null;
  sheet.append(marks);
  return marks.firstElementChild instanceof HTMLElement ? marks.firstElementChild : null;
}
