/**
 * One passage where it stands: on its page, when the document is a PDF or an OFD, in the picture's place when it is one, or in the parsed text;
 * and the way to the other passages that the same question finds in this document. Readers are loaded when they are first needed.
 */
import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { getDocument, openContent, originalUrl, search } from './api.ts';
import { copyText } from './clipboard.ts';
import { Icon } from './icons.tsx';
import { sentences } from './language.ts';
import { lazily } from './lazy.tsx';
import { createLongText } from './long-text.ts';
import type { MarkRange } from './marked-text.tsx';
import { keyOf, pageText, passageOf, permanentLink, toParameters, type KnownPassage, type PassageRef } from './passage-link.ts';
import { sentenceOf } from './problem-words.ts';
import { keep, knownPassage } from './results.ts';
import { goTo, route } from './route.ts';
import { contentsOf, hasTextPages, isDrawn, TextPanel } from './text-panel.tsx';
import { ToolButton } from './tool-button.tsx';
import type { WireDocument } from './wire.ts';

type Props = {
  readonly passage: PassageRef;
  /** What is being asked, to find the other passages of the document; '' for nothing. */
  readonly query: string;
  readonly onClose: () => void;
};

const PagePanel = lazily(async () => (await import('./page-panel.tsx')).PagePanel);
const DrawnPanel = lazily(async () => (await import('./drawn-panel.tsx')).DrawnPanel);
const PicturePanel = lazily(async () => (await import('./picture-panel.tsx')).PicturePanel);

type Opened = { readonly document: WireDocument; readonly passage: KnownPassage };

export function HitViewer({ passage, query, onClose }: Props): VNode {
  const t = sentences.value.search;
  const key = keyOf(passage);
  const asText = useSignal(false);
  const opened = useSignal<Opened | null>(null);
  const problem = useSignal<string | null>(null);
  const heading = useRef<HTMLHeadingElement>(null);

  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
    const life = new AbortController();
    problem.value = null;
    openPassage(passage, life.signal).then(
      (found) => {
        if (life.signal.aborted) return;
        if (found === null) problem.value = sentences.value.documents.gone;
        else opened.value = found;
      },
      (error: unknown) => {
        if (!life.signal.aborted) problem.value = sentenceOf(error);
      },
    );
    return () => life.abort();
  }, [key]);

  // The document that is open stays on the page until the next one is there.
  const shown = opened.value;
  const isShown = shown !== null && isOneDocument(shown.passage, passage);
  const filename = isShown ? shown.document.filename : (knownPassage(key)?.filename ?? passage.docId);
  const pageType = isShown && shown.passage.page !== null ? shown.document.media_type : '';
  const hasPages = pageType === 'application/pdf' || isDrawn(pageType);
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
        <h2 id="viewer-title" ref={heading} tabIndex={-1} aria-label={t.viewer(filename)}>
          <bdi>{filename}</bdi>
        </h2>
        {hasPages ? (
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
        {isShown ? <ToolButton icon="quote" name={t.copyCitation} onClick={() => void copyText(citationOf(shown))} /> : null}
        <a
          class="button quiet icon-only"
          href={originalUrl(passage.docId, passage.collection)}
          download={filename}
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
      <OtherHits passage={passage} query={query} />
      {problem.value !== null ? (
        <p class="problem">{problem.value}</p>
      ) : !isShown ? (
        <p class="muted">{sentences.value.loading}</p>
      ) : pageType === 'application/pdf' && !asText.value ? (
        <PagePanel.View passage={shown.passage} />
      ) : isDrawn(pageType) && !asText.value ? (
        <DrawnPanel.View document={shown.document} passage={shown.passage} />
      ) : (
        <div class="viewer-body" tabIndex={0} role="group" aria-labelledby="viewer-title">
          {shown.document.media_type.startsWith('image/') ? (
            <PicturePanel.View document={shown.document} passage={shown.passage} />
          ) : null}
          <PassageText passage={shown.passage} mediaType={shown.document.media_type} />
        </div>
      )}
    </section>
  );
}

/** The parsed text around a passage. */
export function PassageText({ passage, mediaType = '' }: { passage: KnownPassage; mediaType?: string }): VNode {
  const { docId, collection, start, end } = passage;
  const words = passage.highlights.map(([from, to]): MarkRange => [start + from, start + to]);
  return (
    <TextPanel
      docId={docId}
      collection={collection}
      passage={[start, end]}
      words={words}
      headingLevel={3}
      withPages={hasTextPages(mediaType)}
      contents={contentsOf(mediaType)}
    />
  );
}

function isOneDocument(one: PassageRef, other: PassageRef): boolean {
  return one.docId === other.docId && one.collection === other.collection;
}

/** What a search of this page has found is known; of a link the text is read. Null when the document is not there. */
async function openPassage(ref: PassageRef, signal: AbortSignal): Promise<Opened | null> {
  const document = await getDocument(ref.docId, ref.collection);
  if (document === null || signal.aborted) return null;
  const known = knownPassage(keyOf(ref));
  if (known !== undefined) return { document, passage: known };
  const content = createLongText(await openContent(ref.docId, ref.collection, signal));
  await content.readUpTo(ref.end);
  const text = content.text.slice(ref.start, ref.end);
  return { document, passage: { ...ref, filename: document.filename, text, highlights: [], section: [] } };
}

/** Previous and next of the passages that the question finds in the document, in the order in which they stand there. */
function OtherHits({ passage, query }: { passage: PassageRef; query: string }): VNode | null {
  const t = sentences.value.search;
  const inOrder = useSignal<readonly KnownPassage[]>([]);
  useEffect(() => {
    inOrder.value = [];
    if (query.trim() === '') return undefined;
    const life = new AbortController();
    const all = {
      query,
      where: passage.collection,
      docId: passage.docId,
      topK: 100,
      offset: 0,
      mediaType: null,
      insertedAfter: null,
      filters: null,
    };
    search(all, life.signal).then(
      ({ hits }) => {
        keep(hits);
        inOrder.value = hits.map(passageOf).sort((a, b) => a.start - b.start);
      },
      () => undefined,
    );
    return () => life.abort();
  }, [passage.docId, passage.collection, query]);

  const at = inOrder.value.findIndex((each) => keyOf(each) === keyOf(passage));
  if (inOrder.value.length < 2) return null;
  const step = (by: number): void => {
    const next = inOrder.value[at === -1 ? inOrder.value.findIndex((each) => each.start >= passage.start) : at + by];
    if (next !== undefined) goTo('search', { ...route.value.parameters, of: null, p: null, ...toParameters(next) });
  };
  return (
    <div class="viewer-tools" role="group" aria-label={t.inThisDocument}>
      <ToolButton icon="previous" name={t.previousHit} disabled={at === 0} onClick={() => step(-1)} />
      <span class="page-number">{t.hitOf(at === -1 ? '–' : String(at + 1), String(inOrder.value.length))}</span>
      <ToolButton icon="next" name={t.nextHit} disabled={at === inOrder.value.length - 1} onClick={() => step(1)} />
    </div>
  );
}

/** Text, file, page and link, as they go into a report. */
function citationOf({ document, passage }: Opened): string {
  const t = sentences.value.search;
  const place = [
    document.filename,
    passage.page === null ? null : t.page(pageText(passage.page, passage.pageEnd)),
    passage.section.length === 0 ? null : passage.section.join(' › '),
  ].filter((part) => part !== null);
  return `“${passage.text.trim()}”\n— ${place.join(', ')}\n${permanentLink(passage)}`;
}
