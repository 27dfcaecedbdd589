/** What every FileStore does, wherever the bytes lie. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { finished } from 'node:stream/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DocumentPart } from '../../src/documents/document-part.ts';
import type { Engine } from '../../src/storage/engine.ts';
import type { Task } from '../../src/tasks/task.ts';
import { beginNext, newId, settle, stage, upload } from '../support/engine-steps.ts';
import type { CreateHarness, EngineHarness } from './engine-harness.ts';

export function fileStoreContract(name: string, create: CreateHarness): void {
  describe(`${name} as a file store`, () => {
    let harness: EngineHarness;
    let front: Engine;
    let worker: Engine;

    beforeEach(async () => {
      harness = await create();
      front = await harness.open('frontend');
      worker = await harness.open('worker');
    });
    afterEach(() => harness[Symbol.asyncDispose]());

    const part = (task: Task, name: DocumentPart) =>
      ({ kind: 'document', docId: task.docId, version: task.id, part: name }) as const;

    async function publishOne(content: string, docId: string): Promise<Task> {
      await upload(front, content, { docId });
      const { lease, task } = await beginNext(worker);
      await settle(worker, lease, task);
      return task;
    }

    it('counts and hashes what it receives', async () => {
      const receipt = await front.files.receive({ bytesMax: 100, bytesExpected: null });
      receipt.stream.write('合同');
      receipt.stream.end(' 2026');
      await finished(receipt.stream);

      expect(receipt.bytes).toBe(11);
      expect(receipt.sha256).toBe(createHash('sha256').update('合同 2026').digest('hex'));
      await receipt.discard();
    });

    it('puts a damaged part of a version anew in its place, and leaves the others', async () => {
      const task = await publishOne('original', 'mended');
      const scratch = await worker.files.scratch(task.id);
      await writeFile(join(scratch, 'content.md'), 'made again');
      await worker.files.mend(task.docId, task.id, scratch);
      await worker.files.settle(task.docId, { id: task.id, ordinal: task.ordinal });

      const read = async (name: 'original' | 'content.md') => text((await front.files.open(part(task, name)))!.stream);
      expect([await read('content.md'), await read('original')]).toEqual(['made again', 'original']);
      expect(existsSync(scratch)).toBe(false);
      const stored = await front.files.withStored(task.docId, task.id, (folder) => readFile(join(folder, 'content.md'), 'utf8'));
      expect(stored).toBe('made again');
    });

    it('takes away what a part made anew no longer has: vectors, and what pages look like', async () => {
      const task = await publishOne('original', 'thinner');
      const fill = async (names: readonly DocumentPart[]): Promise<void> => {
        const scratch = await worker.files.scratch(task.id);
        for (const name of names) await writeFile(join(scratch, name), name);
        await worker.files.mend(task.docId, task.id, scratch);
      };
      await fill(['content.md', 'chunks.ndjson', 'vectors.bin', 'pages.ndjson']);
      expect(await text((await front.files.open(part(task, 'pages.ndjson')))!.stream)).toBe('pages.ndjson');

      await fill(['content.md', 'chunks.ndjson']);

      for (const name of ['vectors.bin', 'pages.ndjson'] as const) expect(await front.files.open(part(task, name))).toBeNull();
    });

    it('receives nothing, too', async () => {
      const receipt = await front.files.receive({ bytesMax: 100, bytesExpected: 0 });
      receipt.stream.end();
      await finished(receipt.stream);

      expect(receipt.bytes).toBe(0);
      await receipt.discard();
    });

    it('stops at the limit', async () => {
      const receipt = await front.files.receive({ bytesMax: 10, bytesExpected: null });
      receipt.stream.write('x'.repeat(11));

      await expect(finished(receipt.stream)).rejects.toMatchObject({ code: 'invalid_document' });
      await receipt.discard();
    });

    it('takes a discard at any time, and twice', async () => {
      const early = await front.files.receive({ bytesMax: 10, bytesExpected: null });
      await early.discard();
      const midway = await front.files.receive({ bytesMax: 10, bytesExpected: null });
      midway.stream.write('abc');
      await midway.discard();
      await midway.discard();

      expect(midway.stream.destroyed).toBe(true);
    });

    it('keeps a payload for the task, byte for byte', async () => {
      const task = await upload(front, '正文');
      const key = { kind: 'payload', taskId: task.id } as const;

      expect(await worker.files.stat(key)).toEqual({ bytes: 6 });
      expect(await readFile((await worker.files.localPath(key)) ?? '', 'utf8')).toBe('正文');
      const file = await worker.files.open(key);
      expect(file?.bytes).toBe(6);
      expect(await text(file!.stream)).toBe('正文');
    });

    it('gives a part of a file, wherever its bytes lie', async () => {
      const whole = Array.from({ length: 250_000 }, (_, index) => `${index}`.padStart(9, ' ')).join('\n');
      const task = await upload(front, whole);
      const key = { kind: 'payload', taskId: task.id } as const;
      const MiB = 1024 * 1024;

      for (const [first, last] of [
        [0, 0],
        [5, 20],
        [MiB - 3, MiB + 3],
        [MiB, 2 * MiB - 1],
        [whole.length - 7, whole.length - 1],
      ] as const) {
        const file = await worker.files.open(key, (bytes) => (bytes === whole.length ? { first, last } : null));
        expect([file!.bytes, await text(file!.stream)]).toEqual([whole.length, whole.slice(first, last + 1)]);
      }
      const all = await worker.files.open(key, () => null);
      expect((await text(all!.stream)) === whole).toBe(true);
    });

    it('has nothing under a name that was never given', async () => {
      const key = { kind: 'payload', taskId: newId() } as const;

      expect(await front.files.stat(key)).toBeNull();
      expect(await front.files.open(key)).toBeNull();
      expect(await front.files.localPath(key)).toBeNull();
    });

    it('publishes what was staged, with the file that was uploaded, to every process', async () => {
      const task = await publishOne('正文', '合同/../2026');

      const original = await front.files.open(part(task, 'original'));
      const content = await front.files.open(part(task, 'content.md'));

      expect(await text(original!.stream)).toBe('正文');
      expect(await text(content!.stream)).toContain('报告.txt');
    });

    it('drops the payload of a completed task, and keeps that of a failed one', async () => {
      const done = await publishOne('a', 'a');
      const failed = await upload(front, 'b');
      await front.tasks.cancel(failed.id, { force: false });

      expect(await front.files.stat({ kind: 'payload', taskId: done.id })).toBeNull();
      expect(await front.files.stat({ kind: 'payload', taskId: failed.id })).toEqual({ bytes: 1 });
    });

    it('gives an empty folder of its own to each attempt', async () => {
      const task = await upload(front, 'a');
      const first = await worker.files.scratch(task.id);
      const second = await worker.files.scratch(task.id);

      expect(first).not.toBe(second);
      expect(await readdir(second)).toEqual([]);
    });

    it('leaves no scratch folder behind when the attempt is over', async () => {
      await upload(front, 'a');
      const { lease, task } = await beginNext(worker);
      const folder = await stage(worker, task);

      await worker.tasks.release(task.id, task.attempts, { counted: true });
      await lease.release();

      expect(existsSync(folder)).toBe(false);
    });

    it('publishes twice as once', async () => {
      await upload(front, 'a', { docId: 'a' });
      const { task } = await beginNext(worker);
      await worker.files.publish(task.docId, task, await stage(worker, task));
      await worker.files.publish(task.docId, task, await stage(worker, task));

      expect(await worker.files.stat(part(task, 'original'))).toEqual({ bytes: 1 });
    });

    it('keeps the current version only', async () => {
      const old = await publishOne('old', 'a');
      const current = await publishOne('new', 'a');

      expect(await front.files.stat(part(old, 'original'))).toBeNull();
      expect(await front.files.stat(part(current, 'original'))).toEqual({ bytes: 3 });
    });

    it('does not go back to an old version when its settling comes late', async () => {
      const old = await publishOne('old', 'a');
      const current = await publishOne('new', 'a');

      await worker.files.settle('a', old);

      expect(await front.files.stat(part(current, 'original'))).toEqual({ bytes: 3 });
      expect(await listed()).toEqual([current.id]);
    });

    it('unpublishes a version that never became current, and no other', async () => {
      const current = await publishOne('a', 'a');
      await upload(front, 'b', { docId: 'a' });
      const { task } = await beginNext(worker);
      await worker.files.publish(task.docId, task, await stage(worker, task));

      await worker.files.unpublish('a', task.id);
      await worker.files.unpublish('a', task.id);
      await worker.files.unpublish('a', current.id);

      expect(await front.files.stat(part(task, 'content.md'))).toBeNull();
      expect(await front.files.stat(part(current, 'content.md'))).not.toBeNull();
    });

    it('removes what is older than a removal, and nothing that came after it', async () => {
      const first = await publishOne('a', 'a');
      const fence = await front.nextOrdinal();
      const later = await publishOne('b', 'b');

      await front.files.remove('a', fence);
      await front.files.remove('a', fence);
      await front.files.remove('b', fence);

      expect(await front.files.stat(part(first, 'original'))).toBeNull();
      expect(await front.files.stat(part(later, 'original'))).toEqual({ bytes: 1 });
      expect(await listed()).toEqual([later.id]);
    });

    it('lists every document with its current version', async () => {
      const tasks = [await publishOne('a', 'a'), await publishOne('b', '文档')];

      expect(await listed()).toEqual(tasks.map(({ id }) => id).sort());
    });

    async function listed(): Promise<string[]> {
      const versions: string[] = [];
      for await (const { folder, version } of front.files.documents()) {
        expect(existsSync(folder)).toBe(true);
        versions.push(version);
      }
      return versions.sort();
    }
  });
}
