/**
 * What a searcher that follows has not been told yet: rows that say which document number changed, written in the transaction of the arbiter's
 * decision, and removed once the searcher has it. A row says nothing of what became of the document: that is read when it is told
 * (`document-states.ts`), so rows of one document may be told together, late or twice. Decisions about one doc_id are made one after the other, so their rows are in order;
 * a row of a slow transaction may come to light behind later ones of other documents, and is not missed, since no mark is kept.
 */
import type { SearcherBacklog } from '../../../search/document-index.ts';
import type { Database, Row } from '../database.ts';

/** `docKey`: of the document whose number it is or was; null where nobody knows any more, as of what only the searcher still has. */
export type Noted = { readonly id: number; readonly document: number; readonly docKey: string | null };

/** `begun`: how often all was noted anew. `left`: documents that are still to be told in a filling, counted to `fillingCountedMax` and one more. */
export type Filling = { readonly begun: number; readonly left: number };

/** What is next: some documents, or to forget everything first. */
export type Batch = { readonly is: 'documents'; readonly noted: readonly Noted[] } | { readonly is: 'clear'; readonly id: number };

export interface Outbox {
  /** Inside the transaction of a decision. */
  note(document: Omit<Noted, 'id'>, collection: string): Promise<void>;
  /** Orders to forget everything and be told all anew; of how many documents. Safe twice. */
  noteAll(): Promise<number>;
  /**
   * Everything was forgotten: notes all documents that there are now, in the caller's transaction. Not sooner: what was committed between an earlier
   * look and the forgetting may have been told already. `check` throws where it is to be undone.
   */
  cleared(id: number, check: () => void): Promise<void>;
  /** Notes some documents, whatever was said of them before. */
  noteAgain(documents: readonly number[]): Promise<void>;
  /** The number of the last row about a collection, those of a filling left out; null for none. */
  last(collection: string): Promise<number | null>;
  /** How many rows about a collection up to this one are still there. */
  countUpTo(collection: string, last: number): Promise<number>;
  /** Whether one of these documents of a collection was not told yet, fillings left out. */
  hasSome(documents: ReadonlySet<number>, collection: string): Promise<boolean>;
  filling(): Promise<Filling>;
  /** The oldest rows, of what came in and of a filling in turns; null for none. */
  next(): Promise<Batch | null>;
  /** They were told; `gone`: documents that the searcher has forgotten, whatever it refused of them before. */
  done(ids: readonly number[], gone: readonly number[]): Promise<void>;
  /** The searcher will never take these: they stand in nobody's way, until they are noted again. */
  refuse(ids: readonly number[]): Promise<void>;
  isEmpty(): Promise<boolean>;
  backlog(): Promise<SearcherBacklog>;
}

/** Rows, and chunks of their documents, that are told together. */
const rowsAtOnce = 64;
const chunksAtOnce = 4096;
/** Of a filling fewer: what comes in while they are told waits for them. */
const filledChunksAtOnce = 1024;
/** Documents that one statement of a filling notes, well within the time that a statement has. */
const notedAtOnce = 100_000;
/** Past this many a question is told that there are more. */
export const fillingCountedMax = 10_000;

export function createOutbox(database: Database): Outbox {
  async function count(where: string, values: readonly unknown[]): Promise<number> {
    const [row] = await database.query(`SELECT count(*) AS n FROM outbox WHERE NOT refused AND ${where}`, values);
    return row!['n'] as number;
  }

  return {
    async note({ document, docKey }, collection) {
      const sql = 'INSERT INTO outbox(document, doc_key, collection) VALUES ($1, $2, $3)';
      await database.run(sql, [document, docKey, collection]);
    },
    noteAll: () =>
      database.transaction(async () => {
        await database.run('UPDATE searcher SET fillings = fillings + 1');
        await database.run('DELETE FROM outbox WHERE filling OR refused');
        await database.run(`INSERT INTO outbox(document, collection, filling) VALUES (NULL, '', true)`);
        return (await database.query('SELECT count(*) AS n FROM document'))[0]!['n'] as number;
      }),
    async cleared(id, check) {
      // Of no collection: a question about one would walk over all of them.
      const sql = `WITH noted AS (INSERT INTO outbox(document, doc_key, collection, filling)
          SELECT id, doc_key, '', true FROM document WHERE id > $1 ORDER BY id LIMIT $2 RETURNING document)
        SELECT max(document) AS last FROM noted`;
      for (let last: number | null = 0; last !== null; check())
        last = (await database.query(sql, [last, notedAtOnce]))[0]!['last'] as number | null;
      await database.run('DELETE FROM outbox WHERE id = $1', [id]);
    },
    noteAgain: (documents) =>
      database.transaction(async () => {
        await database.run('DELETE FROM outbox WHERE refused AND document = ANY($1::bigint[])', [documents]);
        const sql = `INSERT INTO outbox(document, doc_key, collection, filling)
          SELECT noted, document.doc_key, '', true FROM unnest($1::bigint[]) AS noted LEFT JOIN document ON document.id = noted`;
        await database.run(sql, [documents]);
      }),
    async last(collection) {
      const sql = 'SELECT max(id) AS last FROM outbox WHERE collection = $1 AND NOT filling AND NOT refused';
      return (await database.query(sql, [collection]))[0]!['last'] as number | null;
    },
    countUpTo: (collection, last) => count('collection = $1 AND NOT filling AND id <= $2', [collection, last]),
    async hasSome(documents, collection) {
      const sql = `SELECT 1 FROM outbox WHERE collection = $2 AND NOT filling AND NOT refused AND document = ANY($1::bigint[]) LIMIT 1`;
      return (await database.query(sql, [[...documents], collection])).length > 0;
    },
    async filling() {
      const sql = `SELECT coalesce((SELECT fillings FROM searcher), 0) AS begun,
        (SELECT count(*) FROM (SELECT 1 FROM outbox WHERE filling AND NOT refused LIMIT $1) AS counted) AS left`;
      return (await database.query(sql, [fillingCountedMax + 1]))[0] as Filling;
    },
    async next() {
      const oldest = (kind: string): string => `(SELECT id, document, doc_key, filling FROM outbox
        WHERE ${kind} AND NOT refused ORDER BY id LIMIT $1)`;
      const sql = `SELECT outbox.id, outbox.document, outbox.doc_key, outbox.filling, coalesce(document.chunks, 0) AS chunks
        FROM (${oldest('NOT filling')} UNION ALL ${oldest('filling')}) AS outbox LEFT JOIN document USING (doc_key) ORDER BY outbox.id`;
      return batchOf(await database.query(sql, [rowsAtOnce]));
    },
    async done(ids, gone) {
      await database.run('DELETE FROM outbox WHERE id = ANY($1::bigint[])', [ids]);
      if (gone.length > 0) await database.run('DELETE FROM outbox WHERE refused AND document = ANY($1::bigint[])', [gone]);
    },
    async refuse(ids) {
      await database.run('UPDATE outbox SET refused = true WHERE id = ANY($1::bigint[])', [ids]);
    },
    async isEmpty() {
      return (await database.query('SELECT 1 FROM outbox WHERE NOT refused LIMIT 1')).length === 0;
    },
    async backlog() {
      const sql = `SELECT count(*) FILTER (WHERE NOT refused) AS waiting, count(DISTINCT document) FILTER (WHERE refused) AS refused,
        coalesce(extract(epoch FROM clock_timestamp() - min(noted_at) FILTER (WHERE NOT refused)), 0)::float8 AS seconds FROM outbox`;
      const [row] = await database.query(sql);
      const { waiting, refused, seconds } = row as { waiting: number; refused: number; seconds: number };
      return { waiting, refused, seconds: Math.max(0, seconds) };
    },
  };
}

function batchOf(rows: readonly Row[]): Batch | null {
  const isFilling = (row: Row): boolean => row['filling'] === true;
  const filling = rows.filter(isFilling);
  if (filling[0]?.['document'] === null) return { is: 'clear', id: filling[0]['id'] as number };
  const fresh = rows.filter((row) => !isFilling(row));
  const rowsOfEach = fresh.length > 0 && filling.length > 0 ? rowsAtOnce / 2 : rowsAtOnce;
  const noted = [...someOf(fresh, rowsOfEach, chunksAtOnce), ...someOf(filling, rowsOfEach, filledChunksAtOnce)];
  return noted.length === 0 ? null : { is: 'documents', noted };
}

/** The first rows that have so many chunks together, one at least. */
function someOf(rows: readonly Row[], rowsMax: number, chunksMax: number): Noted[] {
  const noted: Noted[] = [];
  let chunks = 0;
  for (const row of rows.slice(0, rowsMax)) {
    chunks += row['chunks'] as number;
    if (row['document'] === null || (noted.length > 0 && chunks > chunksMax)) break;
    noted.push({ id: row['id'] as number, document: row['document'] as number, docKey: row['doc_key'] as string | null });
  }
  return noted;
}
