/**
 * What a reader keeps in memory of the index: the listed segments and which of their rows are still there. Brought up to date
 * at the start of every search, inside its transaction, at the cost of what changed (other processes write too).
 */
import type { IndexDatabase } from './database.ts';
import type { Collection } from './scorer.ts';
import { BlockCache, Segment, segmentIds } from './segments.ts';

/** Posting blocks kept in memory, by each thread. */
const blockBytesMax = 64 * 1024 * 1024;

export class Snapshot {
  readonly #database: IndexDatabase;
  readonly #blocks: BlockCache;
  #change = -1;
  #removedSeq = 0;
  #segments = new Map<number, Segment>();
  /** 1 for rows that are there; absent while all are. */
  readonly #live = new Map<number, Uint8Array>();
  #collection: Collection = { chunks: 0, averageLength: 1 };

  constructor(database: IndexDatabase) {
    this.#database = database;
    this.#blocks = new BlockCache(database, blockBytesMax);
  }

  get segments(): Segment[] {
    return [...this.#segments.values()];
  }

  get collection(): Collection {
    return this.#collection;
  }

  /** Call inside a read transaction, before anything else. */
  refresh(): void {
    const change = this.#database.get("SELECT value FROM meta WHERE key = 'change'")!['value'] as number;
    if (change === this.#change) return;
    const known = this.#segments;
    const fresh: Segment[] = [];
    this.#segments = new Map(
      segmentIds(this.#database).map((id) => {
        const segment = known.get(id) ?? new Segment(this.#database, this.#blocks, id);
        if (!known.has(id)) fresh.push(segment);
        return [id, segment];
      }),
    );
    for (const id of this.#live.keys()) if (!this.#segments.has(id)) this.#live.delete(id);
    this.#applyRemovals(fresh);
    this.#collection = describe(this.segments);
    this.#change = change;
  }

  /** Rows that may be found, for a filter by document; null for all. */
  allowed(segment: Segment, documents: ReadonlySet<number> | null): Uint8Array | null {
    const live = this.#live.get(segment.id) ?? null;
    if (documents === null) return live;
    const rows = new Uint8Array(segment.chunks);
    for (const document of documents) {
      for (const run of segment.runsOf(document)) rows.fill(1, run.firstRow, run.firstRow + run.chunks);
    }
    if (live !== null) for (let row = 0; row < rows.length; row++) rows[row]! &= live[row]!;
    return rows;
  }

  /** A segment that is new here may hold documents that were removed long ago, an old one those removed since. */
  #applyRemovals(fresh: readonly Segment[]): void {
    for (const row of this.#database.all('SELECT seq, document FROM removed ORDER BY seq')) {
      const seq = row['seq'] as number;
      const segments = seq > this.#removedSeq ? this.#segments.values() : fresh;
      for (const segment of segments) this.#hide(segment, row['document'] as number);
      this.#removedSeq = Math.max(this.#removedSeq, seq);
    }
  }

  #hide(segment: Segment, document: number): void {
    for (const run of segment.runsOf(document)) {
      let live = this.#live.get(segment.id);
      if (live === undefined) this.#live.set(segment.id, (live = new Uint8Array(segment.chunks).fill(1)));
      live.fill(0, run.firstRow, run.firstRow + run.chunks);
    }
  }
}

function describe(segments: readonly Segment[]): Collection {
  let chunks = 0;
  let length = 0;
  for (const segment of segments) {
    chunks += segment.chunks;
    length += segment.length;
  }
  return { chunks, averageLength: chunks === 0 ? 1 : length / chunks };
}
