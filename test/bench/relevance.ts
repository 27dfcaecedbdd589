/** What `relevance` tells apart, measured: right first hits against the first hits of questions that the collection does not answer. */
import { usualRating } from '../../src/search/ranking/relevance.ts';
import type { DocumentIndex, SearchHit } from '../../src/search/document-index.ts';

type Asked = { readonly id: string; readonly text: string };

export type RelevanceInput = {
  readonly index: Pick<DocumentIndex, 'search'>;
  /** The same documents, a tenth of them. */
  readonly tenth: Pick<DocumentIndex, 'search'>;
  readonly queries: readonly Asked[];
  readonly isRight: (query: string, docId: string) => boolean;
  /** Questions of another collection. */
  readonly unrelated: readonly Asked[];
};

/** Of right first hits that a threshold keeps. */
const keptShare = 0.95;
/** The one that is documented. */
const documented = usualRating;

/** Figures for a table: area under the curve, what a threshold of 95 % and the documented one do, how far a tenfold collection moves a passage. */
export async function relevanceFigures({
  index,
  tenth,
  queries,
  isRight,
  unrelated,
}: RelevanceInput): Promise<Record<string, string>> {
  const right: number[] = [];
  for (const { id, text } of queries) {
    const hit = await firstHit(index, text);
    if (hit !== null && isRight(id, hit.docId)) right.push(hit.relevance);
  }
  const wrong: number[] = [];
  for (const { text } of unrelated) wrong.push((await firstHit(index, text))?.relevance ?? 0);
  const moves: number[] = [];
  for (const { text } of queries) {
    const small = await firstHit(tenth, text);
    const large = small === null ? null : await firstHit(index, text, small.docId);
    if (small !== null && large?.start === small.start) moves.push(Math.abs(large.relevance - small.relevance));
  }
  const least = right.toSorted((a, b) => a - b)[Math.floor(right.length * (1 - keptShare))] ?? 0;
  const share = (list: readonly number[], fits: (value: number) => boolean) =>
    `${((100 * list.filter(fits).length) / Math.max(1, list.length)).toFixed(1)} %`;
  return {
    'right first hits': String(right.length),
    'unrelated questions': String(wrong.length),
    'area under the curve': areaUnder(right, wrong).toFixed(3),
    'threshold that keeps 95 %': least.toFixed(3),
    'unrelated dropped by it': share(wrong, (value) => value < least),
    [`right kept by ${documented}`]: share(right, (value) => value >= documented),
    [`unrelated dropped by ${documented}`]: share(wrong, (value) => value < documented),
    'moved by ten times the documents': `${(moves.reduce((sum, one) => sum + one, 0) / Math.max(1, moves.length)).toFixed(3)} (19 of 20 by less than ${(moves.toSorted((a, b) => a - b)[Math.floor(moves.length * 0.95)] ?? 0).toFixed(3)})`,
  };
}

async function firstHit(index: Pick<DocumentIndex, 'search'>, query: string, docId?: string): Promise<SearchHit | null> {
  const filter = docId === undefined ? {} : { docIds: [docId] };
  const { hits } = await index.search({ query, mode: 'hybrid', topK: 1, offset: 0, filter });
  return hits[0] ?? null;
}

/** How often a right one is rated above a wrong one, ties counting half. */
function areaUnder(right: readonly number[], wrong: readonly number[]): number {
  let above = 0;
  for (const one of right) for (const other of wrong) above += one > other ? 1 : one === other ? 0.5 : 0;
  return above / Math.max(1, right.length * wrong.length);
}
