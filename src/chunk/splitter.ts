/**
 * Cuts a document into chunks by its structure. A heading begins a chunk and goes with what follows it; small neighbours of one
 * section are joined up to the size; a table, list, code block or paragraph that fits stays whole, a larger one is cut by rows
 * (its header repeated in `context`), items, lines or sentences, and only what has none of these at a word or a character.
 * No chunk goes on to another page than the one it begins on, except by the end of a sentence or a row. What counts no tokens (white
 * space, characters without width) makes no chunk by itself, and no chunk long.
 */
import type { Block, ParsedDocument } from '../parse/parser.ts';
import { type Chunk, chunkCharactersMax, shortened } from './chunk.ts';
import { sentenceEnds, softBreak } from './sentences.ts';
import { countTokens, isBlank, isSurrogatePair, offsetAfterTokens } from './tokenizer.ts';

export type SplitOptions = {
  /** Most tokens (as `countTokens` counts) of a chunk and its context together; at least 16. */
  readonly tokensMax: number;
  /** Tokens that a chunk repeats of the one before it, in whole pieces, as far as one section and page go; absent: none. */
  readonly overlap?: number;
};

/** A stretch of the Markdown that is not cut any further. */
type Piece = {
  readonly start: number;
  readonly end: number;
  readonly tokens: number;
  /** The table header that it needs when it does not follow it. */
  readonly context: Context | null;
  readonly page: number | null;
  readonly pageEnd: number | null;
  readonly section: readonly string[];
  readonly isHeading: boolean;
};

type Context = { readonly text: string; readonly tokens: number };

/**
 * The chunks in order. They cover everything that counts a token, without overlap unless it is asked for; each is
 * `markdown.slice(start, end)`.
 * Lazy, linear in the text, and holds no more than two chunks' pieces at a time.
 */
export function* splitDocument(document: ParsedDocument, options: SplitOptions): Generator<Chunk> {
  const { markdown } = document;
  let index = 0;
  const { overlap = 0 } = options;
  const tokensMax = options.tokensMax - overlap;
  let before: readonly Piece[] = [];
  for (const own of joinPieces(piecesOf(document, tokensMax), tokensMax)) {
    const pieces = [...repeated(before, own, overlap), ...own];
    before = own;
    const first = pieces[0]!;
    const last = pieces.at(-1)!;
    yield {
      index: index++,
      start: first.start,
      end: last.end,
      text: markdown.slice(first.start, last.end),
      context: first.context?.text ?? '',
      section: sectionOf(pieces),
      page: textPage(pieces),
      pageEnd: last.pageEnd ?? last.page ?? first.pageEnd,
    };
  }
}

/** The last pieces of a chunk that the next one repeats. Headings are not: they stand above what they head, in its section. */
function repeated(before: readonly Piece[], own: readonly Piece[], overlap: number): readonly Piece[] {
  let [from, tokens] = [before.length, 0];
  while (from > 0) {
    const piece = before[from - 1]!;
    tokens += piece.tokens;
    const isOneText = !piece.isHeading && piece.section === own[0]!.section && samePage([piece], own);
    if (tokens > overlap || !isOneText || own.at(-1)!.end - piece.start > chunkCharactersMax) break;
    from -= 1;
  }
  return before.slice(from);
}

/** Below this share of the size a chunk is joined with a neighbour where that is possible. */
const smallShare = 0.2;

/**
 * Fills chunks with pieces. One chunk is held back until the next is known, so that a small remainder can be shared out with it.
 */
function* joinPieces(pieces: Iterable<Piece>, tokensMax: number): Generator<Piece[]> {
  const small = Math.floor(tokensMax * smallShare);
  let held: Piece[] = [];
  let current: Piece[] = [];
  let currentTokens = 0;
  /** Headings that wait for what they head. */
  let heads: Piece[] = [];
  let headTokens = 0;

  function* close(): Generator<Piece[]> {
    if (current.length === 0) return;
    const joinable = held.length > 0 && currentTokens < small && samePage(held, current);
    const shared = joinable ? share(held, current, tokensMax) : null;
    if (shared === null) {
      if (held.length > 0) yield held;
      held = current;
    } else {
      if (shared.length === 2) yield shared[0]!;
      held = shared.at(-1)!;
    }
    current = [];
    currentTokens = 0;
  }

  /** Puts pieces that belong together into this chunk, or into the next when it is full. */
  function* put(group: readonly Piece[], tokens: number): Generator<Piece[]> {
    if (group.length === 0) return;
    if (current.length > 0 && (currentTokens + tokens > tokensMax || !fits(current, group) || !samePage(current, group)))
      yield* close();
    if (current.length === 0) currentTokens = group[0]!.context?.tokens ?? 0;
    current.push(...group);
    currentTokens += tokens;
  }

  for (const piece of pieces) {
    if (heads.length > 0 && (headTokens + piece.tokens > tokensMax || !fits(heads, [piece]))) {
      yield* put(heads, headTokens);
      heads = [];
      headTokens = 0;
    }
    if (piece.isHeading) {
      if (currentTokens >= small && heads.length === 0) yield* close();
      heads.push(piece);
      headTokens += piece.tokens;
      continue;
    }
    yield* put([...heads, piece], headTokens + piece.tokens);
    heads = [];
    headTokens = 0;
  }
  yield* put(heads, headTokens);
  yield* close();
  if (held.length > 0) yield held;
}

/** Whether the characters from the first piece to the last are not too many for one chunk. */
function fits(before: readonly Piece[], after: readonly Piece[]): boolean {
  return after.at(-1)!.end - before[0]!.start <= chunkCharactersMax;
}

/** A chunk keeps to the page that its text begins on, so that a citation names the page and not a range of them. */
function samePage(before: readonly Piece[], after: readonly Piece[]): boolean {
  return textPage(before) === textPage(after);
}

function textPage(pieces: readonly Piece[]): number | null {
  return (pieces.find((piece) => !piece.isHeading) ?? pieces[0]!).page;
}

/** Two neighbours as one chunk, or as two of about the same size; null when a section begins between them and they do not fit. */
function share(before: Piece[], after: Piece[], tokensMax: number): Piece[][] | null {
  const all = [...before, ...after];
  const tokens = sumTokens(all);
  if (tokens <= tokensMax && fits(before, after)) return [all];
  if (after[0]!.isHeading) return null;
  let taken = before[0]!.context?.tokens ?? 0;
  let cut = 0;
  while (cut < before.length - 1 && taken + all[cut]!.tokens <= tokens / 2) taken += all[cut++]!.tokens;
  while (cut > 0 && all[cut - 1]!.isHeading) cut--;
  const second = all.slice(cut);
  return cut === 0 || sumTokens(second) > tokensMax || !fits(second, after) ? null : [all.slice(0, cut), second];
}

function sumTokens(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => sum + piece.tokens, pieces[0]!.context?.tokens ?? 0);
}

/** What all its text stands under; headings alone stand under themselves. */
function sectionOf(pieces: readonly Piece[]): readonly string[] {
  const texts = pieces.filter((piece) => !piece.isHeading);
  if (texts.length === 0) return pieces.at(-1)!.section;
  let common = texts[0]!.section;
  for (const { section } of texts) {
    if (section === common) continue;
    const differs = common.findIndex((heading, depth) => section[depth] !== heading);
    if (differs !== -1) common = common.slice(0, differs);
  }
  return common;
}

function* piecesOf(document: ParsedDocument, tokensMax: number): Generator<Piece> {
  const { markdown } = document;
  const blocks: Iterable<Block> =
    document.blocks.length > 0 ? document.blocks : [{ kind: 'paragraph', start: 0, end: markdown.length, page: null }];
  let path: { level: number; title: string }[] = [];
  let section: readonly string[] = [];
  /** What the headings just above take of the chunk that they begin. */
  let headTokens = 0;
  for (const block of blocks) {
    const { start, end } = trimmed(markdown, block.start, block.end);
    if (start === end) continue;
    const isHeading = block.kind === 'heading';
    if (isHeading) {
      const level = block.level ?? 1;
      path = [...path.filter((each) => each.level < level), { level, title: headingTitle(markdown.slice(start, end)) }];
      section = path.map((each) => each.title);
    }
    const budget = Math.max(Math.ceil(tokensMax / 2), tokensMax - headTokens);
    for (const cut of cutBlock(markdown, block, start, end, budget)) {
      yield { ...cut, ...pagesOf(block, cut.start, cut.end), section, isHeading };
      headTokens = isHeading ? headTokens + cut.tokens : 0;
    }
  }
}

const headingCharactersMax = 200;

/** Tags that may stand inside of a heading; what else is in angle brackets is text (`List<T>`). */
const headingTags =
  /<\/?(?:a|abbr|b|br|center|code|del|div|em|font|h[1-6]|i|img|ins|kbd|mark|p|s|small|span|strong|sub|sup|u)(?:\s[^<>]*)?\/?>/gi;

/** The words of a heading as a path shows them, without markup; a heading as long as a page is shortened. */
function headingTitle(markdown: string): string {
  const title = withoutMarkup(markdown.slice(0, 1000))
    .replace(/^[ \t]{0,3}#{1,6}[ \t]+/, '')
    .replace(/\n[ \t]{0,3}(?:=+|-+)[ \t]*$/, '')
    .replace(/[ \t]#+[ \t]*$/, '')
    .replace(/\s+/g, ' ')
    .trim();
  return shortened(title, headingCharactersMax);
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', nbsp: ' ', '#39': "'" };

function withoutMarkup(heading: string): string {
  return heading
    .replace(headingTags, '')
    .replace(/!?\[([^[\]]*)\]\([^()\s]*(?:\s"[^"]*")?\)/g, '$1')
    .replace(/(?<!\\)(\*{1,3}|`{1,2})(?=\S)([^*`]+?)(?<=[^\s\\])\1/g, '$2')
    .replace(/\\([!-/:-@[-`{-~])/g, '$1')
    .replace(/&(amp|lt|gt|quot|nbsp|#39);/g, (_, name: string) => entities[name]!);
}

/** Exact where the parser told where pages begin; otherwise the block's whole range. */
function pagesOf(block: Block, start: number, end: number): { page: number | null; pageEnd: number | null } {
  const breaks = block.pageBreaks;
  if (breaks === undefined || breaks.length === 0) return { page: block.page, pageEnd: block.pageEnd ?? block.page };
  return { page: pageAt(block, breaks, start), pageEnd: pageAt(block, breaks, end - 1) };
}

function pageAt(block: Block, breaks: NonNullable<Block['pageBreaks']>, offset: number): number | null {
  return breaks.findLast((each) => each.offset <= offset)?.page ?? block.page;
}

type Cut = Pick<Piece, 'start' | 'end' | 'tokens' | 'context'>;

function* cutBlock(markdown: string, block: Block, start: number, end: number, tokensMax: number): Generator<Cut> {
  const onePage = block.pageBreaks === undefined || block.pageBreaks.length === 0;
  const tokens = onePage ? tokensIfSmall(markdown, start, end, tokensMax) : null;
  if (tokens !== null) yield { start, end, tokens, context: null };
  else if (block.kind === 'table') yield* cutTable(markdown, start, end, tokensMax);
  else if (block.kind === 'list' || block.kind === 'code') yield* cutLines(markdown, start, end, tokensMax, null);
  else yield* cutSentences(markdown, start, end, tokensMax, null);
}

/** The tokens of what fits into a chunk; null for what does not, of which a long text is not counted. */
function tokensIfSmall(markdown: string, start: number, end: number, tokensMax: number): number | null {
  if (end - start > chunkCharactersMax) return null;
  const tokens = countTokens(markdown, start, end);
  return tokens <= tokensMax ? tokens : null;
}

/** Row by row; every row but the first knows the header, unless that takes more than half of the room. */
function* cutTable(markdown: string, start: number, end: number, tokensMax: number): Generator<Cut> {
  const headerEnd = lineEnd(markdown, start, end);
  const delimiterEnd = headerEnd < end ? lineEnd(markdown, headerEnd + 1, end) : headerEnd;
  const isGfm = /^[\s:|-]+$/.test(markdown.slice(headerEnd, delimiterEnd));
  if (!isGfm) return yield* cutLines(markdown, start, end, tokensMax, null);
  const context = contextOf(markdown, start, delimiterEnd, tokensMax / 2) ?? contextOf(markdown, start, headerEnd, tokensMax / 2);
  yield* cutLines(markdown, start, delimiterEnd, tokensMax, null);
  yield* cutLines(markdown, delimiterEnd, end, tokensMax - (context?.tokens ?? 0), context);
}

function contextOf(markdown: string, start: number, end: number, tokensMax: number): Context | null {
  const tokens = countTokens(markdown, start, end);
  return tokens <= tokensMax && end - start <= chunkCharactersMax / 2 ? { text: markdown.slice(start, end), tokens } : null;
}

/** Line by line; a line that is too long by sentences. */
function* cutLines(markdown: string, start: number, end: number, tokensMax: number, context: Context | null): Generator<Cut> {
  for (let at = start; at < end;) {
    const next = lineEnd(markdown, at, end);
    const line = trimmed(markdown, at, next);
    at = next + 1;
    if (line.start === line.end) continue;
    const tokens = tokensIfSmall(markdown, line.start, line.end, tokensMax);
    if (tokens !== null) yield { ...line, tokens, context };
    else yield* cutSentences(markdown, line.start, line.end, tokensMax, context);
  }
}

function* cutSentences(markdown: string, start: number, end: number, tokensMax: number, context: Context | null): Generator<Cut> {
  let from = start;
  for (const to of sentenceEnds(markdown, start, end)) {
    const sentence = trimmed(markdown, from, to);
    from = to;
    if (sentence.start === sentence.end) continue;
    const tokens = tokensIfSmall(markdown, sentence.start, sentence.end, tokensMax);
    if (tokens !== null) yield { ...sentence, tokens, context };
    else yield* cutHard(markdown, sentence.start, sentence.end, tokensMax, context);
  }
}

/** No sentence ends in it: after a clause or a word where there is one, else anywhere between two characters. */
function* cutHard(markdown: string, start: number, end: number, tokensMax: number, context: Context | null): Generator<Cut> {
  for (let at = start; at < end;) {
    const limit = Math.max(offsetAfterTokens(markdown, at, furthest(markdown, at, end), tokensMax), at + 1);
    const to = limit === end ? end : softBreak(markdown, at, limit);
    const piece = trimmed(markdown, at, to);
    at = to;
    if (piece.start < piece.end) yield { ...piece, tokens: countTokens(markdown, piece.start, piece.end), context };
  }
}

/** How far a chunk from `at` on may reach by its characters alone. */
function furthest(text: string, at: number, end: number): number {
  const most = at + chunkCharactersMax;
  if (most >= end) return end;
  return isSurrogatePair(text.charCodeAt(most - 1), text.charCodeAt(most)) ? most - 1 : most;
}

function lineEnd(text: string, start: number, end: number): number {
  const at = text.indexOf('\n', start);
  return at === -1 || at > end ? end : at;
}

function trimmed(text: string, start: number, end: number): { start: number; end: number } {
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return { start, end };
}
