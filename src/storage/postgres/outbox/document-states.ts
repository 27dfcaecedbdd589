/**
 * What a searcher is told of a document: its state at one moment, its texts included, however often it is replaced while that is told. A number
 * that is not current any more is told together with the one in its place. So at no moment has the searcher a part of a document, or nothing of
 * one that was there all the time.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { completeDocument, type IndexedDocument } from '../../../search/document-index.ts';
import { type Change, type FollowedChunk, followedChunk } from '../../../search/following/following-searcher.ts';
import type { Database, Row } from '../database.ts';
import { firstChunkOf } from '../index/index-catalog.ts';
import type { StoredChunk } from '../index/stored-chunk.ts';
import type { Noted } from './outbox.ts';

type Gone = Extract<Change, { is: 'gone' }>;
type There = Extract<Change, { is: 'there' }>;

/** `rows`: of the outbox that are told by it; `rowsOfThere`: those of them that name the number that is there. */
export type DocumentState = {
  readonly rows: readonly number[];
  readonly rowsOfThere: readonly number[];
  readonly gone: readonly Gone[];
  readonly there: There | null;
};

export function changesOf({ gone, there }: DocumentState): Change[] {
  return there === null ? [...gone] : [...gone, there];
}

/** Chunks that are read, and cut into terms, at a time. */
const chunksAtOnce = 128;

/**
 * Inside a transaction, whose connection the texts are read by until it ends. A document that was replaced in these few moments is left out: its
 * rows wait for the next time.
 */
export async function statesOf(database: Database, noted: readonly Noted[]): Promise<DocumentState[]> {
  const before = await currentOf(database, noted);
  await openTexts(database, before);
  const after = new Set((await currentOf(database, noted)).map(numberOf));
  const unchanged = (row: Row | undefined): boolean => row === undefined || after.has(numberOf(row));
  const byKey = new Map(before.map((row) => [row['doc_key'] as string, row]));
  const byNumber = new Map(before.map((row) => [numberOf(row), row]));
  const currentFor = ({ document, docKey }: Noted): Row | undefined =>
    docKey === null ? byNumber.get(document) : byKey.get(docKey);
  const inOuter = AsyncLocalStorage.snapshot();
  return [...Map.groupBy(noted, ({ document, docKey }) => docKey ?? document).values()].flatMap((rows) => {
    const current = currentFor(rows[0]!);
    return unchanged(current) ? [stateOf(rows, current === undefined ? null : there(database, current, inOuter))] : [];
  });
}

function stateOf(noted: readonly Noted[], current: There | null): DocumentState {
  const isThere = ({ document }: Noted): boolean => document === current?.document.id;
  const gone = new Set(noted.filter((row) => !isThere(row)).map(({ document }) => document));
  return {
    rows: noted.map(({ id }) => id),
    rowsOfThere: noted.filter(isThere).map(({ id }) => id),
    gone: [...gone].map((id) => ({ is: 'gone', id })),
    there: current,
  };
}

function currentOf(database: Database, noted: readonly Noted[]): Promise<Row[]> {
  const keys = noted.flatMap(({ docKey }) => docKey ?? []);
  const numbers = noted.flatMap(({ document, docKey }) => (docKey === null ? document : []));
  const sql = `SELECT id, doc_key, collection, chunks, record FROM document WHERE doc_key = ANY($1::text[]) OR id = ANY($2::bigint[])`;
  return database.query(sql, [keys, numbers]);
}

function numberOf(row: Row): number {
  return row['id'] as number;
}

/** A cursor goes on to show what was there when it was opened. */
async function openTexts(database: Database, current: readonly Row[]): Promise<void> {
  if (current.length === 0) return;
  const opened = current.map((row) => {
    const first = firstChunkOf(numberOf(row));
    const range = `id >= ${first} AND id < ${first + (row['chunks'] as number)}`;
    return `DECLARE ${cursorOf(numberOf(row))} SCROLL CURSOR FOR SELECT id, body FROM chunk WHERE ${range} ORDER BY id`;
  });
  await database.query(opened.join(';'));
}

function cursorOf(document: number): string {
  return `texts_${document}`;
}

type InOuter = ReturnType<typeof AsyncLocalStorage.snapshot>;

function there(database: Database, row: Row, inOuter: InOuter): There {
  const id = numberOf(row);
  const { title } = completeDocument(JSON.parse(row['record'] as string) as IndexedDocument);
  const read = (): AsyncGenerator<FollowedChunk[]> => chunksOf((sql) => inOuter(() => database.query(sql)), id, title);
  return { is: 'there', document: { id, collection: row['collection'] as string, chunks: row['chunks'] as number, read } };
}

async function* chunksOf(
  query: (sql: string) => Promise<Row[]>,
  document: number,
  title: string | null,
): AsyncGenerator<FollowedChunk[]> {
  await query(`MOVE ABSOLUTE 0 IN ${cursorOf(document)}`);
  for (;;) {
    const rows = await query(`FETCH ${chunksAtOnce} FROM ${cursorOf(document)}`);
    if (rows.length === 0) return;
    yield rows.map((row) => {
      const { text, section, context = '' } = JSON.parse(row['body'] as string) as StoredChunk;
      return followedChunk(row['id'] as number, { text, section: JSON.parse(section) as string[], context }, title);
    });
  }
}
