/** A folder of a test's own, removed when the test is done with it. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type TempDir = AsyncDisposable & { readonly path: string };

/** Memory where the system has such a file system: rename, links and watchers are the same there, and fsync costs nothing. */
const fastest = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** @param parent where to make it. */
export async function tempDir(parent: string = fastest): Promise<TempDir> {
  const path = await mkdtemp(join(parent, 'rag-intake-'));
  return {
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 5 }),
  };
}
