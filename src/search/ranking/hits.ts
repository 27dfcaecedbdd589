/**
 * A ranked row as a hit that can be cited. Pure. A hit is bounded in all its parts, whatever was stored before there were bounds, so
 * that a page of 100 has at most 7 MB as JSON.
 */
import { beginningOf, chunkCharactersMax, shortened } from '../../chunk/chunk.ts';
import { type IndexedDocument, type ListedChunk, type SearchHit, titleOf } from '../document-index.ts';
import { descriptionOf } from '../../tasks/given.ts';
import { WantedTerms } from '../analysis/wanted-terms.ts';
import { highlight } from './highlights.ts';
import type { PageRow } from './page.ts';
import type { Ranked } from './ranking.ts';
import { ratings, termsAsked } from './relevance.ts';
import type { Scored } from './scorer.ts';

const highlightsMax = 200;
const headingsMax = 8;
const headingCharactersMax = 200;

/** A chunk as an index keeps it; `section` is a JSON array of strings. Of a text that is longer than chunks are now the beginning is enough. */
export type ChunkRow = {
  readonly start: number;
  readonly end: number;
  readonly page: number | null;
  readonly page_end: number | null;
  readonly section: string;
  readonly text: string;
};

/** What a question says of passages: what to mark in them, and how well they answer. */
export type HitReader = (
  scored: Scored,
  row: Pick<ChunkRow, 'section'>,
  text: string,
) => Pick<SearchHit, 'highlights' | 'relevance'>;

export function hitReader(ranked: Ranked): HitReader {
  const marked = new Set(ranked.terms.map((term) => term.term));
  const chars = !ranked.tokens.some((token) => token.kind === 'pair');
  const wanted = new WantedTerms([...marked, ...termsAsked(ranked)]);
  const ratingOf = ratings(ranked);
  return (scored, row, text) => {
    const rating = ratingOf(scored).takeHeadings(headingsOf(row)).takeMore(text);
    const highlights = highlight(text, marked, { chars, wanted, onTerm: (term, start) => rating.take(term, start) });
    return { highlights: highlights.slice(0, highlightsMax), relevance: rating.value };
  };
}

/** A document and the id of its first chunk; the others follow it. */
type Numbered = { readonly document: IndexedDocument; readonly firstChunk: number };

/** Ids of the chunks of the same document that stand around a chunk, so many before and after it. */
export function chunksAround(
  chunkId: number,
  { document, firstChunk }: Numbered,
  count: number,
): { before: number[]; after: number[] } {
  const from = Math.max(firstChunk, chunkId - count);
  const to = Math.min(firstChunk + document.chunks - 1, chunkId + count);
  const before = Array.from({ length: chunkId - from }, (_, i) => from + i);
  return { before, after: Array.from({ length: to - chunkId }, (_, i) => chunkId + 1 + i) };
}

/** Their texts, each with as much as a hit has. */
export function textsAround(
  chunkId: number,
  entry: Numbered,
  count: number,
  textOf: (chunkId: number) => string,
): NonNullable<SearchHit['context']> {
  const { before, after } = chunksAround(chunkId, entry, count);
  const bounded = (id: number): string => beginningOf(textOf(id), chunkCharactersMax);
  return { before: before.map(bounded), after: after.map(bounded) };
}

/** A chunk as it is listed, bounded as a hit is. */
export function toListedChunk(row: ChunkRow, chunkIndex: number): ListedChunk {
  const text = beginningOf(row.text, chunkCharactersMax);
  return {
    text,
    chunkIndex,
    start: row.start,
    end: row.start + text.length,
    page: row.page,
    pageEnd: row.page_end,
    section: shownSection(row.section),
  };
}

function shownSection(section: string): string[] {
  return (JSON.parse(section) as string[]).slice(0, headingsMax).map((heading) => shortened(heading, headingCharactersMax));
}

/** The headings above a chunk, as they are rated. */
export function headingsOf({ section }: Pick<ChunkRow, 'section'>): string {
  return (JSON.parse(section) as string[]).join('\n');
}

/** A place that has the text of a hit too. */
export function placeOf(document: IndexedDocument, { page }: Pick<ChunkRow, 'page'>): NonNullable<SearchHit['alsoIn']>[number] {
  return { docId: document.docId, filename: document.filename, title: titleOf(document), page };
}

export function toHit({ scored, more }: PageRow, { document, firstChunk }: Numbered, row: ChunkRow, read: HitReader): SearchHit {
  const chunk = toListedChunk(row, scored.chunkId - firstChunk);
  return {
    ...chunk,
    score: scored.score,
    ...(more === null ? {} : { more }),
    docId: document.docId,
    version: document.version,
    filename: document.filename,
    title: titleOf(document),
    ...descriptionOf(document),
    acrossLanguages: scored.across === true,
    ...read(scored, row, chunk.text),
  };
}
