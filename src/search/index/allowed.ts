/** Which rows may be found: documents are let through as wholes, by a filter and by what is still there. */
import type { Run, Segment } from './segments.ts';

/** Of a segment: 1 for rows that may be found, 0 for the others, a document's rows all alike; null for all. */
export type Allowed = (segment: Segment) => Uint8Array | null;

/** Known where the rows were made of few documents: to look for them among all costs as much as all do. */
const runsOf = new WeakMap<Uint8Array, readonly Run[]>();

/** The rows of these documents that are still there, in whichever segment. */
export function allowedRows(documents: ReadonlySet<number>): (segment: Segment) => Uint8Array {
  const sorted = Float64Array.from(documents).sort();
  return (segment) => {
    const rows = new Uint8Array(segment.chunks);
    const runs = runsOfDocuments(segment, documents, sorted);
    for (const { firstRow, chunks } of runs) rows.fill(1, firstRow, firstRow + chunks);
    runsOf.set(rows, runs);
    return rows;
  };
}

function runsOfDocuments(segment: Segment, documents: ReadonlySet<number>, sorted: Float64Array): readonly Run[] {
  const { live } = segment;
  // A document is there as a whole, or not at all.
  const isThere = ({ firstRow }: Run): boolean => live === null || live[firstRow] === 1;
  if (documents.size >= segment.runs.length) return segment.runs.filter((run) => documents.has(run.document) && isThere(run));
  const few: Run[] = [];
  // Documents that came together lie together: most segments have none of those that another one has.
  for (let at = firstFrom(sorted, segment.documents.first); at < sorted.length && sorted[at]! <= segment.documents.last; at++)
    for (const run of segment.runsOf(sorted[at]!)) if (isThere(run)) few.push(run);
  return few.sort((a, b) => a.firstRow - b.firstRow);
}

/** The first place from which on the numbers are no lower than this. */
function firstFrom(sorted: Float64Array, least: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < least) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The documents of a segment that may be found, in the order of their rows. */
export function mayRuns(segment: Segment, may: Uint8Array | null): readonly Run[] {
  if (may === null || may === segment.live) return segment.runs;
  let runs = runsOf.get(may);
  if (runs === undefined) runsOf.set(may, (runs = segment.runs.filter(({ firstRow }) => may[firstRow] === 1)));
  return runs;
}
