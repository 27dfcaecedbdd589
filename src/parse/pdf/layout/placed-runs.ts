/**
 * Pages of formats that say of each run of type where its characters stand (OFD, XPS): their glyphs and ruling lines for the layout that
 * PDFs use, and the same as a reader sees them, for who shows the page.
 */
import type { PlacedText } from '../../parser.ts';
import { apply, type Matrix } from '../matrix.ts';
import { type View, viewOf } from '../page-view.ts';
import type { FontLook } from './font-look.ts';
import type { LinkArea } from './link-areas.ts';
import type { TextCover } from './text-cover.ts';
import { createRuleFinder, type Pair } from './page-rules.ts';
import {
  baselineOf,
  createGlyphCollector,
  directionOf,
  type GlyphCollector,
  type PageBounds,
  type PageText,
  type Style,
  vertical,
} from './page-spans.ts';

/** A character, or the letters of a ligature, from the origin of its run, in the run's own space with y downwards. */
export type PlacedCharacter = {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  /** How far it goes along the line. */
  readonly advance: number;
};

export type PlacedRun = {
  /** From the run's own space into points from the lower left corner of the page. */
  readonly matrix: Matrix;
  /** Of the type, in the run's own space. */
  readonly size: number;
  readonly look: FontLook;
  /** Gone through once. */
  readonly characters: Iterable<PlacedCharacter>;
  /** Upright characters that go down the page. */
  readonly isDown: boolean;
};

/** How a page looks: where a reader sees its type and its lines, in millimetres from the upper left corner. */
export type PageMarks = { readonly texts: readonly PlacedText[]; readonly lines: readonly Pair[] };

export type DrawnPage<Run> = {
  readonly view: View;
  /** To be placed when the page is laid out. */
  addRun(run: Run): void;
  /** Straight pieces of a drawing, in points from the lower left corner. */
  addPath(segments: readonly Pair[], isStroked: boolean): void;
  /** @throws what `bounds.checkTime` throws */
  layOut(options: LayOutOptions<Run>): { readonly text: PageText; readonly marks: PageMarks };
};

export type LayOutOptions<Run> = {
  readonly place: (run: Run) => PlacedRun;
  readonly bounds: Pick<PageBounds, 'checkTime'> & {
    /** Runs of type and lines that are kept, together; none of a page that has more. */
    readonly marksMax: number;
  };
  readonly areas?: readonly LinkArea[];
  /** Is told where characters stand. */
  readonly cover?: TextCover | undefined;
};

export const pointsPerMillimetre = 72 / 25.4;
/** A gap between characters that is a blank, in sizes of type. */
const blankMin = 0.25;
/** Lines of one page that are drawn. */
const linesMax = 5000;
const charactersTimedEvery = 4096;

/** @param size of the page, in points */
export function createDrawnPage<Run>({ width, height }: { readonly width: number; readonly height: number }): DrawnPage<Run> {
  const view = viewOf({ left: 0, bottom: 0, right: width, top: height }, 0);
  const finder = createRuleFinder(view);
  const runs: Run[] = [];
  const lines: Pair[] = [];
  return {
    view,
    addRun: (run) => void runs.push(run),
    addPath(segments, isStroked) {
      const box = boxOf(segments);
      if (box === null) return;
      finder.addPath(box, () => (isStroked ? segments : []));
      for (const [x1, y1, x2, y2] of segments)
        if (lines.length < linesMax) lines.push([...seenFrom(height, x1, y1), ...seenFrom(height, x2, y2)]);
    },
    layOut({ place, bounds, areas = [], cover }) {
      const collector = createGlyphCollector(view, finder.rules, areas, cover);
      const pen: Pen = { x: Infinity, y: Infinity };
      const texts: PlacedText[] = [];
      let untimed = 0;
      const checkTime = (): void => {
        if (++untimed <= charactersTimedEvery) return;
        untimed = 0;
        bounds.checkTime();
      };
      for (const run of runs) {
        checkTime();
        const placed = place(run);
        const collect = collectorOf(placed, view, pen, collector);
        const pieces = createPieces(placed);
        // One by one: a run may be as long as a file.
        for (const character of placed.characters) {
          checkTime();
          const box = characterBox(placed, character);
          collect(character, box);
          if (texts.length + pieces.count + lines.length <= bounds.marksMax) pieces.add(character, box);
        }
        for (const mark of pieces.marks(height)) texts.push(mark);
      }
      const isTooMuch = texts.length + lines.length > bounds.marksMax;
      return {
        text: collector.finish([], { unmappedCount: 0, garbledCount: 0 }),
        marks: isTooMuch ? { texts: [], lines: [] } : { texts, lines },
      };
    },
  };
}

/** The box around pieces of a drawing; null where there are none. */
export function boxOf(segments: readonly Pair[]): Pair | null {
  if (segments.length === 0) return null;
  let [left, bottom, right, top] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x1, y1, x2, y2] of segments) {
    left = Math.min(left, x1, x2);
    right = Math.max(right, x1, x2);
    bottom = Math.min(bottom, y1, y2);
    top = Math.max(top, y1, y2);
  }
  return [left, bottom, right, top];
}

/** The box of a character in points. */
export function characterBox({ matrix, size }: Pick<PlacedRun, 'matrix' | 'size'>, { x, y, advance }: PlacedCharacter): Pair {
  const [x1, y1] = apply(matrix, x, y + size * 0.15);
  const [x2, y2] = apply(matrix, x + advance, y - size * 0.85);
  return [Math.min(x1, x2), Math.min(y1, y2), Math.max(x1, x2), Math.max(y1, y2)];
}

function around(one: Pair, other: Pair): Pair {
  return [Math.min(one[0], other[0]), Math.min(one[1], other[1]), Math.max(one[2], other[2]), Math.max(one[3], other[3])];
}

/** How wide a character of an unknown font is, of 1 for a full-width character. */
export function usualWidth(character: string): number {
  if (
    /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]|[\ud840-\ud8ff]/.test(character)
  )
    return 1;
  if (/[MWmw@%]/.test(character)) return 0.85;
  if (/[A-Z]/.test(character)) return 0.68;
  return /[ilj.,:;'|! ]/.test(character) ? 0.3 : 0.52;
}

/** Where the last glyph ended, in user space. */
type Pen = { x: number; y: number };

function collectorOf(run: PlacedRun, view: View, pen: Pen, into: GlyphCollector): (character: PlacedCharacter, box: Pair) => void {
  const { matrix, look, isDown } = run;
  const [a, b, c, d] = matrix;
  const scale = Math.hypot(c, d) || 1;
  const seenSize = bounded(run.size * scale);
  const direction = isDown ? vertical : directionOf(a, b, view.turns);
  const along = Math.hypot(a, b) || 1;
  let style: Style | null = null;
  let styleY = NaN;
  return ({ text, x, y, advance }, [left, bottom, right, top]) => {
    const [startX, startY] = apply(matrix, x, y);
    const isBlank = text.trim() === '' || text < ' ';
    const gap = ((startX - pen.x) * a + (startY - pen.y) * b) / along;
    if (isBlank || gap > seenSize * blankMin) into.space();
    const [endX, endY] = apply(matrix, x + advance, y);
    pen.x = endX;
    pen.y = endY;
    if (isBlank) return;
    if (style === null || y !== styleY) {
      style = { ...look, direction, size: seenSize, baseline: baselineOf(direction, view, startX, startY) };
      styleY = y;
    }
    into.glyph(text, style, { left, bottom, right, top });
  };
}

/** A place in points from the lower left corner, in hundredths of a millimetre from the upper left one. */
function seenFrom(height: number, x: number, y: number): [number, number] {
  return [rounded(x / pointsPerMillimetre), rounded((height - y) / pointsPerMillimetre)];
}

function rounded(millimetres: number): number {
  return Number.isFinite(millimetres) ? Math.round(millimetres * 100) / 100 : 0;
}

type Pieces = { add(character: PlacedCharacter, box: Pair): void; readonly count: number; marks(height: number): PlacedText[] };

/** A run in pieces that lie without a gap, whichever way it runs; of what goes down the page each character. */
function createPieces({ size, isDown }: PlacedRun): Pieces {
  const pieces: { text: string; box: Pair }[] = [];
  let [startX, endX, endY] = [NaN, NaN, NaN];
  return {
    add({ text, x, y, advance }, box) {
      if (text.trim() === '' || text < ' ') {
        [startX, endX] = [NaN, NaN];
        return;
      }
      const open = pieces.at(-1);
      const isBeside = Math.abs(x - endX) <= size * blankMin || Math.abs(x + advance - startX) <= size * blankMin;
      if (open !== undefined && !isDown && y === endY && isBeside) {
        open.text += text;
        open.box = around(open.box, box);
      } else pieces.push({ text, box });
      [startX, endX, endY] = [x, x + advance, y];
    },
    get count() {
      return pieces.length;
    },
    marks: (height) =>
      pieces.map(({ text, box: [left, bottom, right, top] }) => [
        text,
        ...seenFrom(height, left, top),
        ...seenFrom(height, right, bottom),
      ]),
  };
}

function bounded(size: number): number {
  return size > 0.1 && size < 2000 ? size : 1;
}
