/**
 * A ranked row as a hit that can be cited. Pure. A hit is bounded in all its parts, whatever was stored before there were bounds, so
 * that a page of 100 has at most 7 MB as JSON.
 */
import { beginningOf, chunkCharactersMax, shortened } from '../../chunk/chunk.ts';
import { type IndexedDocument, type SearchHit, titleOf } from '../document-index.ts';
import { highlight } from './highlights.ts';
import type { Ranked } from './ranking.ts';
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

/** Hits that are spread out together (`spread.ts`). */
export const poolHits = 256;

/** Chunks that are ranked for a page, in whole parts of `poolHits`. */
export function poolSize(wanted: number): number {
  let size = poolHits;
  while (size < 4 * wanted) size *= 2;
  return size;
}

/** Finds in a text what the query asked for. */
export function markerOf(ranked: Ranked): (text: string) => [number, number][] {
  const marked = new Set(ranked.terms.map((term) => term.term));
  const chars = !ranked.tokens.some((token) => token.kind === 'pair');
  return (text) => highlight(text, marked, { chars });
}

export function toHit(
  scored: Scored,
  document: IndexedDocument,
  row: ChunkRow,
  mark: (text: string) => [number, number][],
): SearchHit {
  const run = scored.segment.runAt(scored.row);
  const text = beginningOf(row.text, chunkCharactersMax);
  return {
    score: scored.score,
    docId: document.docId,
    version: document.version,
    filename: document.filename,
    title: titleOf(document),
    metadata: document.metadata,
    text,
    highlights: mark(text).slice(0, highlightsMax),
    acrossLanguages: scored.across === true,
    chunkIndex: scored.row - run.firstRow,
    start: row.start,
    end: row.start + text.length,
    page: row.page,
    pageEnd: row.page_end,
    section: (JSON.parse(row.section) as string[]).slice(0, headingsMax).map((heading) => shortened(heading, headingCharactersMax)),
  };
}
