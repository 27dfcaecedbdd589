/** Where the characters of a `Glyphs` element stand (ECMA-388, 12.1): its text, and indices that say glyphs and how far each goes. */
import { type PlacedCharacter, usualWidth } from '../pdf/layout/placed-runs.ts';
import type { FontFile } from './font-file.ts';

export type GlyphRun = {
  /** Empty where only glyphs are said. */
  readonly text: string;
  readonly indices: string;
  readonly x: number;
  readonly y: number;
  readonly size: number;
  /** Runs from right to left, from where it begins. */
  readonly isLeftwards: boolean;
  /** Upright characters in a run that is turned. */
  readonly isSideways: boolean;
  readonly font: FontFile | null;
};

/** The characters one after the other. Where an index gives no width a glyph is as wide as its font says. Linear. */
export function* placeGlyphs(run: GlyphRun): Generator<PlacedCharacter> {
  const { text, isLeftwards } = run;
  if (!(run.size > 0)) return;
  const clusters = readClusters(run.indices);
  let x = run.x;
  const place = (shown: string, advance: number): PlacedCharacter => {
    if (isLeftwards) x -= advance;
    const placed = { text: shown, x, y: run.y, advance };
    if (!isLeftwards) x += advance;
    return placed;
  };
  let at = 0;
  for (let cluster = clusters.next(); cluster !== null; cluster = clusters.next()) {
    if (text !== '' && at >= text.length) break;
    const units = cluster.units ?? unitsAt(text, at);
    const shown = text === '' ? cluster.glyphs.map(({ glyph }) => charactersOf(glyph, run)).join('') : text.slice(at, at + units);
    const advance = cluster.glyphs.reduce((sum, each) => sum + advanceOf(each, shown, run), 0);
    const placed = place(shown, advance);
    if (shown !== '') yield placed;
    at += units;
  }
  while (at < text.length) {
    const shown = text.slice(at, at + unitsAt(text, at));
    yield place(shown, advanceOf({ glyph: null, advance: null }, shown, run));
    at += shown.length;
  }
}

function charactersOf(glyph: number | null, { font }: GlyphRun): string {
  return glyph === null || font === null ? '' : font.characterOf(glyph);
}

function advanceOf({ glyph, advance }: Index, shown: string, { font, size, isSideways }: GlyphRun): number {
  if (advance !== null) return (advance / 100) * size;
  if (isSideways) return size;
  const codePoint = shown.codePointAt(0);
  const index = glyph ?? (codePoint === undefined ? 0 : (font?.glyphOf(codePoint) ?? 0));
  return (font === null || (index === 0 && glyph === null) ? usualWidth(shown) : font.advanceOf(index)) * size;
}

/** UTF-16 units of the character that begins there. */
function unitsAt(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
}

/** A glyph, and its width in hundredths of the size of type; null where they are left to text and font. */
type Index = { readonly glyph: number | null; readonly advance: number | null };

/** Glyphs that stand together for so many UTF-16 units of the text; null: for one character. */
type Cluster = { readonly units: number | null; readonly glyphs: readonly Index[] };

/** Of one cluster; more are no letters. */
const clusterMax = 100;

/** `55,60;(2:1)12;;3` is glyph 55 of width 0.6, glyph 12 for two letters, one left out, glyph 3. Read as they are asked for. */
function readClusters(indices: string): { next(): Cluster | null } {
  let at = 0;
  const entry = (): string | null => {
    if (at > indices.length || indices === '') return null;
    const end = indices.indexOf(';', at);
    const text = indices.slice(at, end === -1 ? indices.length : end);
    at = end === -1 ? indices.length + 1 : end + 1;
    return text.trim();
  };
  return {
    next() {
      const first = entry();
      if (first === null) return null;
      const [whole = '', units, count] = /^\((\d{1,4})(?::(\d{1,4}))?\)/.exec(first) ?? [];
      const glyphs = [indexOf(first.slice(whole.length))];
      const wanted = Math.min(clusterMax, Number(count ?? 1));
      while (glyphs.length < wanted) {
        const more = entry();
        if (more === null) break;
        glyphs.push(indexOf(more));
      }
      return { units: units === undefined ? null : Math.max(1, Number(units)), glyphs };
    },
  };
}

function indexOf(text: string): Index {
  const [glyph = '', advance = ''] = text.split(',', 2);
  return { glyph: numberOrNull(glyph), advance: numberOrNull(advance) };
}

function numberOrNull(text: string): number | null {
  const number = text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(number) && number >= 0 ? number : null;
}
