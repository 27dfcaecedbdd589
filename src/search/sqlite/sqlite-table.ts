/** The tables of documents (`index/document-table.ts`) of an index file. */
import { nameOf } from '../../documents/document-name.ts';
import type { Metadata } from '../../tasks/given.ts';
import type { DocumentQuery } from '../document-index.ts';
import type { Filter } from '../filters.ts';
import { DocumentTable, type DocumentTables, keepTables, type PageOfIds, type TableRow } from '../index/document-table.ts';
import { changeOf } from '../index/segments.ts';
import type { IndexDatabase, Row } from './database.ts';

/** Of one collection. What is asked inside a read transaction is answered as the index is then. */
export interface SqliteTable {
  readonly bytes: number;
  matching(filter: Filter): ReadonlySet<number>;
  page(query: DocumentQuery): PageOfIds;
}

/** Rows that are read at once. */
const rowsAtOnce = 5000;
const columns =
  'id, doc_id, filename, media_type, inserted_at, pages, file_bytes, language, coalesce(given_title, title) AS title, chunks, metadata';

export function followTables(database: IndexDatabase): DocumentTables<SqliteTable> {
  return keepTables((collection) => followTable(database, collection));
}

export function followTable(database: IndexDatabase, collection: string, table = new DocumentTable()): SqliteTable {
  let seen = -1;

  function refresh(): void {
    const change = changeOf(database, collection);
    if (change === seen) return;
    table.apply(rowsSince(seen));
    const there = database.get('SELECT documents FROM collection WHERE name = ?', collection)?.['documents'] ?? 0;
    if (table.size > (there as number)) {
      const rows = database.all('SELECT id FROM document WHERE collection = ?', collection);
      table.keepOnly(new Set(rows.map((row) => row['id'] as number)));
    }
    seen = change;
  }

  function* rowsSince(change: number): Generator<TableRow> {
    const sql = `SELECT ${columns}, change FROM document WHERE collection = ? AND (change, id) > (?, ?) ORDER BY change, id LIMIT ${rowsAtOnce}`;
    for (let after: [number, number] = [change, Number.MAX_SAFE_INTEGER]; ;) {
      const rows = database.all(sql, collection, ...after);
      for (const row of rows) yield toTableRow(row);
      const last = rows.at(-1);
      if (last === undefined || rows.length < rowsAtOnce) return;
      after = [last['change'] as number, last['id'] as number];
    }
  }

  return {
    get bytes() {
      return table.bytes;
    },
    matching(filter) {
      refresh();
      return table.matching(filter) ?? table.match(filter, rowsSince(-1));
    },
    page(query) {
      refresh();
      return table.page(query, rowsSince(-1));
    },
  };
}

function toTableRow(row: Row): TableRow {
  const metadata = row['metadata'] as string | null;
  return {
    id: row['id'] as number,
    doc_id: nameOf(row['doc_id'] as string).docId,
    filename: row['filename'] as string,
    media_type: row['media_type'] as string,
    inserted_at: row['inserted_at'] as string,
    pages: row['pages'] as number | null,
    file_size: row['file_bytes'] as number,
    language: row['language'] as string | null,
    title: row['title'] as string | null,
    chunks: row['chunks'] as number,
    metadata: metadata === null ? null : (JSON.parse(metadata) as Metadata),
  };
}
