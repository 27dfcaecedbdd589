/** Areas of a page that lead somewhere, and what of its text lies in them. */
import type { View } from '../page-view.ts';

/** A place that leads to an address, in points as the page is seen. */
export type LinkArea = {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly target: string;
};

/** The area around points that are given as x, y, x, y … in user space. */
export function areaOf(points: readonly number[], view: View, target: string): LinkArea {
  const area = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  for (let at = 0; at + 1 < points.length; at += 2) {
    const [x, y] = [view.x(points[at]!, points[at + 1]!), view.y(points[at]!, points[at + 1]!)];
    area.left = Math.min(area.left, x);
    area.right = Math.max(area.right, x);
    area.top = Math.min(area.top, y);
    area.bottom = Math.max(area.bottom, y);
  }
  return { ...area, target };
}

/** Annotations of one page that are looked at. */
export const annotationsMax = 5000;
/** Of one page; more are left out. */
export const linkAreasMax = 1000;
/** Lines of one link. */
export const linesMax = 100;

/** The last area that holds the point, as they lie one upon the other; `known` is asked first, as neighbours mostly share it. */
export function areaAt(areas: readonly LinkArea[], x: number, y: number, known: LinkArea | undefined): LinkArea | undefined {
  if (known !== undefined && holds(known, x, y)) return known;
  return areas.findLast((area) => holds(area, x, y));
}

function holds({ left, top, right, bottom }: LinkArea, x: number, y: number): boolean {
  return x >= left && x <= right && y >= top && y <= bottom;
}

/** A stretch of a text that lies in an area. */
export type Stretch = { readonly start: number; readonly end: number; readonly target: string };

/** Text that leads somewhere, with what stands beside it in its line. */
export type PageLink = { readonly text: string; readonly before: string; readonly after: string; readonly target: string };

const besideCharacters = 30;

/** What of a text of one line leads somewhere, without the white space around it. */
export function linksOf(text: string, stretches: readonly Stretch[]): PageLink[] {
  return stretches.flatMap(({ start, end, target }) => {
    const label = text.slice(start, end).trim();
    const at = text.indexOf(label, start);
    const last = at + label.length;
    const before = text.slice(Math.max(0, at - besideCharacters), at);
    return label === '' ? [] : [{ text: label, before, after: text.slice(last, last + besideCharacters), target }];
  });
}

/** A stretch of a block's text, or of a cell of it. */
export type BlockLink = Stretch & { readonly row: number; readonly column: number };
