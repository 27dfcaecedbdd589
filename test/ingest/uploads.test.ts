import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { scopedId } from '../../src/documents/document-name.ts';
import { AppError } from '../../src/errors.ts';
import { createUploads, type UploadsOptions, type WholeUpload } from '../../src/ingest/uploads.ts';
import type { Engine } from '../../src/storage/engine.ts';
import { newId } from '../support/engine-steps.ts';
import { createFileEngineHarness, type FileEngineHarness } from '../support/file-engine-harness.ts';

let harness: FileEngineHarness;
let engine: Engine;

beforeEach(async () => {
  harness = await createFileEngineHarness();
  engine = await harness.open('frontend');
});
afterEach(() => harness[Symbol.asyncDispose]());

const now = (): string => new Date().toISOString();
const uploadsWith = (options: Partial<UploadsOptions> = {}): ReturnType<typeof createUploads> =>
  createUploads({ engine, syncBytesMax: 1000, queueTasksMax: 100, attemptsMax: 3, newId, now, ...options });

const whole = (docId: string, text: string, collection = 'default'): WholeUpload => ({
  content: Buffer.from(text),
  docId: scopedId({ collection, docId }),
  filename: `${docId}.txt`,
  declaredMediaType: null,
  keyId: null,
  caller: '127.0.0.1',
  callbackUrl: null,
});

/** `ok`, or the code of what refused it. */
const ends = (results: readonly PromiseSettledResult<unknown>[]): string[] =>
  results.map((result) => (result.status === 'fulfilled' ? 'ok' : (result.reason as AppError).code));

describe('many small files as one', () => {
  it('are refused one by one', async () => {
    const countQuota = (keyId: string | null, bytes: number): void => {
      if (bytes > 10) throw new AppError('quota_exceeded', `More than ${keyId} may bring`);
    };
    const uploads = uploadsWith({ countQuota });

    const results = await uploads.submitAll([
      whole('a', 'kept'),
      whole('b', ''),
      whole('c', 'more than ten bytes'),
      whole('d', 'gone', 'removed'),
      { ...whole('e', 'told'), callbackUrl: 'https://example.com' },
      whole('f', 'kept too'),
    ]);

    expect(ends(results)).toEqual(['ok', 'invalid_document', 'quota_exceeded', 'not_found', 'invalid_request', 'ok']);
    expect(await engine.tasks.counts()).toEqual({ pending: 2, processing: 0 });
  });

  it('find room in the queue from the first to the last', async () => {
    const uploads = uploadsWith({ queueTasksMax: 3 });

    expect(ends(await uploads.submitAll(['a', 'b'].map((id) => whole(id, id))))).toEqual(['ok', 'ok']);
    expect(ends(await uploads.submitAll(['c', 'd', 'e'].map((id) => whole(id, id))))).toEqual(['ok', 'queue_full', 'queue_full']);
    expect(ends(await uploads.submitAll([whole('f', 'f')]))).toEqual(['queue_full']);
  });

  it('look at what waits once, while there is room for many more', async () => {
    let looks = 0;
    const counted: Engine = { ...engine, queue: { ...engine.queue, waiting: () => ((looks += 1), engine.queue.waiting()) } };
    const uploads = uploadsWith({ engine: counted, queueTasksMax: 1000 });

    for (const group of ['a', 'b', 'c', 'd']) expect(ends(await uploads.submitAll([whole(group, group)]))).toEqual(['ok']);

    expect(looks).toBeLessThan(4);
  });

  it('do not overrun the queue together with others that come in meanwhile', async () => {
    const uploads = uploadsWith({ queueTasksMax: 3 });

    const results = await Promise.all(['a', 'b', 'c'].map((id) => uploads.submitAll([whole(`${id}1`, id), whole(`${id}2`, id)])));

    expect(ends(results.flat()).filter((end) => end === 'ok').length).toBeLessThanOrEqual(3);
    expect((await engine.tasks.counts()).pending).toBeLessThanOrEqual(3);
  });
});
