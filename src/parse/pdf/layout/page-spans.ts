/**
 * The text of one page as spans (runs of glyphs on one baseline, without a wide gap) in a frame where the text runs left to right
 * and y grows downwards. What lies outside the page box is left out.
 */
import type { FontLook } from './font-look.ts';
import { areaAt, type LinkArea, linksOf, type PageLink, type Stretch } from './link-areas.ts';
import type { Rule } from './page-rules.ts';
import type { Seeing, TextCover } from './text-cover.ts';
import type { View } from '../page-view.ts';

/** A run of text on one line. Points; y grows downwards. */
export type Span = {
  readonly text: string;
  readonly left: number;
  readonly right: number;
  readonly baseline: number;
  /** Size of the type, as seen. */
  readonly size: number;
  readonly bold: boolean;
  readonly italic: boolean;
  readonly mono: boolean;
  /** Most of it is written from right to left. */
  readonly rightToLeft: boolean;
  /** Its words, left to right; one alone where the text runs from right to left. */
  readonly words: readonly Word[];
  /** Stands for a table, which is placed among the text like a line. */
  readonly table?: readonly (readonly string[])[];
  /** Stands for a picture in which this was seen. */
  readonly seen?: string;
};

/** Whether it stands for more than a piece of a line. */
export function standsAlone({ table, seen }: Span): boolean {
  return table !== undefined || seen !== undefined;
}

/** A piece of a span without spaces. */
export type Word = { readonly text: string; readonly left: number; readonly right: number };

/** What runs in one direction: the page as seen when turned so that this text is upright. */
export type Frame = {
  readonly width: number;
  readonly height: number;
  readonly spans: readonly Span[];
  readonly rules: readonly Rule[];
  /** Glyphs in the spans, without spaces. */
  readonly glyphCount: number;
};

export type PageText = {
  /** The direction with the most text first; never empty. */
  readonly frames: readonly Frame[];
  /** Glyphs, without spaces, that lie inside the page box. */
  readonly glyphCount: number;
  /** Glyphs that were left out because their font does not say which characters they are. */
  readonly unmappedCount: number;
  /** Glyphs of fonts whose text nobody would believe, since they name other characters than they show. */
  readonly garbledCount: number;
  /** Texts that lead somewhere; absent where there are none. */
  readonly links?: readonly PageLink[];
};

/** What one page may cost. */
export type PageBounds = {
  /** Glyphs on this page: what earlier ones have left of the document's. */
  readonly glyphsMax: number;
  /** Glyphs of the whole document. */
  readonly charactersMax: number;
  /** Called often. @throws DocumentError `timeout`. */
  readonly checkTime: () => void;
  /** The same, as an answer. */
  readonly isLate: () => boolean;
  /** Absent: nothing. */
  readonly seeing?: Seeing;
};

/* Glyphs to spans. */

/** 0–3: quarter turns clockwise that the text is turned, as seen; 4: vertical writing; 5: any other angle. */
export type Direction = 0 | 1 | 2 | 3 | 4 | 5;
export const vertical = 4;
const slanted = 5;

type Run = {
  readonly direction: Direction;
  readonly span: Span;
  readonly glyphCount: number;
  /** Of its text, what leads somewhere. */ readonly links: readonly PageLink[];
};

/** How glyphs that follow each other look, and where they stand. */
export type Style = FontLook & {
  /** In their frame; of vertical writing each glyph has its own. */
  readonly baseline: number;
  readonly size: number;
  readonly direction: Direction;
};

/** Of a glyph's box, in user space. One may be used for glyph after glyph: it is not kept, and numbers in it are not allocated. */
export type Corners = { left: number; bottom: number; right: number; top: number };

/** Takes the glyphs of a page, in the order in which they are drawn. */
export type GlyphCollector = {
  /** @param text of one glyph: a character, the letters of a ligature, or nothing where another glyph's says it too */
  glyph(text: string, style: Style, corners: Corners): void;
  /** There is a space between the glyph before and the next. */
  space(): void;
  /** The line ends here. */
  end(): void;
  /** Everything as frames. @param more upright spans from elsewhere on the page, e.g. the values of form fields */
  finish(more: readonly Span[], doubts: Doubts): PageText;
};

/** What is not to be known, or not to be believed, of the glyphs of a page. */
export type Doubts = Pick<PageText, 'unmappedCount' | 'garbledCount'>;

/**
 * @param rules of the page: what stands on two sides of one is in two cells
 * @param areas of the page that lead somewhere
 * @param cover is told where glyphs stand
 */
export function createGlyphCollector(
  view: View,
  rules: readonly Rule[],
  areas: readonly LinkArea[] = [],
  cover?: TextCover,
): GlyphCollector {
  const runs: Run[] = [];
  const dividers = new Map<Direction, readonly Rule[]>();
  const box: Box = { left: 0, top: 0, right: 0, bottom: 0 };
  let draft: Draft | undefined;
  let spaced = false;
  let area: LinkArea | undefined;

  const dividersIn = (direction: Direction) => {
    const known = dividers.get(direction);
    if (known !== undefined) return known;
    const upright = rules.map((rule) => placeRule(direction, view, rule)).filter((rule) => rule.x2 - rule.x1 <= 3);
    dividers.set(direction, upright);
    return upright;
  };

  const end = () => {
    if (draft !== undefined) runs.push(runOf(draft));
    draft = undefined;
    spaced = false;
  };

  return {
    end,
    space: () => {
      spaced = true;
    },
    glyph(text, style, { left, bottom, right, top }) {
      const x1 = view.x(left, bottom);
      const y1 = view.y(left, bottom);
      const x2 = view.x(right, top);
      const y2 = view.y(right, top);
      const middleX = (x1 + x2) / 2;
      const middleY = (y1 + y2) / 2;
      if (!(middleX >= 0 && middleX <= view.width && middleY >= 0 && middleY <= view.height)) return end();
      cover?.add(Math.min(x1, x2), Math.min(y1, y2), Math.max(x1, x2), Math.max(y1, y2));
      const { direction } = style;
      place(direction, view, x1 < x2 ? x1 : x2, y1 < y2 ? y1 : y2, x1 < x2 ? x2 : x1, y1 < y2 ? y2 : y1, box);
      const baseline = direction === vertical ? box.bottom - (box.bottom - box.top) * 0.2 : style.baseline;

      if (text === '') return void (draft !== undefined && continues(draft, style, box, baseline) && reach(draft, box));
      if (draft !== undefined && !continues(draft, style, box, baseline)) end();
      else if (spaced && draft !== undefined && isDivided(draft.right, box.left, baseline, dividersIn(direction))) end();
      if (draft === undefined) draft = draftOf(text, style, box, baseline);
      else {
        if (spaced || box.left - draft.right > style.size) {
          endWord(draft);
          draft.text += `${draft.word} `;
          draft.word = '';
          draft.wordLeft = box.left;
        }
        draft.word += text;
        reach(draft, box);
      }
      if (areas.length > 0) {
        area = areaAt(areas, middleX, middleY, area);
        if (area !== undefined) mark(draft, text.length, area.target);
      }
      draft.glyphCount++;
      if (style.bold) draft.boldCount++;
      if (style.italic) draft.italicCount++;
      if (style.mono) draft.monoCount++;
      if (isRightToLeft(text.charCodeAt(0))) draft.rightToLeftCount++;
      spaced = false;
    },
    finish(more, doubts) {
      end();
      const upright = more.map((span): Run => ({ direction: 0, span, glyphCount: span.text.length, links: [] }));
      const links = areas.length === 0 ? [] : runs.flatMap((run) => run.links);
      return { ...framesOf([...runs, ...upright], rules, view), ...doubts, ...(links.length === 0 ? {} : { links }) };
    },
  };
}

/** The run being gathered. */
type Draft = {
  /** Its words but the last, each with a space behind it. */
  text: string;
  word: string;
  style: Style;
  left: number;
  right: number;
  baseline: number;
  end: number;
  glyphCount: number;
  rightToLeftCount: number;
  boldCount: number;
  italicCount: number;
  monoCount: number;
  words: Word[];
  wordLeft: number;
  /** Of the text with its last word, what lies in areas that lead somewhere. */
  links: Stretch[];
};

/** Its last glyphs lead somewhere; a space between two that lead there does too. */
function mark(draft: Draft, length: number, target: string): void {
  const end = draft.text.length + draft.word.length;
  const start = end - length;
  const before = draft.links.at(-1);
  if (before?.target === target && before.end >= start - 1) draft.links[draft.links.length - 1] = { ...before, end };
  else draft.links.push({ start, end, target });
}

function reach(draft: Draft, { left, right }: Box): void {
  draft.left = Math.min(draft.left, left);
  draft.right = Math.max(draft.right, right);
  draft.end = right;
}

function draftOf(word: string, style: Style, { left, right }: Box, baseline: number): Draft {
  return {
    text: '',
    word,
    style,
    left,
    right,
    baseline,
    end: right,
    glyphCount: 0,
    rightToLeftCount: 0,
    boldCount: 0,
    italicCount: 0,
    monoCount: 0,
    words: [],
    wordLeft: left,
    links: [],
  };
}

function endWord(draft: Draft): void {
  draft.words.push({ text: draft.word, left: draft.wordLeft, right: draft.end });
}

/** A vertical ruling line stands between two glyphs: they are in two cells. */
function isDivided(left: number, right: number, baseline: number, dividers: readonly Rule[]): boolean {
  return dividers.some((rule) => rule.x1 >= left - 1 && rule.x2 <= right + 1 && rule.y1 < baseline && rule.y2 > baseline - 2);
}

/** A bullet or a number of a list stands further from its text than words from each other. */
const marker = /^(?:[•◦▪▫‣⁃●○■□◆◇➢►▶✓✔❖\uf0b7\uf0a7\uf0d8\uf0fc\uf076\uf0a8·–—-]|\(?(?:\d{1,2}|[a-z])[.)])$/;

/** Whether a glyph at `place` goes on with the run: the same line, style and neighbourhood. */
function continues(draft: Draft, style: Style, box: Box, baseline: number): boolean {
  const { size } = draft.style;
  if (style.direction !== draft.style.direction) return false;
  if (style.bold !== draft.style.bold && Math.abs(style.size - size) > size * 0.05) return false;
  // A raised or lowered glyph of a smaller size still belongs to its word.
  const drift = Math.abs(baseline - draft.baseline);
  if (drift > Math.max(size, style.size) * 0.45) return false;
  const gap = box.left - draft.right;
  const gapMax = draft.glyphCount <= 3 && marker.test(draft.text + draft.word) ? 3 : 0.9;
  if (gap > Math.max(size, style.size) * gapMax) return false;
  // Jumping back happens for combining marks and right-to-left text, which stay within or touch the run.
  return box.right > draft.left - size * 0.9;
}

function runOf(draft: Draft): Run {
  const { style } = draft;
  endWord(draft);
  const rightToLeft = draft.rightToLeftCount * 2 > draft.glyphCount;
  const text = (draft.text + draft.word).toWellFormed();
  return {
    direction: style.direction,
    glyphCount: draft.glyphCount,
    links: draft.links.length === 0 ? none : linksOf(text, draft.links),
    span: {
      text,
      left: draft.left,
      right: draft.right,
      baseline: draft.baseline,
      size: style.size,
      bold: draft.boldCount >= draft.glyphCount * 0.85,
      italic: draft.italicCount >= draft.glyphCount * 0.85,
      mono: draft.monoCount >= draft.glyphCount * 0.85,
      rightToLeft,
      words: draft.rightToLeftCount > 0 ? [{ text, left: draft.left, right: draft.right }] : draft.words,
    },
  };
}

const none: readonly PageLink[] = [];

function isRightToLeft(code: number): boolean {
  return (code >= 0x590 && code <= 0x8ff) || (code >= 0xfb1d && code <= 0xfdff) || (code >= 0xfe70 && code <= 0xfefc);
}

type Box = { left: number; top: number; right: number; bottom: number };

/** Puts a box as seen into the frame in which text of this direction is upright; the result goes into `into`, glyph after glyph. */
function place(direction: Direction, view: View, left: number, top: number, right: number, bottom: number, into: Box): Box {
  switch (direction) {
    // Vertical writing: going down becomes going right, the next column (to the left) the next line.
    case vertical:
    case 1:
      into.left = top;
      into.right = bottom;
      into.top = view.width - right;
      into.bottom = view.width - left;
      return into;
    case 2:
      into.left = view.width - right;
      into.right = view.width - left;
      into.top = view.height - bottom;
      into.bottom = view.height - top;
      return into;
    case 3:
      into.left = view.height - bottom;
      into.right = view.height - top;
      into.top = left;
      into.bottom = right;
      return into;
    default:
      into.left = left;
      into.right = right;
      into.top = top;
      into.bottom = bottom;
      return into;
  }
}

function placeRule(direction: Direction, view: View, rule: Rule): Rule {
  const { left, top, right, bottom } = place(direction, view, rule.x1, rule.y1, rule.x2, rule.y2, {
    left: 0,
    top: 0,
    right: 0,
    bottom: 0,
  });
  return { x1: left, y1: top, x2: right, y2: bottom };
}

/** The baseline, in the frame of its direction, of text that stands at (x, y) in user space. */
export function baselineOf(direction: Direction, view: View, x: number, y: number): number {
  const [seenX, seenY] = [view.x(x, y), view.y(x, y)];
  return place(direction, view, seenX, seenY, seenX, seenY, { left: 0, top: 0, right: 0, bottom: 0 }).bottom;
}

/** (a, b) is where the text runs in user space, y upwards. */
export function directionOf(a: number, b: number, turns: number): Direction {
  if (a === 0 && b === 0) return 0;
  if (b === 0 && a > 0) return turns as Direction;
  const clockwise = (-Math.atan2(b, a) * 180) / Math.PI + turns * 90;
  const quarters = clockwise / 90;
  const nearest = Math.round(quarters);
  if (Math.abs(quarters - nearest) > 0.08) return slanted;
  return (((nearest % 4) + 4) % 4) as Direction;
}

function emptyFrame(view: View): Frame {
  return { width: view.width, height: view.height, spans: [], rules: [], glyphCount: 0 };
}

/* Frames: one for each direction, the busiest first. */

function framesOf(runs: readonly Run[], rules: readonly Rule[], view: View): Omit<PageText, keyof Doubts> {
  const byDirection = new Map<Direction, Run[]>();
  for (const run of runs) {
    const some = byDirection.get(run.direction);
    if (some === undefined) byDirection.set(run.direction, [run]);
    else some.push(run);
  }
  const frames = [...byDirection]
    .map(([direction, some]) => ({
      width: direction % 2 === 0 && direction !== vertical ? view.width : view.height,
      height: direction % 2 === 0 && direction !== vertical ? view.height : view.width,
      spans: some.map((run) => run.span),
      rules: rules.map((rule) => placeRule(direction, view, rule)),
      glyphCount: some.reduce((sum, run) => sum + run.glyphCount, 0),
    }))
    .sort((one, other) => other.glyphCount - one.glyphCount);
  return {
    frames: frames.length === 0 ? [emptyFrame(view)] : frames,
    glyphCount: frames.reduce((sum, frame) => sum + frame.glyphCount, 0),
  };
}
