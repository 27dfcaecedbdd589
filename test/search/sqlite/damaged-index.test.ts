import { mkdir, mkdtemp, open, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLogger } from '../../../src/logger.ts';
import { openThreadedIndex, type ThreadedIndex } from '../../../src/search/sqlite/threaded-index.ts';
import type { TaskId } from '../../../src/tasks/task.ts';
import { stageDocument } from '../../support/staged-document.ts';
import { until } from '../../support/until.ts';

const logger = createLogger({ level: 'silent' });
const version = (n: number): TaskId => `0190a0b0-0000-7000-8000-${String(n).padStart(12, '0')}` as TaskId;

describe('a damaged index', () => {
  let folder: string;
  let indexDir: string;
  let opened: ThreadedIndex[];
  let stored: { folder: string; version: TaskId }[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'damaged-index-'));
    indexDir = join(folder, 'index');
    opened = [];
    stored = [];
  });

  afterEach(async () => {
    await Promise.all(opened.map((index) => index.close()));
    await rm(folder, { recursive: true, force: true });
  });

  /** One process: with `works` the one that fills the index from what is stored. */
  async function openIndex(role: 'works' | 'answers'): Promise<ThreadedIndex> {
    const documents = async function* () {
      yield* stored;
    };
    const index = await openThreadedIndex({
      indexDir,
      embedder: { kind: 'builtin' },
      threads: 1,
      logger,
      ...(role === 'works' ? { documents } : {}),
    });
    opened.push(index);
    return index;
  }

  async function store(index: ThreadedIndex, n: number): Promise<void> {
    const dir = join(folder, `document-${n}`);
    await mkdir(dir);
    const document = await stageDocument(dir, { docId: `d${n}`, version: version(n), texts: [`apple number ${n}`] });
    await index.replace(document, dir);
    stored.push({ folder: dir, version: version(n) });
  }

  async function staged(name: string, { docId, n }: { docId: string; n: number }) {
    await mkdir(join(folder, name));
    return stageDocument(join(folder, name), { docId, version: version(n), texts: [`apple of version ${n}`] });
  }

  const search = (index: ThreadedIndex) => index.search({ query: 'apple', mode: 'hybrid', topK: 50, offset: 0, filter: {} });
  const filled = (index: ThreadedIndex, hits: number) =>
    until(`${hits} hits without a notice`, async () => {
      const answer = await search(index);
      return answer.hits.length === hits && answer.notice === null;
    });

  it('is set aside and filled again from the stored documents by itself, and a search says so meanwhile', async () => {
    const index = await openIndex('works');
    for (let n = 1; n <= 8; n++) await store(index, n);
    await index.close();
    opened.pop();
    await writeFile(join(indexDir, 'index.sqlite'), 'this is no database, whatever its name says');
    const answering = await openIndex('answers');
    expect((await search(answering)).notice).toMatch(/being rebuilt/);
    await openIndex('works');
    await filled(answering, 8);
    expect(await readdir(indexDir)).toContain('damaged.sqlite');
  });

  it('is noticed while it is open, by every process', async () => {
    const working = await openIndex('works');
    const answering = await openIndex('answers');
    for (let n = 1; n <= 8; n++) await store(working, n);
    await filled(answering, 8);
    await scribble(join(indexDir, 'index.sqlite'));
    await filled(answering, 8);
    await filled(working, 8);
    await store(working, 9);
    await filled(answering, 9);
    expect(await answering.check()).toEqual([]);
  });

  /** Deletes the index file, or breaks it, and opens the index again. */
  async function lose(how: 'deleted' | 'broken'): Promise<ThreadedIndex> {
    await opened.pop()!.close();
    const file = join(indexDir, 'index.sqlite');
    await (how === 'broken' ? writeFile(file, 'this is no database, whatever its name says') : rm(file));
    return openIndex('works');
  }

  describe.each(['deleted', 'broken'] as const)('that was %s', (how) => {
    it('does not bring back a document that was deleted, not even when its files were left', async () => {
      const index = await openIndex('works');
      await store(index, 1);
      await store(index, 2);
      await index.remove('d1', 5);
      const again = await lose(how);
      await filled(again, 1);
      expect(await again.replace(await staged('late', { docId: 'd1', n: 4 }), join(folder, 'late'))).toBe('stale');
      expect(await again.info('d1')).toBeNull();
    });

    it('does not take a task that was revoked, unless it was reinstated', async () => {
      const index = await openIndex('works');
      await index.revoke('a', { id: version(1), ordinal: 1 });
      await index.revoke('b', { id: version(2), ordinal: 2 });
      await index.reinstate('b', version(2));
      const again = await lose(how);
      expect(await again.replace(await staged('a', { docId: 'a', n: 1 }), join(folder, 'a'))).toBe('revoked');
      expect(await again.replace(await staged('b', { docId: 'b', n: 2 }), join(folder, 'b'))).toBe('ok');
    });

    it('does not let an older version win, not even while the newer one is being put back', async () => {
      const index = await openIndex('works');
      await store(index, 7);
      await store(index, 3);
      const again = await lose(how);
      expect(await again.replace(await staged('late', { docId: 'd7', n: 6 }), join(folder, 'late'))).toBe('stale');
      await filled(again, 2);
      expect(await again.info('d7')).toMatchObject({ version: version(7) });
    });
  });

  it('whose tombstones are broken too still serves, and remembers what comes after', async () => {
    const index = await openIndex('works');
    await index.revoke('a', { id: version(1), ordinal: 1 });
    await opened.pop()!.close();
    await writeFile(join(indexDir, 'rulings.sqlite'), 'this is no database, whatever its name says');
    await (await openIndex('works')).revoke('b', { id: version(2), ordinal: 2 });
    const again = await lose('deleted');
    expect(await again.replace(await staged('a', { docId: 'a', n: 1 }), join(folder, 'a'))).toBe('revoked');
    expect(await again.replace(await staged('b', { docId: 'b', n: 2 }), join(folder, 'b'))).toBe('revoked');
  });

  it('that was deleted is filled again too', async () => {
    const index = await openIndex('works');
    for (let n = 1; n <= 3; n++) await store(index, n);
    await index.close();
    opened.pop();
    await rm(indexDir, { recursive: true });
    await filled(await openIndex('works'), 3);
  });
});

/** Overwrites every page but leaves the file as long as it was. */
async function scribble(path: string): Promise<void> {
  const { size } = await stat(path);
  const file = await open(path, 'r+');
  await file.write(Buffer.alloc(size, 0x5a), 0, size, 0);
  await file.close();
}
