/** Collections as files, of which several processes read and write. */
import { copyFile, mkdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { bareCollection } from '../../../src/documents/collection.ts';
import { createFileCollectionStore } from '../../../src/storage/file/collections.ts';
import { createDirectorySync } from '../../../src/storage/file/disk/directory-sync.ts';
import { createDisk } from '../../../src/storage/file/disk/disk.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { tempDir } from '../../support/temp-dir.ts';

it('are listed anew where one came in the tick of the change before it, however long a busy disk took to read them', async () => {
  await using folder = await tempDir();
  const collections = join(folder.path, 'collections');
  await mkdir(collections);
  const clock = fakeClock();
  const disk = createDisk();
  let temps = 0;
  const store = createFileCollectionStore({
    disk: { ...disk, list: (path, at) => disk.list(path, at).finally(() => clock.advance(60_000)) },
    layout: { collections },
    temp: () => join(folder.path, `${(temps += 1)}`),
    discard: (path) => rm(path, { force: true }),
    syncDirectory: createDirectorySync(disk),
    now: clock.now,
    guard: (work) => work(),
  });
  const names = async (): Promise<string[]> => (await store.all()).map(({ name }) => name);

  await store.put(bareCollection('a'));
  const { mtime: tick } = await stat(collections);
  await utimes(collections, tick, tick);
  clock.advance(tick.getTime() - Date.parse(clock.now()));
  expect(await names()).toEqual(['a']);
  await copyFile(join(collections, 'a.json'), join(collections, 'b.json'));
  await utimes(collections, tick, tick);

  expect(await names()).toEqual(['a', 'b']);
});
