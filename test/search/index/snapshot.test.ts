import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createBuiltinEmbedder } from '../../../src/embed/builtin-embedder.ts';
import { openDatabase } from '../../../src/search/sqlite/database.ts';
import { BlockCache } from '../../../src/search/index/segments.ts';
import { followDatabase, Snapshot } from '../../../src/search/index/snapshot.ts';
import { openSqliteIndex } from '../../../src/search/sqlite/sqlite-index.ts';
import type { TaskId } from '../../../src/tasks/task.ts';
import { stageDocument } from '../../support/staged-document.ts';
import { tempDir } from '../../support/temp-dir.ts';

const versions = 100;

it('memory does not grow under documents that are only replaced: blocks of segments that were merged away are let go', async () => {
  await using dir = await tempDir();
  const index = openSqliteIndex({ indexDir: dir.path, embedder: createBuiltinEmbedder() });
  const reader = openDatabase(dir.path);
  const [snapshot, blocks] = [new Snapshot(), new BlockCache(reader, Infinity)];
  const refresh = followDatabase(reader, 'default', snapshot, blocks);

  for (let version = 0; version < versions; version += 1) {
    const folder = await mkdtemp(join(tmpdir(), 'staged-'));
    const id = `0190a0b0-0000-7000-8000-${String(version).padStart(12, '0')}` as TaskId;
    const document = await stageDocument(folder, { docId: 'same', version: id, texts: [`heron number ${version}`] });
    expect(await index.replace(document, folder)).toBe('ok');
    while (index.tidy());
    reader.read(() => {
      refresh();
      for (const segment of snapshot.segments) segment.find('heron');
    });
    await rm(folder, { recursive: true });
  }

  const stored = reader.get('SELECT sum(length(data)) AS bytes FROM posting_block')!['bytes'] as number;
  expect(blocks.bytes).toBeGreaterThan(0);
  expect(blocks.bytes).toBeLessThanOrEqual(stored);
  reader.close();
  await index.close();
});
