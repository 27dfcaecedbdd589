import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type FileList, listFiles } from '../../src/cli/file-list.ts';
import { tempDir } from '../support/temp-dir.ts';

const nobody = 65_534;

/** Root may read everything: as root, a listing is made as nobody. */
async function listAsNobody(path: string): Promise<FileList> {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(nobody);
  try {
    return await listFiles([path], '');
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

describe('the files of a folder', () => {
  it('are listed around one that may not be read, and the folder is not taken for whole', async () => {
    await using dir = await tempDir();
    await chmod(dir.path, 0o755);
    const top = join(dir.path, 'top');
    for (const name of ['a', 'closed', 'z']) {
      await mkdir(join(top, name), { recursive: true });
      await writeFile(join(top, name, 'file.txt'), name);
    }
    await chmod(join(top, 'closed'), 0o000);

    const list = await listAsNobody(top);
    await chmod(join(top, 'closed'), 0o755);

    expect(list.files.map(({ docId }) => docId)).toEqual(['top/a/file.txt', 'top/z/file.txt']);
    expect(list.unreadable).toEqual([
      { path: join(top, 'closed'), error: expect.stringContaining('The folder could not be read') as string },
    ]);
    expect(list.folders.map(({ isWhole }) => isWhole)).toEqual([false]);
  });
});
