/** The index of one program or another: of this one, or of version 0.1.0, whose files stand in other folders. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { createBuiltinEmbedder } from '../../src/embed/builtin-embedder.ts';
import type { openSqliteIndex, SqliteIndex } from '../../src/search/sqlite/sqlite-index.ts';

/** `main`: the `main.ts` of the program. The older one has no dictionary. */
export async function openProgram(main: string, folder: string, translates: boolean): Promise<SqliteIndex> {
  const source = dirname(main);
  const now = join(source, 'search', 'sqlite', 'sqlite-index.ts');
  const [{ openSqliteIndex: open }, { createBuiltinEmbedder: create }] = (await Promise.all([
    import(existsSync(now) ? now : join(source, 'search', 'sqlite-index.ts')),
    import(join(source, 'embed', 'builtin-embedder.ts')),
  ])) as [{ openSqliteIndex: typeof openSqliteIndex }, { createBuiltinEmbedder: typeof createBuiltinEmbedder }];
  return open({ indexDir: folder, embedder: create(), translates });
}
