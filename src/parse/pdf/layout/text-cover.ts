/** Where on a page there is text: cells that its glyphs touch. Says of a picture whether it has text over it, and of a word seen in one whether it is there already. */
import type { View } from '../page-view.ts';

/** As seen, in points. */
export type SeenBox = { readonly left: number; readonly top: number; readonly right: number; readonly bottom: number };

/** What OCR reads beside text: large pictures, or pages as a whole. */
export type Seeing = 'parts' | 'pages';

export type TextCover = {
  /** Of the page, in points. */
  readonly width: number;
  readonly height: number;
  add(left: number, top: number, right: number, bottom: number): void;
  /** Share of a box that has text, 0–1. Linear in its cells. */
  share(box: SeenBox): number;
};

const cellPoints = 3;
/** Of one page: those of larger ones are larger. */
const cellsMax = 250_000;

export function createTextCover({ width, height }: { readonly width: number; readonly height: number }): TextCover {
  const cell = Math.max(cellPoints, Math.sqrt((width * height) / cellsMax));
  const columns = Math.max(1, Math.ceil(width / cell));
  const rows = Math.max(1, Math.ceil(height / cell));
  const cells = new Uint8Array(columns * rows);
  const within = (place: number, count: number): number => Math.min(count - 1, Math.max(0, Math.floor(place / cell)));
  return {
    width,
    height,
    add(left, top, right, bottom) {
      const [first, last] = [within(left, columns), within(right, columns)];
      for (let row = within(top, rows); row <= within(bottom, rows); row++)
        cells.fill(1, row * columns + first, row * columns + last + 1);
    },
    share({ left, top, right, bottom }) {
      const [first, last] = [within(left, columns), within(right, columns)];
      let [covered, all] = [0, 0];
      for (let row = within(top, rows); row <= within(bottom, rows); row++) {
        for (let column = first; column <= last; column++) covered += cells[row * columns + column]!;
        all += last - first + 1;
      }
      return all === 0 ? 0 : covered / all;
    },
  };
}

/** The box around points in user space, x, y, x, y …, as seen, as far as it lies on the page. */
export function seenBox(points: readonly number[], view: View): SeenBox {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let at = 0; at + 1 < points.length; at += 2) {
    const [x, y] = [view.x(points[at]!, points[at + 1]!), view.y(points[at]!, points[at + 1]!)];
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
  }
  const within = (place: number, most: number): number => Math.min(most, Math.max(0, place));
  return {
    left: within(left, view.width),
    top: within(top, view.height),
    right: within(right, view.width),
    bottom: within(bottom, view.height),
  };
}

/** Of the page: smaller pictures are figures, logos and signatures. */
const largeShareMin = 0.2;
/** Of one page; a scan that is cut into more is read as a whole. */
export const largeMax = 20;

/** Keeps a picture that is large enough to be looked at; one more than are looked at, so that there were more can be told. */
export function addLarge<Part extends SeenBox>(
  parts: Part[],
  part: Part,
  page: { readonly width: number; readonly height: number },
): void {
  const area = (part.right - part.left) * (part.bottom - part.top);
  if (area >= largeShareMin * page.width * page.height && parts.length <= largeMax) parts.push(part);
}

/** Where text stands has to be known only where OCR reads beside it. */
export function coverFor(
  { seeing }: { readonly seeing?: Seeing },
  pictures: readonly SeenBox[],
  page: { readonly width: number; readonly height: number },
): TextCover | undefined {
  return seeing === 'pages' || (seeing === 'parts' && pictures.length > 0) ? createTextCover(page) : undefined;
}
