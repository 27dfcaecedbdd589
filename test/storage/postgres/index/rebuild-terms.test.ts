/** An index in PostgreSQL whose terms another version of this program made. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { Chunk } from '../../../../src/chunk/chunk.ts';
import { createBuiltinEmbedder } from '../../../../src/embed/builtin-embedder.ts';
import { tokensVersion } from '../../../../src/search/analysis/tokens.ts';
import { createBlobs } from '../../../../src/storage/postgres/blobs.ts';
import { type Database, openDatabase } from '../../../../src/storage/postgres/database.ts';
import { createPostgresIndex, type PostgresIndex } from '../../../../src/storage/postgres/index/postgres-index.ts';
import { docKeyOf } from '../../../../src/storage/postgres/jobs.ts';
import { migrate, requireSchema } from '../../../../src/storage/postgres/schema.ts';
import { newId, silentLogger } from '../../../support/engine-steps.ts';
import { sharedPostgres } from '../../../support/shared-postgres.ts';
import { stageDocument } from '../../../support/staged-document.ts';

async function openIndex(): Promise<{ database: Database; index: PostgresIndex }> {
  const server = await sharedPostgres();
  const url = await server.newDatabase();
  const database = await openDatabase({ url, connectionsMax: 4, idleInTransactionMs: 0, logger: silentLogger });
  onTestFinished(async () => {
    await database.close();
    await server[Symbol.asyncDispose]();
  });
  return {
    database,
    index: createPostgresIndex({ database, embedder: createBuiltinEmbedder(), merges: false, logger: silentLogger }),
  };
}

/** A document of one chunk; `header`: what the table that it is cut from is headed by, kept in its file alone. */
async function add(
  { database, index }: Awaited<ReturnType<typeof openIndex>>,
  docId: string,
  header: string | null,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'terms-'));
  const version = newId();
  await index.replace(await stageDocument(folder, { docId, version, texts: [`zebra ${docId}`], title: 'Handbook' }), folder);
  if (header !== null) {
    const chunk: Partial<Chunk> = { index: 0, text: `zebra ${docId}`, context: header, section: [] };
    await writeFile(join(folder, 'chunks.ndjson'), `${JSON.stringify(chunk)}\n`);
    const blob = await createBlobs(database).store(join(folder, 'chunks.ndjson'));
    const values = [docKeyOf(docId), version, blob];
    await database.run(`INSERT INTO document_part(doc_key, version, part, blob) VALUES ($1, $2, 'chunks.ndjson', $3)`, values);
  }
  await rm(folder, { recursive: true });
}

async function found(index: PostgresIndex, query: string): Promise<string[]> {
  const { hits } = await index.search({ query, mode: 'keyword', topK: 10, offset: 0, filter: {} });
  return hits.map((hit) => hit.docId).toSorted();
}

it('is refused at the start and made anew by migrate, from the chunks as they were cut or as hits show them', async () => {
  const { database, index } = await openIndex();
  await add({ database, index }, 'a', 'price');
  await add({ database, index }, 'b', null);
  // What an older version left: terms that no question asks for today.
  await database.query('DELETE FROM segment');
  await database.query('UPDATE version SET tokens = tokens - 1');

  await expect(requireSchema(database)).rejects.toThrow(
    `the terms of its index have version ${tokensVersion - 1}, not ${tokensVersion}. Run "rag-intake migrate".`,
  );
  expect(await found(index, 'zebra')).toEqual([]);
  expect(await migrate(database, silentLogger)).toMatch(/ Documents whose terms were rebuilt: 2\.$/);

  await requireSchema(database);
  expect(await found(index, 'zebra')).toEqual(['a', 'b']);
  expect(await found(index, 'handbook')).toEqual(['a', 'b']);
  expect(await found(index, 'price')).toEqual(['a']);
  expect(await migrate(database, silentLogger)).toMatch(/^The tables are up to date \(version \d+\)\.$/);
});

it('is left alone when a newer version made it', async () => {
  const { database } = await openIndex();
  await database.query('UPDATE version SET tokens = tokens + 1');

  const sentence = 'The index was made by a newer version of this program; start that version.';
  await expect(requireSchema(database)).rejects.toThrow(sentence);
  await expect(migrate(database, silentLogger)).rejects.toThrow(sentence);
  await database.query('UPDATE version SET tokens = tokens - 1');
});
