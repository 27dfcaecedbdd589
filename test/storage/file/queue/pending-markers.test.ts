/** What a process knows of waiting tasks that others put there. */
import { mkdir, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createDisk } from '../../../../src/storage/file/disk/disk.ts';
import { createLayout, directories } from '../../../../src/storage/file/disk/layout.ts';
import { createPendingMarkers } from '../../../../src/storage/file/queue/pending-markers.ts';
import { tempDir } from '../../../support/temp-dir.ts';
import { until } from '../../../support/until.ts';

it('are found without a watcher, those too that came in the same tick of the clock as one before them', async () => {
  await using folder = await tempDir();
  const layout = createLayout(folder.path);
  for (const path of directories(layout)) await mkdir(path, { recursive: true });
  const markers = createPendingMarkers({ ...createDisk(), watch: () => null }, layout);
  const put = (name: string): Promise<void> => writeFile(join(layout.pending.small, name), '');
  const find = (...names: string[]): Promise<void> =>
    until(`${names.join()} are found`, async () => {
      await markers.refresh();
      return markers.names('small').join() === names.join();
    });

  await put('first');
  const { mtime: tick } = await stat(layout.pending.small);
  await utimes(layout.pending.small, tick, tick);
  await markers.poll();
  await find('first');
  await put('second');
  await utimes(layout.pending.small, tick, tick);
  await markers.poll();

  await find('first', 'second');
  expect([...markers.names('large')]).toEqual([]);
  markers.close();
});
