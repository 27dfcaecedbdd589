/**
 * What is kept in memory of every document, so that filters, and lists that are sorted or searched by name, read no table: asked the
 * same way on every engine. An index brings it up to date at the start of what it answers, at the cost of what changed.
 *
 * Memory: `bytesMax` for all collections together; documents of one that say more are read anew for each question (`isWhole`).
 */
import { foldName, nameOf } from '../../documents/document-name.ts';
import type { Metadata } from '../../tasks/given.ts';
import { OrderedPage, readPlace } from '../../tasks/ordered-page.ts';
import type { DocumentOrder, DocumentQuery, DocumentSort } from '../document-index.ts';
import { type Filter, type Filterable, type Matcher, matcherOf } from '../filters.ts';

/** A document as a table row says it. */
export type TableRow = Filterable & {
  readonly id: number;
  readonly title: string | null;
  readonly chunks: number;
};

/** Ids of one page in their order, and where it ended. */
export type PageOfIds = { readonly ids: readonly number[]; readonly nextCursor: string | null };

type Entry = TableRow & {
  /** Its names as they are looked through, and its rough size in memory. */
  readonly names: string;
  readonly bytes: number;
};

/** What all tables may take, in bytes. */
const bytesMax = 64 * 1024 * 1024;
/** Filters whose documents are remembered. */
const filtersKept = 16;
/** Collections whose tables are kept, however small. */
const tablesMax = 200;
/** Of an entry and its place in the table. */
const entryBytes = 400;

export class DocumentTable {
  readonly #bytesMax: number;
  #entries = new Map<number, Entry>();
  #bytes = 0;
  #isWhole = true;
  readonly #kept = new Map<string, { readonly matches: Matcher; readonly ids: Set<number> }>();

  constructor(most = bytesMax) {
    this.#bytesMax = most;
  }

  /** False once the documents say more than may be kept: then every question needs all rows. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Rows that are new or changed. */
  apply(rows: Iterable<TableRow>): void {
    for (const row of rows) {
      for (const { matches, ids } of this.#kept.values())
        if (matches(row)) ids.add(row.id);
        else ids.delete(row.id);
      if (this.#isWhole) this.#keep(entryOf(row));
    }
  }

  /** The documents that there are: all others are forgotten. */
  keepOnly(ids: ReadonlySet<number>): void {
    for (const [id, { bytes }] of this.#entries) {
      if (ids.has(id)) continue;
      this.#entries.delete(id);
      this.#bytes -= bytes;
    }
    for (const kept of this.#kept.values()) for (const id of kept.ids) if (!ids.has(id)) kept.ids.delete(id);
  }

  /** Ids of the documents that a filter lets through; null when they must be told from all rows (`match`). */
  matching(filter: Filter): ReadonlySet<number> | null {
    const key = JSON.stringify(filter);
    const known = this.#kept.get(key);
    if (known === undefined) return this.#isWhole ? this.match(filter, this.#entries.values()) : null;
    this.#kept.delete(key);
    this.#kept.set(key, known);
    return known.ids;
  }

  /** The same from these rows, which are all; remembered. */
  match(filter: Filter, rows: Iterable<TableRow>): ReadonlySet<number> {
    const matches = matcherOf(filter);
    const ids = new Set<number>();
    for (const row of rows) if (matches(row)) ids.add(row.id);
    this.#kept.set(JSON.stringify(filter), { matches, ids });
    if (this.#kept.size > filtersKept) this.#kept.delete(this.#kept.keys().next().value!);
    return ids;
  }

  /** One page of a list; `rows`: all there are, where they are not kept here. */
  page(query: DocumentQuery, rows: Iterable<TableRow> = []): PageOfIds {
    const page = new DocumentList(query);
    for (const entry of this.#isWhole ? this.#entries.values() : entriesOf(rows)) page.take(entry);
    return page.done();
  }

  #keep(entry: Entry): void {
    this.#bytes += entry.bytes - (this.#entries.get(entry.id)?.bytes ?? 0);
    this.#entries.set(entry.id, entry);
    if (this.#bytes <= this.#bytesMax) return;
    this.#isWhole = false;
    this.#entries = new Map();
    this.#bytes = 0;
  }
}

/** The tables of the collections that were asked last. */
export interface DocumentTables<T> {
  of(collection: string): T;
}

/** Tables as `make` makes them; those of the collections that were asked longest ago are let go of when all take too much. */
export function keepTables<T extends { readonly bytes: number }>(make: (collection: string) => T): DocumentTables<T> {
  const tables = new Map<string, T>();
  return {
    of(collection) {
      const table = tables.get(collection) ?? make(collection);
      tables.delete(collection);
      let bytes = [...tables.values()].reduce((sum, one) => sum + one.bytes, table.bytes);
      for (const [name, one] of tables) {
        if (bytes <= bytesMax && tables.size < tablesMax) break;
        bytes -= one.bytes;
        tables.delete(name);
      }
      tables.set(collection, table);
      return table;
    },
  };
}

/** The ids that are in both; null stands for all that there are. */
export function inBoth(one: ReadonlySet<number> | null, other: ReadonlySet<number> | null): ReadonlySet<number> | null {
  if (one === null || other === null) return one ?? other;
  return new Set([...one].filter((id) => other.has(id)));
}

function* entriesOf(rows: Iterable<TableRow>): Generator<Entry> {
  for (const row of rows) yield entryOf(row);
}

function entryOf(row: TableRow): Entry {
  const names = [row.doc_id, row.filename, row.title ?? ''].map((name) => foldName(String(name))).join('\n');
  return { ...row, names, bytes: entryBytes + 4 * names.length + sizeOf(row.metadata) };
}

/** About what an object of parsed JSON takes. */
function sizeOf(metadata: Metadata | null): number {
  return metadata === null ? 0 : 64 + 3 * JSON.stringify(metadata).length;
}

/** The documents of a list that match, put in order. */
class DocumentList {
  readonly #by: DocumentOrder;
  readonly #matches: Matcher | null;
  readonly #parts: readonly string[];
  readonly #page: OrderedPage<number>;

  constructor({ limit, cursor, after, filters, q, sort = newestFirst }: DocumentQuery) {
    this.#by = sort.by;
    this.#matches = filters === undefined ? null : matcherOf(filters);
    this.#parts = foldName(q ?? '')
      .split(/\s+/)
      .filter((part) => part !== '');
    const known = cursor === undefined ? null : readPlace(cursor, sort);
    this.#page = new OrderedPage({
      limit,
      sort,
      after: after === undefined ? known : [after.insertedAt, nameOf(after.docId).docId],
    });
  }

  take(entry: Entry): void {
    if (!this.#parts.every((part) => entry.names.includes(part)) || this.#matches?.(entry) === false) return;
    this.#page.take([valueOf(entry, this.#by), String(entry.doc_id)], entry.id);
  }

  done(): PageOfIds {
    const { items, nextCursor } = this.#page.done();
    return { ids: items, nextCursor };
  }
}

const newestFirst: DocumentSort = { by: 'inserted_at', descending: true };

function valueOf(entry: Entry, by: DocumentOrder): string | number | null {
  const value = entry[by];
  return typeof value === 'string' && by !== 'inserted_at' && by !== 'doc_id' ? foldName(value) : value;
}
