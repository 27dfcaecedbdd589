/** The postings of a word together with those of its translations or synonyms: counts added, rows counted once. */
import { ByteReader, type PostingList, PostingWriter } from '../index/posting-blocks.ts';
import { eachPosting, KeptList } from '../index/unpacked.ts';
import type { Segment } from '../index/segments.ts';
import { postingsOf, type TermPostings } from '../ranking/scorer.ts';
import type { Wording } from './concepts.ts';

/** The lists of the terms of one wording, which a text must have all. */
export type WordingPostings = { readonly wording: Wording; readonly terms: readonly TermPostings[] };

/** The postings of a term. */
export type LookUp = (term: string) => TermPostings;

/** Looks each term up once, and none that is known. For one step: what it did not find may be read before the next. */
export function lookUpOnce(segments: readonly Segment[], known: ReadonlyMap<string, TermPostings>): LookUp {
  const found = new Map(known);
  return (term) => {
    let postings = found.get(term);
    if (postings === undefined) found.set(term, (postings = postingsOf(term, segments)));
    return postings;
  };
}

/** The first `count` wordings that some text has the words of. */
export function wordingsThere(wordings: readonly Wording[], lookUp: LookUp, count: number): WordingPostings[] {
  const found: WordingPostings[] = [];
  for (const wording of wordings) {
    const terms: TermPostings[] = [];
    for (const term of wording) {
      const postings = lookUp(term);
      if (postings.chunks === 0) break;
      terms.push(postings);
    }
    if (wording.length > 0 && terms.length === wording.length && found.push({ wording, terms }) === count) break;
  }
  return found;
}

/** One list of all rows that have one of the wordings, among `rows` (by segment; 1 for those that count). */
export function unionOf(
  wordings: readonly WordingPostings[],
  segments: readonly Segment[],
  rows: readonly Uint8Array[],
): TermPostings {
  let chunks = 0;
  const lists = segments.map((segment, at) => {
    const counts = new Uint8Array(segment.chunks);
    const touched: number[] = [];
    for (const { terms } of wordings) addRows(terms, at, rows[at]!, counts, touched);
    if (touched.length === 0) return null;
    chunks += touched.length;
    const writer = new PostingWriter();
    for (const row of Uint32Array.from(touched).sort()) writer.add(row, counts[row]!);
    return writer.list();
  });
  return { lists, chunks };
}

function addRows(terms: readonly TermPostings[], at: number, allowed: Uint8Array, counts: Uint8Array, touched: number[]): void {
  const lists = terms.map(({ lists: bySegment }) => bySegment[at]);
  if (!lists.every((list) => list !== null && list !== undefined)) return;
  const [first, ...others] = lists.map(rowsOf);
  const cursors = others.map(() => 0);
  for (let i = 0; i < first!.rows.length; i++) {
    const row = first!.rows[i]!;
    if (allowed[row] === 0) continue;
    let count = first!.counts[i]!;
    for (let o = 0; o < others.length && count > 0; o++) {
      const other = others[o]!;
      while (cursors[o]! < other.rows.length && other.rows[cursors[o]!]! < row) cursors[o]!++;
      count = other.rows[cursors[o]!] === row ? Math.min(count, other.counts[cursors[o]!]!) : 0;
    }
    if (count === 0) continue;
    if (counts[row] === 0) touched.push(row);
    counts[row] = Math.min(255, counts[row]! + count);
  }
}

/** A list taken apart. About 10 ns a posting. */
export function rowsOf(list: PostingList): { readonly rows: Uint32Array; readonly counts: Uint8Array } {
  const rows = new Uint32Array(list.rows);
  const counts = new Uint8Array(list.rows);
  let at = 0;
  eachPosting(list, (row, count) => {
    rows[at] = row;
    counts[at++] = count;
  });
  return { rows, counts };
}

/** Whether a list has a row. */
export function hasRow(list: PostingList, wanted: number): boolean {
  if (list instanceof KeptList) return list.has(wanted);
  const reader = new ByteReader(list.bytes);
  for (let row = 0; !reader.done();) {
    row += Math.floor(reader.varint() / 16);
    if (row >= wanted) return row === wanted;
  }
  return false;
}
