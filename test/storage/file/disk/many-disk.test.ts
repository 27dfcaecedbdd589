import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createDisk } from '../../../../src/storage/file/disk/disk.ts';
import { tempDir } from '../../../support/temp-dir.ts';

describe('files made together', () => {
  it('are what each of them would be alone, hundreds at once', async () => {
    await using folder = await tempDir();
    await mkdir(join(folder.path, 'place'));
    const disk = createDisk().many();

    const make = async (n: number): Promise<void> => {
      const file = await disk.create(join(folder.path, `${n}.part`), 'made');
      await file.write([Buffer.from(`文件 ${n}`), Buffer.from(', whole')]);
      await file.close();
      await disk.rename(join(folder.path, `${n}.part`), join(folder.path, 'place', `${n}.txt`), 'placed');
    };
    await Promise.all(Array.from({ length: 300 }, (_, n) => make(n)));

    expect(await readdir(folder.path)).toEqual(['place']);
    expect(await readdir(join(folder.path, 'place'))).toHaveLength(300);
    for (const n of [0, 150, 299]) expect(await readFile(join(folder.path, 'place', `${n}.txt`), 'utf8')).toBe(`文件 ${n}, whole`);
  });

  it('fail one by one, with what the system said of each', async () => {
    await using folder = await tempDir();
    const disk = createDisk().many();
    const [there, gone] = [join(folder.path, 'there'), join(folder.path, 'gone')];

    const results = await Promise.allSettled([
      disk.create(there, 'first').then((file) => file.close()),
      disk.create(there, 'again'),
      disk.rename(gone, there, 'moved'),
      disk.create(join(gone, 'below'), 'below'),
    ]);

    const codes = results.map((result) => (result.status === 'rejected' ? (result.reason as NodeJS.ErrnoException).code : null));
    expect(codes).toEqual([null, 'EEXIST', 'ENOENT', 'ENOENT']);
    expect((results[1] as PromiseRejectedResult).reason).toBeInstanceOf(Error);
  });

  it('are flushed by nobody, and say so', async () => {
    await using folder = await tempDir();
    const file = await createDisk().many().create(join(folder.path, 'a'), 'made');

    await expect(file.sync()).rejects.toThrow('is not flushed');
    await file.close();
  });
});
