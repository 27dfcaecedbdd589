/** Documents written straight into the tables of PostgreSQL's index: a million chunks in minutes. */
import { defaultSettings } from '../../src/documents/collection.ts';
import { defaultCollection, scopedId } from '../../src/documents/document-name.ts';
import { chunkTerms } from '../../src/search/analysis/chunk-terms.ts';
import { ByteWriter } from '../../src/search/index/posting-blocks.ts';
import { SegmentBuilder } from '../../src/search/index/segments.ts';
import { createPostgresCollectionStore } from '../../src/storage/postgres/collections.ts';
import { type Database, openDatabase } from '../../src/storage/postgres/database.ts';
import { insertSegment, mergeSome } from '../../src/storage/postgres/index/segment-store.ts';
import { docKeyOf } from '../../src/storage/postgres/jobs.ts';
import type { Metadata } from '../../src/tasks/given.ts';
import type { TaskId } from '../../src/tasks/task.ts';
import { silentLogger } from '../support/engine-steps.ts';
import { createText, type MadeText } from './made-text.ts';

/** Of one document. */
export const documentChunks = 5;
const chunkWords = 60;
const documentsASegment = 1000;

export type Filling = {
  /** `default` alone where none are named. */
  readonly collections?: readonly string[];
  /** Of each document by its number, found by ranges of values (not by equal ones, which have an index of their own); none where it is absent. */
  readonly metadataOf?: (number: number) => Metadata;
};

/** `documents` in each of the collections, of `documentChunks` chunks, as the index writes them, many at a time. */
export async function fillTables(
  url: string,
  documents: number,
  say: (progress: string) => void,
  { collections = [defaultCollection], metadataOf = () => ({}) }: Filling = {},
): Promise<void> {
  const database = await openDatabase({ url, connectionsMax: 2, idleInTransactionMs: 0, logger: silentLogger });
  for (const [at, collection] of collections.entries()) {
    // The same of a collection wherever it is.
    const text = createText(7 + at);
    if (collection !== defaultCollection) await addCollection(database, collection);
    for (let first = 0; first < documents; first += documentsASegment) {
      if ((at * documents + first) % 20_000 === 0) say(`${at * documents + first} of ${collections.length * documents} documents`);
      const some = { first: at * documents + first, count: Math.min(documentsASegment, documents - first), collection, metadataOf };
      await database.transaction(() => insertDocuments(database, text, some));
    }
  }
  say('merging');
  while (await mergeSome(database, new Set()));
  await database.close();
}

async function addCollection(database: Database, name: string): Promise<void> {
  const nothing = { title: null, description: null, settings: defaultSettings, rereadUpTo: null };
  const kept = createPostgresCollectionStore(database);
  await kept.put({ name, createdAt: '2026-01-01T00:00:00.000Z', ...nothing });
}

type Some = {
  readonly first: number;
  readonly count: number;
  readonly collection: string;
  readonly metadataOf: (number: number) => Metadata;
};

async function insertDocuments(database: Database, text: MadeText, { first, count, collection, metadataOf }: Some): Promise<void> {
  const builder = new SegmentBuilder();
  const runs = new ByteWriter();
  const numbers = Array.from({ length: count }, (_, n) => first + n);
  const sql = `INSERT INTO document(doc_key, version, chunks, record, filename, media_type, inserted_at, embedder, metadata, collection)
    SELECT key, version, $3, record, '"a.txt"', 'text/plain', '2026-01-01T00:00:00.000Z', 'builtin', '{}', $5
    FROM unnest($1::text[], $2::uuid[], $4::text[]) AS made(key, version, record) RETURNING id`;
  const keys = numbers.map((number) => docKeyOf(docIdOf(collection, number)));
  const records = numbers.map((number) => JSON.stringify(record(collection, number, metadataOf(number))));
  const rows = await database.query(sql, [keys, numbers.map(versionOf), documentChunks, records, collection]);
  await database.run('INSERT INTO committed(version) SELECT * FROM unnest($1::uuid[])', [numbers.map(versionOf)]);
  await database.run('INSERT INTO fence(doc_key, version) SELECT * FROM unnest($1::text[], $2::uuid[])', [
    keys,
    numbers.map(versionOf),
  ]);
  const [ids, bodies]: [number[], string[]] = [[], []];
  for (const row of rows) {
    const document = row['id'] as number;
    for (const value of [document, document * 2 ** 20, documentChunks]) runs.varint(value);
    for (let chunk = 0; chunk < documentChunks; chunk += 1) {
      const words = text.words(chunkWords);
      builder.add(chunkTerms({ text: words, context: '', section: [] }, null));
      ids.push(document * 2 ** 20 + chunk);
      bodies.push(JSON.stringify({ start: 0, end: words.length, page: 1, page_end: 1, section: '[]', text: words }));
    }
  }
  await database.run('INSERT INTO chunk(id, body) SELECT * FROM unnest($1::bigint[], $2::text[])', [ids, bodies]);
  await insertSegment(database, collection, { ...builder.build(0, 0), runs: runs.take() });
}

function docIdOf(collection: string, number: number): string {
  return scopedId({ collection, docId: `d${number}` });
}

function record(collection: string, number: number, metadata: Metadata): object {
  const sizes = { fileBytes: 1, sha256: '0'.repeat(64), pages: 1, chunks: documentChunks, characters: 1 };
  const nothing = { title: null, author: null, language: null };
  const names = { docId: docIdOf(collection, number), version: versionOf(number), filename: 'a.txt', mediaType: 'text/plain' };
  return { ...names, ...sizes, ...nothing, metadata, insertedAt: '2026-01-01T00:00:00.000Z', embedder: 'builtin' };
}

function versionOf(number: number): TaskId {
  return `0190a0b0-0000-7000-8000-${String(number).padStart(12, '0')}` as TaskId;
}
