/** The index keeps its contract with PostgreSQL's full text as the searcher that follows. */
import { afterAll, beforeAll } from 'vitest';
import { createBuiltinEmbedder } from '../../../../src/embed/builtin-embedder.ts';
import { openDatabase } from '../../../../src/storage/postgres/database.ts';
import { createFulltextSearcher, fulltextTables } from '../../../../src/storage/postgres/fulltext-searcher.ts';
import { createPostgresIndex } from '../../../../src/storage/postgres/index/postgres-index.ts';
import type { DocumentIndex } from '../../../../src/search/document-index.ts';
import { describeDocumentIndex } from '../../../contract/document-index-contract.ts';
import { silentLogger } from '../../../support/engine-steps.ts';
import { type Databases } from '../../../support/postgres.ts';
import { sharedPostgres } from '../../../support/shared-postgres.ts';

let server: Databases;
beforeAll(async () => void (server = await sharedPostgres()));
afterAll(() => server[Symbol.asyncDispose]());

/** A database for each folder that a test names. */
const databases = new Map<string, string>();

async function open(indexDir: string): Promise<DocumentIndex> {
  const url = databases.get(indexDir) ?? (await server.newDatabase());
  databases.set(indexDir, url);
  const database = await openDatabase({ url, connectionsMax: 4, idleInTransactionMs: 0, logger: silentLogger });
  const index = createPostgresIndex({
    database,
    embedder: createBuiltinEmbedder(),
    merges: true,
    logger: silentLogger,
    follows: { searcher: createFulltextSearcher(database), tables: fulltextTables },
  });
  let closed = false;
  return {
    ...index,
    async close() {
      if (closed) return;
      closed = true;
      await index.close();
      await database.close();
    },
  };
}

describeDocumentIndex('the PostgreSQL index with full text', open);
