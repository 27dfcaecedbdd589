/** The index keeps its contract on another PostgreSQL as well, one that runs in this process. */
import { afterAll } from 'vitest';
import { createBuiltinEmbedder } from '../../../../src/embed/builtin-embedder.ts';
import { createPostgresIndex } from '../../../../src/storage/postgres/index/postgres-index.ts';
import { describeDocumentIndex } from '../../../contract/document-index-contract.ts';
import { silentLogger } from '../../../support/engine-steps.ts';
import { openPglite } from '../../../support/pglite.ts';

const database = await openPglite();
afterAll(() => database.close());

/** The folder that the test before named: each test has one of its own, and begins with empty tables. */
let before = '';

describeDocumentIndex('the PostgreSQL index in PGlite', async (indexDir) => {
  if (indexDir !== before)
    await database.query('TRUNCATE document, segment, removed, fence, committed, revoked, chunk, vector CASCADE');
  before = indexDir;
  return createPostgresIndex({ database, embedder: createBuiltinEmbedder(), merges: true, logger: silentLogger });
});
