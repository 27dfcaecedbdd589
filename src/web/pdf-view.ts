/**
 * One page of a PDF with a passage marked on it. This file, and pdf.js with it, is loaded only when a PDF is opened; its worker,
 * character maps and fonts come from our own origin, and nothing in it needs eval or WebAssembly.
 */
import { getDocument, GlobalWorkerOptions, TextLayer, type PDFPageProxy } from 'pdfjs-dist';
// Vite makes an address of it.
// oxlint-disable-next-line import/default
import workerUrl from 'pdfjs-dist/build/pdf.worker.min.mjs?url';
import { locatePassage, type Span } from './passage.ts';

export type Passage = { readonly text: string; readonly highlights: readonly (readonly [number, number])[] };

export type ShownPage = {
  /** Marks drawn; 0 when the passage was not found on this page. */
  readonly marks: number;
  /** The first of them, to scroll to. */
  readonly firstMark: HTMLElement | null;
};

type Shown = {
  readonly number: number;
  readonly widthPx: number;
  /** Degrees clockwise, a multiple of 90, beside what the file says. */
  readonly rotation: number;
  readonly passage: Passage | null;
};

export interface PdfView {
  readonly pageCount: number;
  /** Of the cited pages the one that has the words looked for, or else most of the passage. */
  pageOf(passage: Passage, first: number, last: number): Promise<number>;
  /** Draws page `number` (from 1) `widthPx` wide into `host`, replacing what was there. A later call overtakes an earlier one (then null). */
  show(host: HTMLElement, page: Shown): Promise<ShownPage | null>;
  /** A small picture of a page. */
  thumbnail(number: number, widthPx: number): Promise<HTMLCanvasElement>;
  close(): void;
}

/** Pages of one citation that are looked through. */
const citedPagesMax = 12;
/** Largest canvas, in pixels: beyond it the page is drawn coarser. */
const canvasPixelsMax = 16_000_000;

GlobalWorkerOptions.workerSrc = workerUrl;

/** @throws whatever pdf.js says of a file that it cannot read. */
export async function openPdf(url: string): Promise<PdfView> {
  const assets = (folder: string): string => new URL(`assets/pdfjs-${folder}/`, document.baseURI).href;
  const loading = getDocument({
    url,
    cMapUrl: assets('cmaps'),
    cMapPacked: true,
    standardFontDataUrl: assets('standard_fonts'),
    wasmUrl: assets('wasm'),
    useWasm: false,
    disableAutoFetch: true,
    enableXfa: false,
  });
  const pdf = await loading.promise;
  let latest = 0;
  return {
    pageCount: pdf.numPages,
    async pageOf(passage, first, last) {
      let best = { number: first, score: 0 };
      for (let number = first; number <= Math.min(last, first + citedPagesMax - 1, pdf.numPages); number += 1) {
        const { items } = await (await pdf.getPage(number)).getTextContent();
        const texts = items.map((item) => ('str' in item ? item.str : ''));
        const located = locatePassage(texts, passage.text, passage.highlights);
        const score = located.words.length * 1000 + located.passage.length;
        if (score > best.score) best = { number, score };
      }
      return best.number;
    },
    async show(host, { number, widthPx, rotation, passage }) {
      latest += 1;
      const mine = latest;
      const page = await pdf.getPage(Math.min(Math.max(1, number), pdf.numPages));
      const sheet = await drawPage(page, { widthPx, rotation }, () => mine === latest);
      if (sheet === null) return null;
      host.replaceChildren(sheet.element);
      return passage === null ? { marks: 0, firstMark: null } : markPassage(sheet, passage);
    },
    async thumbnail(number, widthPx) {
      const page = await pdf.getPage(number);
      const viewport = page.getViewport({ scale: widthPx / page.getViewport({ scale: 1 }).width });
      const canvas = document.createElement('canvas');
      canvas.width = Math.floor(viewport.width);
      canvas.height = Math.floor(viewport.height);
      await page.render({ canvas, viewport }).promise;
      return canvas;
    },
    close() {
      latest += 1;
      void loading.destroy();
    },
  };
}

type Sheet = { readonly element: HTMLElement; readonly texts: readonly HTMLElement[] };

async function drawPage(
  page: PDFPageProxy,
  { widthPx, rotation: turned }: { widthPx: number; rotation: number },
  isWanted: () => boolean,
): Promise<Sheet | null> {
  const rotation = (page.rotate + turned) % 360;
  const plain = page.getViewport({ scale: 1, rotation });
  const viewport = page.getViewport({ scale: widthPx / plain.width, rotation });
  const fine = Math.min(window.devicePixelRatio || 1, 2, Math.sqrt(canvasPixelsMax / (viewport.width * viewport.height)));
  const canvas = document.createElement('canvas');
  canvas.width = Math.floor(viewport.width * fine);
  canvas.height = Math.floor(viewport.height * fine);
  canvas.setAttribute('aria-hidden', 'true');
  const element = document.createElement('div');
  element.className = 'sheet';
  element.style.width = `${viewport.width}px`;
  element.style.height = `${viewport.height}px`;
  element.style.setProperty('--total-scale-factor', String(viewport.scale));
  const textHost = document.createElement('div');
  textHost.className = 'textLayer';
  element.append(canvas, textHost);
  await page.render({ canvas, viewport, ...(fine === 1 ? {} : { transform: [fine, 0, 0, fine, 0, 0] }) }).promise;
  if (!isWanted()) return null;
  const layer = new TextLayer({ textContentSource: await page.getTextContent(), container: textHost, viewport });
  await layer.render();
  return isWanted() ? { element, texts: layer.textDivs } : null;
}

function markPassage(sheet: Sheet, passage: Passage): ShownPage {
  const items = sheet.texts.map((text) => text.textContent ?? '');
  const located = locatePassage(items, passage.text, passage.highlights);
  const marks = document.createElement('div');
  marks.className = 'marks';
  const frame = sheet.element.getBoundingClientRect();
  const drawn = [
    ...located.passage.flatMap((span) => drawMark(sheet, span, frame, 'mark-passage')),
    ...located.words.flatMap((span) => drawMark(sheet, span, frame, 'mark-word')),
  ];
  marks.append(...drawn);
  sheet.element.insertBefore(marks, sheet.element.lastElementChild);
  return { marks: drawn.length, firstMark: drawn[0] ?? null };
}

function drawMark(sheet: Sheet, span: Span, frame: DOMRect, className: string): readonly HTMLElement[] {
  const node = sheet.texts[span.item]?.firstChild;
  if (!(node instanceof Text)) return [];
  const range = document.createRange();
  range.setStart(node, span.start);
  range.setEnd(node, Math.min(span.end, node.length));
  return [...range.getClientRects()].map((box) => {
    const mark = document.createElement('div');
    mark.className = className;
    mark.style.left = `${((box.left - frame.left) / frame.width) * 100}%`;
    mark.style.top = `${((box.top - frame.top) / frame.height) * 100}%`;
    mark.style.width = `${(box.width / frame.width) * 100}%`;
    mark.style.height = `${(box.height / frame.height) * 100}%`;
    return mark;
  });
}
