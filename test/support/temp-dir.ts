/** A folder of a test's own, removed when the test is done with it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type TempDir = AsyncDisposable & { readonly path: string };

/** @param parent where to make it; the system's temporary directory by default. */
export async function tempDir(parent: string = tmpdir()): Promise<TempDir> {
  const path = await mkdtemp(join(parent, 'rag-intake-'));
  return {
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 5 }),
  };
}
