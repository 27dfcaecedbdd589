/**
 * What a reader keeps in memory of the index: the listed segments and which of their rows are still there. Brought up to date
 * at the start of every search, inside its transaction, at the cost of what changed (other processes write too).
 */
import type { IndexDatabase } from '../sqlite/database.ts';
import type { Collection } from '../ranking/scorer.ts';
import type { Language } from '../translation/concepts.ts';
import { type Allowed, allowedRows } from './allowed.ts';
import { rememberPlaces } from './term-places.ts';
import { type BlockCache, changeOf, readSegment, removedFrom, type Segment, segmentIds } from './segments.ts';

/** Segments as a ranking looks through them, and the figures of their whole collection. */
export type Searched = {
  readonly segments: readonly Segment[];
  readonly collection: Collection;
  /** The figures of what is in a language, where the segments are not all that there is; absent where they are. */
  readonly collectionIn?: (language: Language) => Collection;
};

export class Snapshot {
  /** Documents whose rows are hidden where they still have some. */
  #removed: ReadonlySet<number> = new Set();
  #segments = new Map<number, Segment>();
  #listed: readonly Segment[] = [];
  #collection: Collection = { chunks: 0, averageLength: 1 };

  /** The same array until the segments change. */
  get segments(): readonly Segment[] {
    return this.#listed;
  }

  get collection(): Collection {
    return this.#collection;
  }

  has(id: number): boolean {
    return this.#segments.has(id);
  }

  /**
   * The segments that are listed now (`read` is asked for those that are new here), and the documents removed from them. Returns
   * those that were merged away: let go of what is kept of them, or memory grows under documents that are only replaced.
   */
  update(ids: readonly number[], read: (id: number) => Segment, removed: ReadonlySet<number>): Segment[] {
    const fresh: Segment[] = [];
    const known = this.#segments;
    this.#segments = new Map(
      ids.map((id) => {
        const segment = known.get(id) ?? read(id);
        if (!known.has(id)) fresh.push(segment);
        return [id, segment];
      }),
    );
    if (fresh.length > 0 || known.size > this.#segments.size) this.#list();
    this.#hide(removed, fresh);
    this.#collection = describe(this.segments);
    return [...known.values()].filter((segment) => !this.has(segment.id));
  }

  #list(): void {
    const segments = [...this.#segments.values()];
    rememberPlaces(segments, this.#listed);
    this.#listed = segments;
  }

  /** Rows of a segment that may be found, for a filter by document, made once each; null for all. Documents are let through as wholes. */
  allowed(documents: ReadonlySet<number> | null): Allowed {
    if (documents === null) return ({ live }) => live;
    const made = new Map<Segment, Uint8Array>();
    const rowsIn = allowedRows(documents);
    return (segment) => {
      const rows = made.get(segment) ?? rowsIn(segment);
      made.set(segment, rows);
      return rows;
    };
  }

  /** A segment that is new here may hold documents that were removed long ago, an old one those removed since. */
  #hide(removed: ReadonlySet<number>, fresh: readonly Segment[]): void {
    for (const document of removed) {
      for (const segment of this.#removed.has(document) ? fresh : this.#segments.values()) segment.hide(document);
    }
    this.#removed = removed;
  }
}

/** Keeps a snapshot of one collection of an index file. What it returns is to be called first in every read transaction. */
export function followDatabase(database: IndexDatabase, collection: string, snapshot: Snapshot, blocks: BlockCache): () => void {
  let seen = -1;
  return () => {
    const change = changeOf(database, collection);
    if (change === seen) return;
    const ids = segmentIds(database, collection);
    const gone = snapshot.update(ids, (id) => readSegment(database, blocks, id), removedFrom(database, collection));
    for (const segment of gone) blocks.forget(segment.blocks);
    seen = change;
  };
}

function describe(segments: readonly Segment[]): Collection {
  let chunks = 0;
  let length = 0;
  for (const segment of segments) {
    chunks += segment.liveChunks;
    length += segment.liveLength;
  }
  return { chunks, averageLength: chunks === 0 ? 1 : length / chunks };
}
