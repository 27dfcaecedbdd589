/** What is shown on a plain page, with the text of fonts that name other characters than they show put right. */
import { isOddPage, judgeFonts, type Repaired } from '../font-faults.ts';
import type { Shown } from './content.ts';
import type { FontGlyph, PlainFont } from './fonts.ts';

/** @returns `shown` itself where nothing is to be repaired */
export function withRepairs(shown: readonly Shown[]): { readonly shown: readonly Shown[]; readonly garbledCount: number } {
  if (!isOddPage(unitsOf(shown))) return { shown, garbledCount: 0 };
  const ofFonts = Map.groupBy(shown, ({ font }) => font);
  const { repaired, garbledCount } = judgeFonts(
    new Map(ofFonts.entries().map(([font, some]) => [font, Array.from(unitsOf(some))])),
  );
  return { shown: repaired.size === 0 ? shown : repairedShown(shown, repaired), garbledCount };
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
