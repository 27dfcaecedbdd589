import { createBuiltinEmbedder } from '../../src/embed/builtin-embedder.ts';
import { openSqliteIndex } from '../../src/search/sqlite/sqlite-index.ts';
import { openThreadedIndex } from '../../src/search/sqlite/threaded-index.ts';
import { describeDocumentIndex } from '../contract/document-index-contract.ts';
import { createLogger } from '../../src/logger.ts';

describeDocumentIndex('the SQLite index in the same thread', async (indexDir) =>
  openSqliteIndex({ indexDir, embedder: createBuiltinEmbedder() }),
);

describeDocumentIndex('the SQLite index in threads of its own', (indexDir) =>
  openThreadedIndex({ indexDir, embedder: { kind: 'builtin' }, threads: 2, logger: createLogger({ level: 'silent' }) }),
);
