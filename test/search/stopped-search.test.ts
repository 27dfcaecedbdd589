/** A search is stopped while it runs in its thread: between two steps, and while it waits for a model. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createLogger } from '../../src/logger.ts';
import { stopOn } from '../../src/search/stop.ts';
import { openThreadedIndex } from '../../src/search/sqlite/threaded-index.ts';
import type { TaskId } from '../../src/tasks/task.ts';
import { startModelServer } from '../support/model-server.ts';
import { stageDocument } from '../support/staged-document.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const logger = createLogger({ level: 'silent' });
const asked = { query: 'heron', mode: 'hybrid', topK: 10, offset: 0, filter: {} } as const;

it('stops waiting for an embedder that does not answer, and the thread answers the next one', async () => {
  await using dir = await tempDir();
  const requests: unknown[] = [];
  let hungUp = 0;
  const server = await startModelServer((request, response) => {
    requests.push(request);
    response.once('close', () => (hungUp += 1));
  });
  const service = { url: server.url, key: '', model: 'm', dimensions: 8, timeoutMs: 600_000, queryPrefix: '', passagePrefix: '' };
  const index = await openThreadedIndex({ indexDir: dir.path, embedder: { kind: 'openai', ...service }, threads: 1, logger });
  const folder = join(dir.path, 'staged');
  await mkdir(folder);
  const version = '0190a0b0-0000-7000-8000-000000000001' as TaskId;
  await index.replace(await stageDocument(folder, { docId: 'd', version, texts: ['a heron'] }), folder);

  const gone = new AbortController();
  const search = index.search(asked, stopOn(gone.signal));
  await until('the embedder is asked', () => requests.length === 1);
  gone.abort();
  await expect(search).rejects.toMatchObject({ code: 'unavailable' });
  await until('the embedder is no longer asked', () => hungUp === 1);
  expect((await index.search({ ...asked, mode: 'keyword' })).total).toBe(1);

  await index.close();
  await server.close();
});

it('does not begin what was given up while it waited for the thread, and ends what runs at its next step', async () => {
  await using dir = await tempDir();
  const index = await openThreadedIndex({ indexDir: dir.path, embedder: { kind: 'builtin' }, threads: 1, logger });
  const gone = new AbortController();
  const searches = Array.from({ length: 200 }, () => index.search(asked, stopOn(gone.signal)));
  gone.abort();
  const outcomes = await Promise.allSettled(searches);
  expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeLessThan(200);
  await expect(index.search(asked, stopOn(gone.signal))).rejects.toMatchObject({ code: 'unavailable' });
  expect((await index.search(asked)).total).toBe(0);
  await index.close();
});
