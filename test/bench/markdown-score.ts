/**
 * Scores Markdown against an expected text: words, headings, table cells and list items kept. Each score is three counts, so that
 * files can be summed before a figure is made of them.
 */

/** How many were expected, how many came, and how many of them are the same. */
export type Kept = { readonly matched: number; readonly got: number; readonly expected: number };

export type MarkdownScore = { readonly tokens: Kept; readonly headings: Kept; readonly cells: Kept; readonly items: Kept };

/** Structure is compared by the letters and digits of each heading, cell or item, regardless of order and level. */
export function scoreMarkdown(got: string, expected: string): MarkdownScore {
  const [mine, theirs] = [structureOf(got), structureOf(expected)];
  return {
    tokens: compare(tokensOf(plainText(got)), tokensOf(plainText(expected))),
    headings: compare(mine.headings, theirs.headings),
    cells: compare(mine.cells, theirs.cells),
    items: compare(mine.items, theirs.items),
  };
}

/** Tokens of two plain texts. */
export function scoreText(got: string, expected: string): Kept {
  return compare(tokensOf(got), tokensOf(expected));
}

export function sumKept(scores: readonly Kept[]): Kept {
  return scores.reduce(
    (sum, each) => ({
      matched: sum.matched + each.matched,
      got: sum.got + each.got,
      expected: sum.expected + each.expected,
    }),
    { matched: 0, got: 0, expected: 0 },
  );
}

/** 0–1; 1 when nothing was expected and nothing came. */
export function f1Of({ matched, got, expected }: Kept): number {
  return got + expected === 0 ? 1 : (2 * matched) / (got + expected);
}

/** Words in lower case after NFKC; each Chinese or Japanese character is one. */
export function tokensOf(text: string): string[] {
  return (
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(
        /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[\p{L}\p{N}\p{M}]+?(?=[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[^\p{L}\p{N}\p{M}]|$)/gu,
      ) ?? []
  );
}

/** Share of Chinese, Japanese and Korean characters among letters. */
export function cjkShare(text: string): number {
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  const wide = text.match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu)?.length ?? 0;
  return letters === 0 ? 0 : wide / letters;
}

/** Markdown without comments, entities and escapes; its punctuation is no token anyway. */
export function plainText(markdown: string): string {
  return markdown
    .replace(/<!--.*?-->/gs, ' ')
    .replace(/!?\[([^\]\n]*)\]\([^)\n]*\)/g, '$1')
    .replace(/<br\s*\/?>/gi, ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replace(/&#(\d{1,6});/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll('&amp;', '&')
    .replace(/\\([\\`*_{}[\]()#+\-.!|<>])/g, '$1');
}

type Structure = { headings: string[]; cells: string[]; items: string[] };

function structureOf(markdown: string): Structure {
  const found: Structure = { headings: [], cells: [], items: [] };
  let fenced = false;
  const lines = markdown.split('\n');
  for (const [index, line] of lines.entries()) {
    if (/^\s*(```|~~~)/.test(line)) fenced = !fenced;
    if (fenced) continue;
    const underlined = /^\s{0,3}(?:=+|-+)\s*$/.test(lines[index + 1] ?? '') && /^\s{0,3}[^\s|#>-]/.test(line);
    const heading = /^\s{0,3}#{1,6}\s+(.*)$/.exec(line) ?? (underlined ? [line, line] : null);
    const item = /^\s*(?:[-*+]|\d+[.)])\s+(.*)$/.exec(line);
    if (heading !== null) pushKey(found.headings, heading[1]!);
    else if (/^\s*\|.*\|\s*$/.test(line)) {
      if (!/^[\s|:-]+$/.test(line))
        for (const cell of line
          .trim()
          .slice(1, -1)
          .split(/(?<!\\)\|/))
          pushKey(found.cells, cell);
    } else if (item !== null) pushKey(found.items, item[1]!);
  }
  return found;
}

function pushKey(keys: string[], text: string): void {
  const key = tokensOf(plainText(text)).join('');
  if (key !== '') keys.push(key);
}

function compare(got: readonly string[], expected: readonly string[]): Kept {
  const counts = new Map<string, number>();
  for (const each of expected) counts.set(each, (counts.get(each) ?? 0) + 1);
  let matched = 0;
  for (const each of got) {
    const left = counts.get(each) ?? 0;
    if (left > 0) {
      matched++;
      counts.set(each, left - 1);
    }
  }
  return { matched, got: got.length, expected: expected.length };
}
