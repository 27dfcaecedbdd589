/** One passage where it stands: on its page, when the document is a PDF, or in the parsed text. pdf.js is loaded here, when first needed. */
import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { announce } from './announcer.ts';
import { getDocument, originalUrl } from './api.ts';
import { Icon } from './icons.tsx';
import { sentences } from './language.ts';
import type { MarkRange } from './marked-text.tsx';
import type { Passage, PdfView } from './pdf-view.ts';
import { TextPanel } from './text-panel.tsx';
import type { WireHit } from './wire.ts';

type Props = { readonly hit: WireHit; readonly onClose: () => void };

export function HitViewer({ hit, onClose }: Props): VNode {
  const t = sentences.value.search;
  const { citation } = hit;
  const asText = useSignal(false);
  const isPdf = useSignal<boolean | null>(null);
  const heading = useRef<HTMLHeadingElement>(null);

  useEffect(() => {
    asText.value = false;
    isPdf.value = null;
    heading.current?.focus({ preventScroll: true });
    let wanted = true;
    getDocument(citation.doc_id).then(
      (document) => {
        if (wanted) isPdf.value = document?.media_type === 'application/pdf' && citation.page !== null;
      },
      () => {
        if (wanted) isPdf.value = false;
      },
    );
    return () => {
      wanted = false;
    };
  }, [citation.chunk_id]);

  return (
    <section
      class="viewer card"
      aria-labelledby="viewer-title"
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.preventDefault();
        onClose();
      }}
    >
      <div class="viewer-head">
        <h2 id="viewer-title" ref={heading} tabIndex={-1} aria-label={t.viewer(citation.filename)}>
          <bdi>{citation.filename}</bdi>
        </h2>
        {isPdf.value === true ? (
          <button
            type="button"
            class="quiet"
            onClick={() => {
              asText.value = !asText.value;
            }}
          >
            {asText.value ? t.showPage : t.showText}
          </button>
        ) : null}
        <a
          class="button quiet icon-only"
          href={originalUrl(citation.doc_id)}
          download={citation.filename}
          aria-label={sentences.value.documents.original}
          title={sentences.value.documents.original}
        >
          <Icon name="download" />
        </a>
        <button
          type="button"
          class="quiet icon-only"
          aria-label={sentences.value.close}
          title={`${sentences.value.close} (Esc)`}
          onClick={onClose}
        >
          <Icon name="close" />
        </button>
      </div>
      {isPdf.value === null ? (
        <p class="muted">{sentences.value.loading}</p>
      ) : isPdf.value && !asText.value ? (
        <PagePanel hit={hit} />
      ) : (
        <div class="viewer-body" tabIndex={0} role="group" aria-labelledby="viewer-title">
          <HitText hit={hit} />
        </div>
      )}
    </section>
  );
}

/** A PDF's page with the passage marked; the text where pdf.js cannot read the file. */
function PagePanel({ hit }: { hit: WireHit }): VNode {
  const t = sentences.value.search;
  const { citation } = hit;
  const host = useRef<HTMLDivElement>(null);
  const body = useRef<HTMLDivElement>(null);
  const view = useSignal<PdfView | null>(null);
  /** Null until it is known which of the cited pages has the words. */
  const page = useSignal<number | null>(null);
  const zoom = useSignal(1);
  const state = useSignal<'loading' | 'marked' | 'unmarked' | 'failed'>('loading');

  useEffect(() => {
    let wanted = true;
    view.value = null;
    state.value = 'loading';
    import('./pdf-view.ts')
      .then(({ openPdf }) => openPdf(originalUrl(citation.doc_id)))
      .then(
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
  }, [citation.doc_id]);

  const pdf = view.value;
  useEffect(() => {
    let wanted = true;
    page.value = null;
    const first = citation.page ?? 1;
    pdf?.pageOf(passageOf(hit), first, citation.page_end ?? first).then(
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
  }, [pdf, citation.chunk_id]);

  const shownPage = page.value;
  const shownZoom = zoom.value;
  useEffect(() => {
    if (pdf === null || shownPage === null || host.current === null || body.current === null) return undefined;
    const frame = host.current;
    const draw = async (): Promise<void> => {
      const widthPx = Math.max(240, (body.current?.clientWidth ?? 600) - 32) * shownZoom;
      const last = citation.page_end ?? citation.page ?? 1;
      const isHere = shownPage >= (citation.page ?? 1) && shownPage <= last;
      const passage = isHere ? passageOf(hit) : null;
      const shown = await pdf.show(frame, { number: shownPage, widthPx, passage });
      if (shown === null) return;
      state.value = shown.marks > 0 ? 'marked' : 'unmarked';
      if (isHere) announce(shown.marks > 0 ? sentences.value.search.marked : sentences.value.search.unmarked);
      shown.firstMark?.scrollIntoView({ block: 'center', inline: 'nearest' });
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
  }, [pdf, shownPage, shownZoom, citation.chunk_id]);

  if (state.value === 'failed') {
    return (
      <div class="viewer-body" tabIndex={0} role="group" aria-labelledby="viewer-title">
        <p class="problem">{t.pdfFailed}</p>
        <HitText hit={hit} />
      </div>
    );
  }
  const pageCount = pdf?.pageCount ?? 1;
  const current = shownPage ?? citation.page ?? 1;
  const isCited = current >= (citation.page ?? 1) && current <= (citation.page_end ?? citation.page ?? 1);
  return (
    <>
      <div class="viewer-tools">
        <ToolButton icon="previous" name={t.previousPage} disabled={current <= 1} onClick={() => (page.value = current - 1)} />
        <span class="page-number">{t.pageOf(String(current), String(pageCount))}</span>
        <ToolButton icon="next" name={t.nextPage} disabled={current >= pageCount} onClick={() => (page.value = current + 1)} />
        <span class="spacer" />
        <ToolButton icon="minus" name={t.smaller} disabled={shownZoom <= 0.5} onClick={() => (zoom.value = shownZoom / 1.25)} />
        <ToolButton icon="plus" name={t.larger} disabled={shownZoom >= 3} onClick={() => (zoom.value = shownZoom * 1.25)} />
      </div>
      {state.value === 'unmarked' && isCited ? <p class="muted small">{t.unmarked}</p> : null}
      <div ref={body} class="viewer-body pages" tabIndex={0} role="group" aria-label={t.pageOf(String(current), String(pageCount))}>
        {state.value === 'loading' ? <p class="muted">{sentences.value.loading}</p> : null}
        <div ref={host} class={`sheet-host is-${state.value}`} />
      </div>
    </>
  );
}

function HitText({ hit }: { hit: WireHit }): VNode {
  const { doc_id: docId, char_start: start, char_end: end } = hit.citation;
  const words = hit.highlights.map(([from = 0, to = 0]): MarkRange => [start + from, start + to]);
  return <TextPanel docId={docId} passage={[start, end]} words={words} />;
}

function passageOf(hit: WireHit): Passage {
  return { text: hit.text, highlights: hit.highlights as [number, number][] };
}

type ToolProps = {
  readonly icon: 'previous' | 'next' | 'minus' | 'plus';
  readonly name: string;
  readonly disabled: boolean;
  readonly onClick: () => void;
};

/** Keeps its focus when it can go no further, unlike a disabled button. */
function ToolButton({ icon, name, disabled, onClick }: ToolProps): VNode {
  return (
    <button
      type="button"
      class="quiet icon-only"
      aria-label={name}
      title={name}
      aria-disabled={disabled}
      onClick={() => {
        if (!disabled) onClick();
      }}
    >
      <Icon name={icon} />
    </button>
  );
}
