/**
 * Reads the text of one page out of PDFium as spans (runs of glyphs on one baseline, without a wide gap) in a frame where the
 * text runs left to right and y grows downwards. What lies outside the page box is left out.
 */
import { DocumentError } from '../../errors.ts';
import type { Rule } from './page-drawing.ts';
import type { View } from './page-view.ts';
import type { Pdfium } from './pdfium.ts';

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
};

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
};

/** What one page may cost. */
export type PageBounds = {
  /** Glyphs on this page. */
  readonly glyphsMax: number;
  /** Called often. @throws DocumentError `timeout`. */
  readonly checkTime: () => void;
};

type Pointer = number;

/**
 * @param page from `FPDF_LoadPage`
 * @param more upright spans from elsewhere on the page, e.g. the values of form fields
 * @throws DocumentError `limit_exceeded` | `timeout`
 */
export function readPageText(
  pdfium: Pdfium,
  page: Pointer,
  view: View,
  rules: readonly Rule[],
  more: readonly Span[],
  bounds: PageBounds,
): PageText {
  const upright = more.map((span): Run => ({ direction: 0, span, glyphCount: span.text.length }));
  const text = pdfium.call.FPDFText_LoadPage(page);
  if (text === 0) return { ...framesOf(upright, rules, view), unmappedCount: 0 };
  return pdfium.closing(
    () => {
      bounds.checkTime();
      const { runs, unmappedCount } = readGlyphs(pdfium, text, view, rules, bounds);
      return { ...framesOf([...runs, ...upright], rules, view), unmappedCount };
    },
    () => pdfium.call.FPDFText_ClosePage(text),
  );
}

function emptyFrame(view: View): Frame {
  return { width: view.width, height: view.height, spans: [], rules: [], glyphCount: 0 };
}

/* Glyphs to spans. */

/** 0–3: quarter turns clockwise that the text is turned, as seen; 4: vertical writing; 5: any other angle. */
type Direction = 0 | 1 | 2 | 3 | 4 | 5;
const vertical = 4;
const slanted = 5;

type Run = { readonly direction: Direction; readonly span: Span; readonly glyphCount: number };

/** How the glyphs of one text object look, and where they stand. */
type Style = {
  /** In their frame; of vertical writing each glyph has its own. */
  readonly baseline: number;
  readonly size: number;
  readonly direction: Direction;
  readonly bold: boolean;
  readonly italic: boolean;
  readonly mono: boolean;
  readonly dingbats: boolean;
};

type FontLook = {
  readonly bold: boolean;
  readonly italic: boolean;
  readonly mono: boolean;
  /** Its letters are pictures. */
  readonly dingbats: boolean;
};

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
};

type Glyphs = { readonly runs: readonly Run[]; readonly unmappedCount: number };

function readGlyphs(pdfium: Pdfium, text: Pointer, view: View, rules: readonly Rule[], bounds: PageBounds): Glyphs {
  const { call, scratch } = pdfium;
  const count = call.FPDFText_CountChars(text);
  if (count > bounds.glyphsMax) {
    throw new DocumentError('limit_exceeded', `One page holds more than ${bounds.glyphsMax} characters of text (MAX_CHARACTERS)`);
  }
  const fonts = new Map<Pointer, FontLook>();
  const dividers = new Map<Direction, readonly Rule[]>();
  const dividersIn = (direction: Direction) => {
    const known = dividers.get(direction);
    if (known !== undefined) return known;
    const upright = rules.map((rule) => placeRule(direction, view, rule)).filter((rule) => rule.x2 - rule.x1 <= 3);
    dividers.set(direction, upright);
    return upright;
  };
  const codes = codesOf(pdfium, text, count);
  const numbered = numberedFonts(pdfium, text, codes);
  let unmappedCount = 0;
  const runs: Run[] = [];
  let draft: Draft | undefined;
  let object = 0;
  let style: Style | undefined;
  let spaced = false;
  let floats = pdfium.floats;
  const at = scratch >> 2;
  const box: Box = { left: 0, top: 0, right: 0, bottom: 0 };

  const end = () => {
    if (draft !== undefined) runs.push(runOf(draft));
    draft = undefined;
    spaced = false;
  };

  for (let index = 0; index < count; index++) {
    if ((index & 1023) === 1023) bounds.checkTime();
    const code = codes[index]!;
    if (code === 13 || code === 10) {
      if (call.FPDFText_IsGenerated(text, index) === 1) end();
      else spaced = true;
      continue;
    }
    if (code === 32 || code === 0xa0 || code === 9) {
      spaced = true;
      continue;
    }
    if (code < 32 && code !== 2) continue;
    if (code === 0xfffe || code === 0xffff || code === 0xfeff) continue;
    const of = call.FPDFText_GetTextObject(text, index);
    if (of !== object || style === undefined) {
      object = of;
      style = styleOf(pdfium, text, index, of, view, fonts);
    }
    if (numbered.size > 0 && isUnmapped(pdfium, text, index) && numbered.has(call.FPDFTextObj_GetFont(of))) {
      unmappedCount++;
      spaced = true;
      continue;
    }
    call.FPDFText_GetLooseCharBox(text, index, scratch);
    if (floats.length === 0) floats = pdfium.floats;
    const boxLeft = floats[at]!;
    const boxTop = floats[at + 1]!;
    const boxRight = floats[at + 2]!;
    const boxBottom = floats[at + 3]!;
    const x1 = view.x(boxLeft, boxBottom);
    const y1 = view.y(boxLeft, boxBottom);
    const x2 = view.x(boxRight, boxTop);
    const y2 = view.y(boxRight, boxTop);
    const middleX = (x1 + x2) / 2;
    const middleY = (y1 + y2) / 2;
    if (!(middleX >= 0 && middleX <= view.width && middleY >= 0 && middleY <= view.height)) {
      end();
      continue;
    }
    const { direction } = style;
    place(direction, view, x1 < x2 ? x1 : x2, y1 < y2 ? y1 : y2, x1 < x2 ? x2 : x1, y1 < y2 ? y2 : y1, box);
    const baseline = direction === vertical ? box.bottom - (box.bottom - box.top) * 0.2 : style.baseline;
    const character = code === 2 ? '-' : style.dingbats && code < 0x7f ? '•' : String.fromCodePoint(code);

    if (draft !== undefined && !continues(draft, style, box, baseline)) end();
    else if (spaced && draft !== undefined && isDivided(draft.right, box.left, baseline, dividersIn(direction))) end();
    if (draft === undefined) {
      draft = {
        text: '',
        word: character,
        style,
        left: box.left,
        right: box.right,
        baseline,
        end: box.right,
        glyphCount: 0,
        rightToLeftCount: 0,
        boldCount: 0,
        italicCount: 0,
        monoCount: 0,
        words: [],
        wordLeft: box.left,
      };
    } else {
      if (spaced || box.left - draft.right > style.size) {
        endWord(draft);
        draft.text += `${draft.word} `;
        draft.word = '';
        draft.wordLeft = box.left;
      }
      draft.word += character;
      draft.left = Math.min(draft.left, box.left);
      draft.right = Math.max(draft.right, box.right);
      draft.end = box.right;
    }
    draft.glyphCount++;
    if (style.bold) draft.boldCount++;
    if (style.italic) draft.italicCount++;
    if (style.mono) draft.monoCount++;
    if (isRightToLeft(code)) draft.rightToLeftCount++;
    spaced = false;
  }
  end();
  return { runs, unmappedCount };
}

function codesOf({ call }: Pdfium, text: Pointer, count: number): Uint32Array {
  const codes = new Uint32Array(Math.max(0, count));
  for (let index = 0; index < count; index++) codes[index] = call.FPDFText_GetUnicode(text, index);
  return codes;
}

/**
 * Fonts of many glyphs that do not say which characters some of these are. PDFium gives the number of the glyph instead, which read
 * as a character is any letter of any script. A font of up to 256 glyphs is numbered by its letters more often than not.
 */
function numberedFonts(pdfium: Pdfium, text: Pointer, codes: Uint32Array): ReadonlySet<Pointer> {
  const { call } = pdfium;
  const fonts = new Set<Pointer>();
  for (let index = 0; index < codes.length; index++) {
    if (codes[index]! <= 0xff || !isUnmapped(pdfium, text, index)) continue;
    const object = call.FPDFText_GetTextObject(text, index);
    if (object !== 0) fonts.add(call.FPDFTextObj_GetFont(object));
  }
  return fonts;
}

function isUnmapped(pdfium: Pdfium, text: Pointer, index: number): boolean {
  return pdfium.call.FPDFText_HasUnicodeMapError(text, index) === 1;
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

function styleOf(pdfium: Pdfium, text: Pointer, index: number, object: Pointer, view: View, fonts: Map<Pointer, FontLook>): Style {
  const { call } = pdfium;
  const [a, b, c, d, e, f] = matrixAt(pdfium, text, index);
  const scale = Math.sqrt(c * c + d * d);
  const size = call.FPDFText_GetFontSize(text, index) * (scale > 0 ? scale : 1);
  const look = object === 0 ? plain : fontLook(pdfium, object, fonts);
  const upright = directionOf(a, b, view.turns);
  const [x, y] = [view.x(e, f), view.y(e, f)];
  return {
    italic: look.italic,
    mono: look.mono,
    dingbats: look.dingbats,
    baseline: place(upright, view, x, y, x, y, { left: 0, top: 0, right: 0, bottom: 0 }).bottom,
    size: size > 0.1 && size < 2000 ? size : 1,
    direction: upright === 0 && isVertical(pdfium, text, index, object, view) ? vertical : upright,
    bold: look.bold || (object !== 0 && call.FPDFTextObj_GetTextRenderMode(object) === 2),
  };
}

function matrixAt(pdfium: Pdfium, text: Pointer, index: number): readonly [number, number, number, number, number, number] {
  if (pdfium.call.FPDFText_GetMatrix(text, index, pdfium.scratch) !== 1) return [1, 0, 0, 1, 0, 0];
  const { floats } = pdfium;
  const at = pdfium.scratch >> 2;
  return [floats[at]!, floats[at + 1]!, floats[at + 2]!, floats[at + 3]!, floats[at + 4]!, floats[at + 5]!];
}

const plain: FontLook = { bold: false, italic: false, mono: false, dingbats: false };

/** (a, b) is where the text runs in user space, y upwards. */
function directionOf(a: number, b: number, turns: number): Direction {
  if (a === 0 && b === 0) return 0;
  if (b === 0 && a > 0) return turns as Direction;
  const clockwise = (-Math.atan2(b, a) * 180) / Math.PI + turns * 90;
  const quarters = clockwise / 90;
  const nearest = Math.round(quarters);
  if (Math.abs(quarters - nearest) > 0.08) return slanted;
  return (((nearest % 4) + 4) % 4) as Direction;
}

/** Two neighbours of one text object stand one under the other although the text is not turned. */
function isVertical(pdfium: Pdfium, text: Pointer, index: number, object: Pointer, view: View): boolean {
  const { call, scratch } = pdfium;
  if (object === 0 || call.FPDFText_GetTextObject(text, index + 1) !== object) return false;
  const middle = (at: number): [number, number] => {
    call.FPDFText_GetLooseCharBox(text, at, scratch);
    const x = (pdfium.float(scratch) + pdfium.float(scratch + 8)) / 2;
    const y = (pdfium.float(scratch + 4) + pdfium.float(scratch + 12)) / 2;
    return [view.x(x, y), view.y(x, y)];
  };
  const [x1, y1] = middle(index);
  const [x2, y2] = middle(index + 1);
  return y2 - y1 > Math.abs(x2 - x1) * 2 + 1;
}

/** Names say more than descriptors: StemV and weights are often invented. */
function fontLook(pdfium: Pdfium, object: Pointer, fonts: Map<Pointer, FontLook>): FontLook {
  const font = pdfium.call.FPDFTextObj_GetFont(object);
  if (font === 0) return plain;
  const known = fonts.get(font);
  if (known !== undefined) return known;
  const name = pdfium.utf8((buffer, bytes) => pdfium.call.FPDFFont_GetBaseFontName(font, buffer, bytes)).replace(/^[A-Z]{6}\+/, '');
  const flags = pdfium.call.FPDFFont_GetFlags(font);
  const look = {
    bold: /bold|black|heavy|semib|demi|medi$|cmb|cmssbx|sfbx|sfsx|-bd|ptmb|phvb/i.test(name) || (flags & 0x40000) !== 0,
    italic: /ital|obli|cmti|sfti/i.test(name) || (flags & 0x40) !== 0,
    dingbats: /dingbat|wingd|webding|monotypesorts/i.test(name),
    mono: /mono|cour|consol|menlo|typewriter|cmtt|sftt|lettergothic|inconsolata/i.test(name),
  };
  fonts.set(font, look);
  return look;
}

/* Frames: one for each direction, the busiest first. */

function framesOf(runs: readonly Run[], rules: readonly Rule[], view: View): Omit<PageText, 'unmappedCount'> {
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
