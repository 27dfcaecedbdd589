/**
 * The tables of documents (`search/index/document-table.ts`) of a database. What changed since it was looked at last is told by the
 * number of the transaction that wrote a row: all that were not yet visible then have one that is not below the horizon of that look.
 */
import { nameOf } from '../../../documents/document-name.ts';
import { completeDocument, type DocumentQuery, type IndexedDocument, titleOf } from '../../../search/document-index.ts';
import type { Filter } from '../../../search/filters.ts';
import {
  DocumentTable,
  type DocumentTables,
  keepTables,
  type PageOfIds,
  type TableRow,
} from '../../../search/index/document-table.ts';
import type { Database, Row } from '../database.ts';

/** Of one collection. To be asked inside a transaction of one snapshot, by one at a time, in the order of their snapshots. */
export interface PostgresTable {
  readonly bytes: number;
  matching(filter: Filter): Promise<ReadonlySet<number>>;
  page(query: DocumentQuery): Promise<PageOfIds>;
}

/** Rows that are read at once. */
const rowsAtOnce = 2000;

export function followTables(database: Database): DocumentTables<PostgresTable> {
  return keepTables((collection) => followTable(database, collection));
}

export function followTable(database: Database, collection: string, table = new DocumentTable()): PostgresTable {
  /** The horizon of the last look. Nothing was seen below it that is not there now, unless it is gone. */
  let horizon = '0';

  async function refresh(): Promise<void> {
    const sql =
      'SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS horizon, count(*) AS n FROM document WHERE collection = $1';
    const [now] = await database.query(sql, [collection]);
    for await (const rows of rowsSince(horizon)) table.apply(rows);
    // Without a filter on what is gone: its id is never used again, so it only has to be forgotten at some time.
    if (table.size > (now!['n'] as number)) {
      const ids = await database.query('SELECT id FROM document WHERE collection = $1', [collection]);
      table.keepOnly(new Set(ids.map((row) => row['id'] as number)));
    }
    horizon = now!['horizon'] as string;
  }

  /** A row of another database, which was copied here, may have a number that is not reached yet: it is read in the first look alone. */
  async function* rowsSince(from: string): AsyncGenerator<TableRow[]> {
    const since = from === '0' ? '' : 'AND changed >= $4::xid8 AND changed < pg_snapshot_xmax(pg_current_snapshot())';
    const sql = `SELECT id, record FROM document WHERE collection = $1 AND id > $2 ${since} ORDER BY id LIMIT $3`;
    for (let after = 0; ;) {
      const rows = await database.query(sql, [collection, after, rowsAtOnce, ...(from === '0' ? [] : [from])]);
      yield rows.map(toTableRow);
      if (rows.length < rowsAtOnce) return;
      after = rows.at(-1)!['id'] as number;
    }
  }

  async function allRows(): Promise<TableRow[]> {
    const all: TableRow[] = [];
    for await (const rows of rowsSince('0')) all.push(...rows);
    return all;
  }

  return {
    get bytes() {
      return table.bytes;
    },
    async matching(filter) {
      await refresh();
      return table.matching(filter) ?? table.match(filter, await allRows());
    },
    async page(query) {
      await refresh();
      return table.page(query, table.isWhole ? [] : await allRows());
    },
  };
}

function toTableRow(row: Row): TableRow {
  const document = completeDocument(JSON.parse(row['record'] as string) as IndexedDocument);
  return {
    id: row['id'] as number,
    doc_id: nameOf(document.docId).docId,
    filename: document.filename,
    media_type: document.mediaType,
    inserted_at: document.insertedAt,
    pages: document.pages,
    file_size: document.fileBytes,
    language: document.language,
    title: titleOf(document),
    chunks: document.chunks,
    metadata: document.metadata,
  };
}
