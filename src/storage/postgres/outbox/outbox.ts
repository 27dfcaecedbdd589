/**
 * What a searcher that follows has not been told yet: rows that say which document number changed, written in the transaction of the arbiter's
 * decision, and removed once the searcher has it. A row says nothing of what became of the document: that is read when it is told, so rows
 * of one document may be told together, late or twice. Decisions about one doc_id are made one after the other, so their rows are in order;
 * a row of a slow transaction may come to light behind later ones of other documents, and is not missed, since no mark is kept.
 */
import type { SearcherBacklog } from '../../../search/document-index.ts';
import type { Database, Row } from '../database.ts';

export type Noted = { readonly id: number; readonly document: number };

/** What is next: some documents, or to forget everything first. */
export type Batch = { readonly is: 'documents'; readonly noted: readonly Noted[] } | { readonly is: 'clear'; readonly id: number };

export interface Outbox {
  /** Inside the transaction of a decision. */
  note(document: number, collection: string): Promise<void>;
  /** Notes all documents that there are, behind the order to forget everything; how many. Safe twice. */
  noteAll(): Promise<number>;
  /** Notes some documents, whatever was said of them before. */
  noteAgain(documents: readonly number[]): Promise<void>;
  /** The number of the last row about a collection, those of a filling left out; null for none. */
  last(collection: string): Promise<number | null>;
  /** How many rows about a collection up to this one are still there. */
  countUpTo(collection: string, last: number): Promise<number>;
  /** Whether one of these documents was not told yet, fillings left out. */
  hasSome(documents: ReadonlySet<number>): Promise<boolean>;
  /** How many documents are still to be told in a filling. */
  filling(): Promise<number>;
  /** The oldest rows; null for none. */
  next(): Promise<Batch | null>;
  /** They were told. */
  done(ids: readonly number[]): Promise<void>;
  /** The searcher will never take this one: it stands in nobody's way, until it is noted again. */
  refuse(id: number): Promise<void>;
  isEmpty(): Promise<boolean>;
  backlog(): Promise<SearcherBacklog>;
}

/** Rows, and chunks of their documents, that are told together. */
const rowsAtOnce = 64;
const chunksAtOnce = 4096;

export function createOutbox(database: Database): Outbox {
  async function count(where: string, values: readonly unknown[]): Promise<number> {
    const [row] = await database.query(`SELECT count(*) AS n FROM outbox WHERE NOT refused AND ${where}`, values);
    return row!['n'] as number;
  }

  return {
    async note(document, collection) {
      await database.run('INSERT INTO outbox(document, collection) VALUES ($1, $2)', [document, collection]);
    },
    noteAll: () =>
      database.transaction(async () => {
        await database.run('DELETE FROM outbox WHERE filling OR refused');
        await database.run(`INSERT INTO outbox(document, collection, filling) VALUES (NULL, '', true)`);
        return database.run(
          'INSERT INTO outbox(document, collection, filling) SELECT id, collection, true FROM document ORDER BY id',
        );
      }),
    noteAgain: (documents) =>
      database.transaction(async () => {
        await database.run('DELETE FROM outbox WHERE refused AND document = ANY($1::bigint[])', [documents]);
        const sql = `INSERT INTO outbox(document, collection, filling) SELECT noted, '', true FROM unnest($1::bigint[]) AS noted`;
        await database.run(sql, [documents]);
      }),
    async last(collection) {
      const sql = 'SELECT max(id) AS last FROM outbox WHERE collection = $1 AND NOT filling AND NOT refused';
      return (await database.query(sql, [collection]))[0]!['last'] as number | null;
    },
    countUpTo: (collection, last) => count('collection = $1 AND NOT filling AND id <= $2', [collection, last]),
    async hasSome(documents) {
      const sql = 'SELECT 1 FROM outbox WHERE NOT filling AND NOT refused AND document = ANY($1::bigint[]) LIMIT 1';
      return (await database.query(sql, [[...documents]])).length > 0;
    },
    filling: () => count('filling', []),
    async next() {
      const sql = `SELECT outbox.id, outbox.document, coalesce(document.chunks, 0) AS chunks FROM outbox LEFT JOIN document ON document.id = outbox.document
        WHERE NOT refused ORDER BY outbox.id LIMIT $1`;
      return batchOf(await database.query(sql, [rowsAtOnce]));
    },
    async done(ids) {
      await database.run('DELETE FROM outbox WHERE id = ANY($1::bigint[])', [ids]);
    },
    async refuse(id) {
      await database.run('UPDATE outbox SET refused = true WHERE id = $1', [id]);
    },
    async isEmpty() {
      return (await database.query('SELECT 1 FROM outbox WHERE NOT refused LIMIT 1')).length === 0;
    },
    async backlog() {
      const sql = `SELECT count(*) FILTER (WHERE NOT refused) AS waiting, count(*) FILTER (WHERE refused) AS refused,
        coalesce(extract(epoch FROM clock_timestamp() - min(noted_at) FILTER (WHERE NOT refused)), 0)::float8 AS seconds FROM outbox`;
      const [row] = await database.query(sql);
      const { waiting, refused, seconds } = row as { waiting: number; refused: number; seconds: number };
      return { waiting, refused, seconds: Math.max(0, seconds) };
    },
  };
}

function batchOf(rows: readonly Row[]): Batch | null {
  const [first] = rows;
  if (first === undefined) return null;
  if (first['document'] === null) return { is: 'clear', id: first['id'] as number };
  const noted: Noted[] = [];
  let chunks = 0;
  for (const row of rows) {
    chunks += row['chunks'] as number;
    if (row['document'] === null || (noted.length > 0 && chunks > chunksAtOnce)) break;
    noted.push({ id: row['id'] as number, document: row['document'] as number });
  }
  return { is: 'documents', noted };
}
