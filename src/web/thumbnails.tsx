/** Small pictures of a PDF's pages, each drawn when it comes into sight. */
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { sentences } from './language.ts';
import type { PdfView } from './pdf-view.ts';

type Props = { readonly pdf: PdfView; readonly current: number; readonly onPick: (page: number) => void };

const widthPx = 96;
/** Pages that have a picture; of a longer document these are around the page that is open. */
const pagesMax = 400;

export function Thumbnails({ pdf, current, onPick }: Props): VNode {
  const start = Math.max(1, Math.min(current - pagesMax / 2, pdf.pageCount - pagesMax + 1));
  const pages = Array.from({ length: Math.min(pagesMax, pdf.pageCount) }, (_, index) => start + index);
  return (
    <ol class="thumbnails" aria-label={sentences.value.search.allPages}>
      {pages.map((page) => (
        <li key={page}>
          <Thumbnail pdf={pdf} page={page} isCurrent={page === current} onPick={onPick} />
        </li>
      ))}
    </ol>
  );
}

function Thumbnail({
  pdf,
  page,
  isCurrent,
  onPick,
}: {
  pdf: PdfView;
  page: number;
  isCurrent: boolean;
  onPick: Props['onPick'];
}): VNode {
  const frame = useRef<HTMLButtonElement>(null);
  const picture = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const element = frame.current;
    if (element === null) return undefined;
    const observer = new IntersectionObserver(([entry]) => {
      if (entry?.isIntersecting !== true) return;
      observer.disconnect();
      pdf.thumbnail(page, widthPx).then(
        (canvas) => picture.current?.replaceChildren(canvas),
        () => undefined,
      );
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [pdf, page]);
  useEffect(() => {
    if (isCurrent) frame.current?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [isCurrent]);
  return (
    <button
      ref={frame}
      type="button"
      class="quiet thumbnail"
      aria-current={isCurrent ? 'page' : undefined}
      onClick={() => onPick(page)}
    >
      <span ref={picture} class="thumbnail-picture" aria-hidden="true" />
      <span>{sentences.value.search.page(String(page))}</span>
    </button>
  );
}
