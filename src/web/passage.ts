/**
 * Finds a passage of the parsed text again in the text of a page. The two differ: Markdown marks, line ends, hyphens, ligatures,
 * columns in another order, headers in between. So both are folded to bare letters and digits and aligned by short runs that
 * they share; what lies between two aligned runs closely enough belongs to the passage too. Pure.
 */

/** A part of one text item of the page: UTF-16 offsets, end exclusive. */
export type Span = { readonly item: number; readonly start: number; readonly end: number };

export type Located = {
  /** What of the page is the passage; empty when it is not there. */
  readonly passage: readonly Span[];
  /** What of it are the words searched for. */
  readonly words: readonly Span[];
};

/**
 * `items` are the page's pieces of text in its own order; `highlights` are offsets into `passage`.
 * Linear in the length of both, apart from runs that repeat very often, of which only some are tried.
 */
export function locatePassage(
  items: readonly string[],
  passage: string,
  highlights: readonly (readonly [number, number])[] = [],
): Located {
  const page = foldAll(items);
  const wanted = foldAll([passage]);
  const runLength = Math.min(wanted.letters.length, isIdeographic(wanted.letters) ? 5 : 10);
  if (runLength === 0) return { passage: [], words: [] };
  const aligned = align(page.letters, wanted.letters, runLength);
  const covered = fillGaps(aligned, page.letters.length, runLength * 3);
  const inWords = new Set<number>();
  for (const [index, at] of aligned.entries()) {
    const offset = wanted.places[index]?.start ?? 0;
    if (at !== -1 && highlights.some(([start, end]) => offset >= start && offset < end)) inWords.add(at);
  }
  return {
    passage: toSpans(page.places, (at) => covered[at] === 1).map((span) => withEndMarks(span, items[span.item] ?? '')),
    words: toSpans(page.places, (at) => inWords.has(at)),
  };
}

type Place = { readonly item: number; readonly start: number; readonly end: number };
type Folded = { readonly letters: readonly string[]; readonly places: readonly Place[] };

/** Letters and digits alone, without case, accents, ligatures and width; each with where it came from. */
function foldAll(items: readonly string[]): Folded {
  const letters: string[] = [];
  const places: Place[] = [];
  for (const [item, text] of items.entries()) {
    let start = 0;
    for (const character of text) {
      const end = start + character.length;
      for (const letter of character.normalize('NFKD').toLowerCase()) {
        if (!/[\p{L}\p{N}]/u.test(letter)) continue;
        letters.push(letter);
        places.push({ item, start, end });
      }
      start = end;
    }
  }
  return { letters, places };
}

/** For each letter wanted, the letter of the page that it is, or -1. */
function align(page: readonly string[], wanted: readonly string[], runLength: number): readonly number[] {
  const runs = new Map<string, number[]>();
  for (let at = 0; at + runLength <= page.length; at += 1) {
    const run = page.slice(at, at + runLength).join('');
    const known = runs.get(run);
    if (known === undefined) runs.set(run, [at]);
    else if (known.length < 32) known.push(at);
  }
  const aligned = Array.from({ length: wanted.length }, () => -1);
  let expected = 0;
  for (let index = 0; index + runLength <= wanted.length; index += 1) {
    const places = runs.get(wanted.slice(index, index + runLength).join(''));
    expected += 1;
    if (places === undefined) continue;
    const at = places.reduce((best, place) => (Math.abs(place - expected) < Math.abs(best - expected) ? place : best));
    for (let step = 0; step < runLength; step += 1) aligned[index + step] = at + step;
    expected = at;
  }
  return aligned;
}

function fillGaps(aligned: readonly number[], length: number, gapMax: number): Uint8Array {
  const covered = new Uint8Array(length);
  for (const at of aligned) if (at !== -1) covered[at] = 1;
  let last = -1;
  for (let at = 0; at < length; at += 1) {
    if (covered[at] !== 1) continue;
    if (last !== -1 && at - last > 1 && at - last <= gapMax) covered.fill(1, last, at);
    last = at;
  }
  return covered;
}

/** Neighbouring letters of one item become one span, with the marks and blanks between them. */
function toSpans(places: readonly Place[], isIn: (at: number) => boolean): readonly Span[] {
  const spans: { item: number; start: number; end: number }[] = [];
  let before = -2;
  for (const [at, place] of places.entries()) {
    if (!isIn(at)) continue;
    const open = spans.at(-1);
    if (open !== undefined && before === at - 1 && open.item === place.item) open.end = place.end;
    else spans.push({ ...place });
    before = at;
  }
  return spans;
}

/** A full stop, a closing bracket or a hyphen right after the last letter belongs to it. */
function withEndMarks(span: Span, text: string): Span {
  const marks = /^[\p{Po}\p{Pd}\p{Pe}\p{Pf}]+/u.exec(text.slice(span.end))?.[0] ?? '';
  return { ...span, end: span.end + marks.length };
}

function isIdeographic(letters: readonly string[]): boolean {
  const ideographs = letters.filter((letter) => /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]/u.test(letter)).length;
  return ideographs * 2 > letters.length;
}
