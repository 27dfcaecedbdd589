import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chunkTerms } from '../../../src/search/analysis/chunk-terms.ts';
import type { IndexedDocument, SearchHit, SearchMode } from '../../../src/search/document-index.ts';
import { type Postings, PostingsBuilder } from '../../../src/search/index/postings.ts';
import { SegmentBuilder } from '../../../src/search/index/segments.ts';
import { replaceInSlices, type SliceSteps } from '../../../src/search/sqlite/slices.ts';
import { openSqliteIndex, type SqliteIndex } from '../../../src/search/sqlite/sqlite-index.ts';
import { openThreadedIndex } from '../../../src/search/sqlite/threaded-index.ts';
import type { TaskId } from '../../../src/tasks/task.ts';
import { silentLogger as logger } from '../../support/engine-steps.ts';
import { stageDocument } from '../../support/staged-document.ts';

const dimensions = 40;
const embedder = {
  id: 'made-up',
  dimensions,
  embed: (texts: readonly string[]) => Promise.resolve(texts.map((text) => vectorOf(text.length))),
};

let folder: string;
let index: SqliteIndex;
let staged: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slices-'));
  staged = 0;
  open();
});

afterEach(async () => {
  await index.close();
  await rm(folder, { recursive: true, force: true });
});

function open(name = 'index'): void {
  index = openSqliteIndex({ indexDir: join(folder, name), embedder });
}

function vectorOf(seed: number): Float32Array {
  const vector = Float32Array.from({ length: dimensions }, (_, i) => Math.sin(seed * (i + 1)));
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

function textsOf(word: string, chunks: number): string[] {
  return Array.from({ length: chunks }, (_, n) => `${word} stands in part ${n} beside the number ${n * 7}, 第${n}部分`);
}

type Staged = { readonly document: IndexedDocument; readonly folder: string; readonly postings: Postings };

async function stage(docId: string, ordinal: number, texts: readonly string[]): Promise<Staged> {
  const dir = join(folder, `staged-${(staged += 1)}`);
  await mkdir(dir);
  const version = `0190a0b0-0000-7000-8000-${String(ordinal).padStart(12, '0')}` as TaskId;
  const vectors = texts.map((_, n) => vectorOf(n + ordinal));
  const document = await stageDocument(dir, { docId, version, texts, vectors, embedder: embedder.id });
  const builder = new PostingsBuilder(document.title);
  for (const text of texts) builder.add({ text, context: '', section: [] });
  return { document, folder: dir, postings: builder.done() };
}

function bringIn({ document, ...rest }: Staged, steps: SliceSteps = index): Promise<string> {
  return replaceInSlices(steps, document, { ...rest, bytesMax: 400 });
}

/** The steps of the index, the process of which ends before the step of this number. */
function endingAt(step: number): SliceSteps {
  let steps = 0;
  const orEnd = <A extends unknown[], R>(work: (...args: A) => Promise<R>): ((...args: A) => Promise<R>) => {
    return (...args) => ((steps += 1) >= step ? Promise.reject(new Error('the process has ended')) : work(...args));
  };
  return {
    beginSlices: orEnd(index.beginSlices),
    addChunks: orEnd(index.addChunks),
    addBlocks: orEnd(index.addBlocks),
    listSlices: orEnd(index.listSlices),
    dropSlices: orEnd(index.dropSlices),
  };
}

async function find(query: string, mode: SearchMode = 'keyword'): Promise<readonly SearchHit[]> {
  return (await index.search({ query, mode, topK: 50, offset: 0, filter: {} })).hits;
}

function tidyAll(): void {
  while (index.tidy());
}

/** Rows of the index file that belong to no document or segment that is listed, and notes of them. */
function strayRows(): Record<string, number> {
  const db = new DatabaseSync(join(folder, 'index', 'index.sqlite'), { readOnly: true });
  const count = (sql: string): number => db.prepare(`SELECT count(*) AS n FROM ${sql}`).get()!['n'] as number;
  const rows = {
    chunks: count('chunk WHERE document NOT IN (SELECT id FROM document)'),
    vectors: count('vector WHERE chunk NOT IN (SELECT id FROM chunk)'),
    blocks: count('posting_block WHERE segment NOT IN (SELECT id FROM segment)'),
    words: count('word_block WHERE segment NOT IN (SELECT id FROM segment)'),
    notes: count('unlisted'),
  };
  db.close();
  return rows;
}

const nothing = { chunks: 0, vectors: 0, blocks: 0, words: 0, notes: 0 };

describe('a document that comes into the index in slices', () => {
  it('is found as one that came at once is, score for score', async () => {
    const documents = [await stage('a', 1, textsOf('apple', 40)), await stage('b', 2, textsOf('pear', 7))];
    for (const each of documents) expect(await bringIn(each)).toBe('ok');
    tidyAll();
    const questions = ['apple 14', 'pear beside', '第3部分', 'aple part', 'number 21'];
    const inSlices = [];
    for (const question of questions) inSlices.push(await find(question, 'hybrid'));
    const chunks = await index.chunks('a', 0, 100);
    await index.close();

    open('other');
    for (const each of documents) expect(await index.replace(each.document, each.folder)).toBe('ok');
    const atOnce = [];
    for (const question of questions) atOnce.push(await find(question, 'hybrid'));

    expect(inSlices[0]!.length).toBeGreaterThan(0);
    expect(inSlices).toEqual(atOnce);
    expect(chunks).toEqual(await index.chunks('a', 0, 100));
  });

  it('is seen by nobody before the switch, wherever its process ends, and is swept', async () => {
    const before = await stage('a', 1, textsOf('apple', 5));
    await bringIn(before);
    const after = await stage('a', 2, textsOf('pear', 12));
    let steps = 1;
    for (; ; steps += 1) {
      const outcome = await bringIn(after, endingAt(steps)).catch((error: unknown) => String(error));
      if (outcome === 'ok') break;
      expect(outcome).toContain('the process has ended');
      expect((await find('pear')).length).toBe(0);
      expect(await find('apple')).toHaveLength(5);
      expect(await index.info('a')).toMatchObject({ version: before.document.version });
    }

    expect(steps).toBeGreaterThan(5);
    expect(await find('apple')).toHaveLength(0);
    expect(await find('pear')).toHaveLength(12);
    tidyAll();
    expect(strayRows()).toEqual(nothing);
  });

  it('is swept too when nobody tries again, once nothing has moved for a while', async () => {
    const lost = await stage('a', 1, textsOf('apple', 12));
    await bringIn(lost, endingAt(5)).catch(() => undefined);
    await index.close();
    open();
    expect(strayRows()).toMatchObject({ notes: 1 });
    expect(strayRows().chunks).toBeGreaterThan(0);

    expect(index.findDead()).toBe(false);
    for (let look = 0; look < 40; look += 1) index.findDead();
    tidyAll();

    expect(strayRows()).toEqual(nothing);
    expect(await bringIn(lost)).toBe('ok');
    expect(await find('apple')).toHaveLength(12);
  });

  it('is told that it was taken for dead, and comes in when it is tried again', async () => {
    const slow = await stage('a', 1, textsOf('apple', 12));
    const steps: SliceSteps = {
      beginSlices: index.beginSlices,
      addChunks: index.addChunks,
      addBlocks: async (...args) => {
        for (let look = 0; look < 40; look += 1) index.findDead();
        tidyAll();
        return index.addBlocks(...args);
      },
      listSlices: index.listSlices,
      dropSlices: index.dropSlices,
    };

    await expect(bringIn(slow, steps)).rejects.toMatchObject({ code: 'unavailable' });
    tidyAll();
    expect(strayRows()).toEqual(nothing);
    expect(await bringIn(slow)).toBe('ok');
    expect(await find('apple')).toHaveLength(12);
  });

  it('lets small ones pass, that were sent after it', async () => {
    await index.close();
    const threaded = await openThreadedIndex({
      indexDir: join(folder, 'threaded'),
      embedder: { kind: 'builtin' },
      threads: 1,
      logger,
    });
    try {
      const large = await stage('large', 1, textsOf('apple', 4000));
      const small = await Promise.all([2, 3, 4].map((n) => stage(`small-${n}`, n, textsOf('pear', 3))));
      const order: string[] = [];
      const send = async ({ document, folder: dir, postings }: Staged): Promise<void> => {
        expect(await threaded.replace(document, dir, postings)).toBe('ok');
        order.push(document.docId);
      };
      await Promise.all([large, ...small].map(send));

      expect(order.at(-1)).toBe('large');
      expect(await threaded.info('large')).toMatchObject({ chunks: 4000 });
    } finally {
      await threaded.close();
      open();
    }
  });

  it('leaves nothing when a newer version or a removal was faster', async () => {
    const late = await stage('a', 1, textsOf('apple', 12));
    const newer = await stage('a', 2, textsOf('pear', 3));
    const overtaken = (by: () => Promise<unknown>): SliceSteps => ({
      beginSlices: index.beginSlices,
      addChunks: index.addChunks,
      addBlocks: index.addBlocks,
      listSlices: async (...args) => {
        await by();
        return index.listSlices(...args);
      },
      dropSlices: index.dropSlices,
    });

    expect(
      await bringIn(
        late,
        overtaken(() => index.replace(newer.document, newer.folder)),
      ),
    ).toBe('stale');
    const third = await stage('a', 3, textsOf('plum', 12));
    expect(
      await bringIn(
        third,
        overtaken(() => index.remove('a', 4)),
      ),
    ).toBe('stale');
    tidyAll();

    expect(await find('apple pear plum')).toHaveLength(0);
    expect(strayRows()).toEqual(nothing);
  });
});

describe('the rows of a large document', () => {
  it('are swept a slice at a time once it is replaced or removed', async () => {
    const many = textsOf('apple', 1200);
    await bringIn(await stage('a', 1, many));
    const replacing = await stage('a', 2, many);
    await index.replace(replacing.document, replacing.folder);
    expect(strayRows()).toMatchObject({ chunks: 1200, notes: 1 });
    tidyAll();
    expect(strayRows()).toMatchObject({ chunks: 0, notes: 0 });

    await index.remove('a', 3);
    expect(await find('apple')).toHaveLength(0);
    tidyAll();
    expect(strayRows()).toEqual(nothing);
  });
});

describe('postings that are packed some thousand chunks at a time', () => {
  it('are those of all chunks together, byte for byte', () => {
    const texts = textsOf('apple', 9000);
    const builder = new PostingsBuilder('A title');
    const whole = new SegmentBuilder();
    for (const text of texts) {
      builder.add({ text, context: '', section: [] });
      whole.add(chunkTerms({ text, context: '', section: [] }, 'A title'));
    }
    const parts = whole.parts();
    const blocks = [...parts.blocks];
    const { firsts, data, words, lengths, chunks } = builder.done();

    expect(chunks).toBe(9000);
    expect(firsts).toEqual(blocks.map(({ first }) => first));
    expect(Buffer.from(data).equals(Buffer.concat(blocks.map((block) => block.data)))).toBe(true);
    expect(words).toEqual(parts.words);
    expect(new Uint16Array(lengths.slice().buffer)).toEqual(parts.lengths);
  });
});
