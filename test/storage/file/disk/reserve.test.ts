/** Room for deleting on a disk that has none. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createDisk, type DiskSpace } from '../../../../src/storage/file/disk/disk.ts';
import { createReserve, type Reserve } from '../../../../src/storage/file/disk/reserve.ts';
import { noRoom, notReady } from '../../../../src/trouble.ts';
import { silentLogger } from '../../../support/engine-steps.ts';
import { tempDir } from '../../../support/temp-dir.ts';
import { until } from '../../../support/until.ts';

const mib = 1024 * 1024;
const portions = 16;

let dir: Awaited<ReturnType<typeof tempDir>>;
let space: DiskSpace;
let reserve: Reserve;

beforeEach(async () => {
  dir = await tempDir();
  space = { freeBytes: 20 * mib, totalBytes: 64 * mib, freeFiles: 1000, type: 0 };
  let count = 0;
  const disk = { ...createDisk(), space: () => Promise.resolve(space) };
  reserve = createReserve({ disk, root: dir.path, temp: () => join(dir.path, `.t.${(count += 1)}`), logger: silentLogger });
  await until('the reserve is made', async () => (await kept()) === portions && reserve.isWhole);
});
afterEach(async () => {
  reserve.close();
  await dir[Symbol.asyncDispose]();
});

async function kept(): Promise<number> {
  return (await readdir(join(dir.path, 'reserve')).catch(() => [])).length;
}

it('is given up piece by piece until a deletion finds room, and is made again when there is some beyond it', async () => {
  space = { ...space, freeBytes: 0 };
  let tries = 0;
  const deleted = await reserve.spend(async () => {
    tries += 1;
    if (tries <= 3) throw noRoom(new Error('database or disk is full'));
    return 'deleted';
  });

  expect([deleted, await kept(), reserve.isWhole]).toEqual(['deleted', portions - 3, false]);
  space = { ...space, freeBytes: 20 * mib };
  await until('it is whole again', async () => reserve.isWhole && (await kept()) === portions);
});

it('gives inodes too: a database that cannot make its journal says only that it cannot open it', async () => {
  space = { ...space, freeFiles: 0 };
  let tries = 0;

  await reserve.spend(async () => {
    if ((tries += 1) === 1) throw notReady(Object.assign(new Error('unable to open database file'), { errcode: 14 }));
  });

  expect(await kept()).toBe(portions - 1);
});

it('is kept for what room helps: an error of another kind gives nothing up, and one that lasts ends', async () => {
  const broken = reserve.spend(() => Promise.reject(new Error('a bug')));
  await expect(broken).rejects.toThrow('a bug');
  expect(await kept()).toBe(portions);

  space = { ...space, freeBytes: 0 };
  await expect(reserve.spend(() => Promise.reject(noRoom('still full')))).rejects.toMatchObject({ code: 'insufficient_storage' });
  expect(await kept()).toBe(0);
});
