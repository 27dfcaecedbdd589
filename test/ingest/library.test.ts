/** What is asked of stored documents. */
import { rm, truncate } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { createLibrary } from '../../src/ingest/library.ts';
import { beginNext, settle, upload } from '../support/engine-steps.ts';
import { createFileEngineHarness } from '../support/file-engine-harness.ts';

it.each([
  ['is cut short', (path: string) => truncate(path, 1)],
  ['is gone', (path: string) => rm(path)],
])('says that a document is damaged whose text or file %s, and not that there is none', async (_what, damage) => {
  await using harness = await createFileEngineHarness();
  const engine = await harness.open('worker');
  await upload(engine, 'words of a document', { docId: 'a' });
  const { lease, task } = await beginNext(engine);
  await settle(engine, lease, task);
  const library = createLibrary({ engine, cancel: (id, how) => engine.tasks.cancel(id, how) });
  for (const part of ['content.md', 'original'] as const) {
    const path = await engine.files.localPath({ kind: 'document', docId: 'a', version: task.id, part });
    await damage(path!);
  }

  const damaged = 'The stored text or file of this document is damaged; upload it again.';
  await expect(library.content('a')).rejects.toThrow(damaged);
  await expect(library.original('a')).rejects.toThrow(damaged);
  await library.remove('a');
  expect(await library.content('a')).toBeNull();
});
