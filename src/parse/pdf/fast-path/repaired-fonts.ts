/** What is shown on a plain page, with the text of fonts that name other characters than they show put right. */
import { isOddPage, judgeFonts, type Repair, type Repaired } from '../font-faults.ts';
import type { Content, Shown } from './content.ts';
import type { FontGlyph, PlainFont } from './fonts.ts';

export type PlainRepairs = {
  /** What was given where nothing is to be repaired. */
  readonly shown: readonly Shown[];
  readonly certain: ReadonlyMap<PlainFont, Repair>;
  readonly repairedCount: number;
  /** Glyphs of which nothing says which characters they are. */
  readonly unmappedCount: number;
  readonly garbledCount: number;
};

/** @param faulty fonts that are certain by other pages */
export function withRepairs(
  { shown, unknownCount }: Pick<Content, 'shown' | 'unknownCount'>,
  faulty: ReadonlyMap<PlainFont, Repair>,
): PlainRepairs {
  const asItIs = { shown, certain: new Map(), repairedCount: 0, unmappedCount: unknownCount, garbledCount: 0 };
  const isKnown = faulty.size > 0 && shown.some(({ font }) => faulty.has(font));
  if (!isKnown && !isOddPage(unitsOf(shown))) return asItIs;
  const ofFonts = Map.groupBy(shown, ({ font }) => font);
  const units = new Map(ofFonts.entries().map(([font, some]) => [font, Array.from(unitsOf(some))]));
  const { repaired, certain, garbledCount } = judgeFonts(units, { faulty });
  if (repaired.size === 0) return { ...asItIs, garbledCount };
  const repairedCount = repaired.values().reduce((sum, texts) => sum + texts.length, 0);
  const better = repairedShown(shown, repaired);
  return { shown: better, certain, repairedCount, unmappedCount: unmappedIn(better), garbledCount };
}

function unmappedIn(shown: readonly Shown[]): number {
  return shown.reduce((sum, { glyphs }) => sum + glyphs.filter(({ isUnknown }) => isUnknown).length, 0);
}

function unitsOf(shown: readonly Shown[]): Int32Array {
  const units = new Int32Array(shown.reduce((sum, { glyphs }) => sum + glyphs.length, 0));
  let count = 0;
  for (const { glyphs } of shown) for (const { unit } of glyphs) if (unit >= 0) units[count++] = unit;
  return units.subarray(0, count);
}

function repairedShown(shown: readonly Shown[], repaired: ReadonlyMap<PlainFont, Repaired>): Shown[] {
  const places = new Map<PlainFont, number>();
  const made = new Map<string, FontGlyph>();
  return shown.map((each) => {
    const texts = repaired.get(each.font);
    if (texts === undefined) return each;
    let place = places.get(each.font) ?? 0;
    const glyphs = each.glyphs.map((glyph) => (glyph.unit < 0 ? glyph : glyphWith(texts[place++]!, glyph, made)));
    places.set(each.font, place);
    return { ...each, glyphs };
  });
}

/** The same one for the same, since text that is struck twice is known by that. */
function glyphWith(text: string | null, { unit, width }: FontGlyph, made: Map<string, FontGlyph>): FontGlyph {
  const key = `${text} ${unit} ${width}`;
  const glyph = made.get(key) ?? { unit, text: text ?? '', isBlank: text === ' ', isUnknown: text === null, width };
  made.set(key, glyph);
  return glyph;
}
