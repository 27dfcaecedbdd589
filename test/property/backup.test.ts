/**
 * A backup beside every kind of change, step by step in an order that is generated; `BACKUP_RUNS=200` asks more of it (`npm run torture
 * -- --only backup`). Whatever happened between its start and its end, each document of the restored directory opens and is as it was
 * at some moment between the two.
 */
import fc from 'fast-check';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { finished } from 'node:stream/promises';
import { expect, it, vi } from 'vitest';
import type { Embedder } from '../../src/embed/embedder.ts';
import type { Engine } from '../../src/storage/engine.ts';
import { backupDataDir } from '../../src/storage/file/backup.ts';
import { openFileEngine } from '../../src/storage/file/engine.ts';
import { restoreDataDir } from '../../src/storage/file/restore.ts';
import { createLibrary, type Library } from '../../src/ingest/library.ts';
import { rollForward, settleDocument, settleUnchanged } from '../../src/ingest/settle.ts';
import { openSqliteIndex, type SqliteIndex } from '../../src/search/sqlite/sqlite-index.ts';
import { measureParts, readStagedMeta } from '../../src/search/index/staging.ts';
import type { Metadata } from '../../src/tasks/given.ts';
import { isTerminal } from '../../src/tasks/task.ts';
import { claimNext, failedOutcome, newTask } from '../support/engine-steps.ts';
import { fileEngineOptions } from '../support/file-engine-harness.ts';
import { stageDocument } from '../support/staged-document.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

vi.setConfig({ testTimeout: 1_200_000 });

const now = (): string => new Date().toISOString();

const embedder = (id: string): Embedder => ({
  id,
  dimensions: 2,
  embed: (texts) => Promise.resolve(texts.map(() => Float32Array.of(1, 0))),
});

type Change =
  | { readonly kind: 'upload'; readonly doc: number; readonly text: number; readonly tag: number; readonly digests: boolean }
  | { readonly kind: 'same'; readonly doc: number; readonly tag: number | null }
  | { readonly kind: 'delete'; readonly doc: number }
  | { readonly kind: 'reindex' };

/** What a client sees of a document; null: there is none. */
type Seen = {
  readonly version: string;
  readonly filename: string;
  readonly metadata: Metadata | null;
  readonly embedder: string;
  readonly content: string;
  readonly original: string;
} | null;

const doc = fc.nat({ max: 3 });
const change: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('upload' as const), doc, text: fc.nat(9), tag: fc.nat(3), digests: fc.boolean() }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('same' as const), doc, tag: fc.option(fc.nat(9)) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), doc }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reindex' as const) }) },
);

it('a backup beside any changes restores every document as it was at a moment between its start and its end', async () => {
  const runs = Number(process.env['BACKUP_RUNS'] ?? 12);
  const seed = Number(process.env['BACKUP_SEED'] ?? Date.now() % 1_000_000);
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { minLength: 1, maxLength: 5 }),
      fc.array(change, { minLength: 1, maxLength: 7 }),
      fc.array(fc.nat({ max: 3 }), { minLength: 4, maxLength: 12 }),
      (before, during, steps) => backUpBeside(before, during, steps),
    ),
    { numRuns: runs, seed, endOnFailure: true },
  );
});

async function backUpBeside(before: readonly Change[], during: readonly Change[], steps: readonly number[]): Promise<void> {
  await using dir = await tempDir();
  const [dataDir, target, restored] = ['data', 'backup', 'restored'].map((name) => join(dir.path, name)) as [
    string,
    string,
    string,
  ];
  const gate = createGate();
  const engine = await open(dataDir);
  const world = createWorld(engine, dataDir, () => gate.pass());
  try {
    for (const one of before) await world.apply(one);
    world.phase('during');
    gate.close();
    const changing = gate.run(async () => {
      for (const one of during) await world.apply(one);
    });
    let count = 0;
    const { damaged } = await backupDataDir({
      dataDir,
      target,
      now,
      async between() {
        for (let step = steps[count++ % steps.length]!; step > 0; step -= 1) await gate.step();
      },
    });
    world.phase('after');
    gate.open();
    await changing;
    expect(damaged).toEqual([]);
  } finally {
    await engine.close();
  }
  await restoreDataDir({ source: target, dataDir: restored, openIndex: openIndex('one') });
  await requireMoments(restored, world);
}

/** Vectors of a reindex are the index's alone: one that learns a document from what is stored has those that are stored, and makes others again. */
function withStoredVectors(moment: Seen): Seen[] {
  return moment === null ? [null] : [moment, { ...moment, embedder: 'one' }];
}

async function requireMoments(dataDir: string, world: World): Promise<void> {
  const engine = await open(dataDir);
  try {
    const library = createLibrary({ engine, cancel: (id, options) => engine.tasks.cancel(id, options) });
    await compare();
    await finishTasks(engine);
    await compare();

    async function compare(): Promise<void> {
      for (const docId of world.docIds) {
        const seen = await see(library, docId);
        expect(world.moments(docId).flatMap(withStoredVectors), docId).toContainEqual(seen);
      }
    }
  } finally {
    await engine.close();
  }
}

/** What a worker does with tasks that an earlier process had begun: those that had switched the index are completed. */
async function finishTasks(engine: Engine): Promise<void> {
  const { tasks } = await engine.tasks.list({ limit: 1000 });
  const live = tasks.filter(({ task }) => !isTerminal(task.status)).length;
  if (live === 0) return;
  await until('unfinished tasks wait', async () => (await engine.tasks.counts()).pending === live);
  for (let left = live; left > 0; left -= 1) {
    const lease = await claimNext(engine);
    const begun = await engine.tasks.begin(lease.taskId);
    if (begun.outcome !== 'started') throw new Error(begun.outcome);
    if ((await rollForward(engine, lease, begun.task)) !== null) continue;
    await engine.tasks.finish(lease.taskId, begun.task.attempts, failedOutcome);
    await lease.ack();
  }
}

type World = ReturnType<typeof createWorld>;

/** The documents and what became of them: all changes go through the code of the server, one port call after the other. */
function createWorld(engine: Engine, dataDir: string, pass: () => Promise<void>) {
  const history = new Map<string, { readonly at: string; readonly seen: Seen }[]>();
  let at = 'before';
  const gated = gateEngine(engine, pass, note);
  const library = createLibrary({ engine: gated, cancel: (id, options) => engine.tasks.cancel(id, options) });
  const reader = createLibrary({ engine, cancel: (id, options) => engine.tasks.cancel(id, options) });

  async function note(): Promise<void> {
    for (const docId of history.keys()) {
      const seen = await see(reader, docId);
      if (JSON.stringify(history.get(docId)!.at(-1)?.seen) !== JSON.stringify(seen)) history.get(docId)!.push({ at, seen });
    }
  }

  async function upload(docId: string, original: string, filename: string, metadata: Metadata | null, digests: boolean) {
    const receipt = await engine.files.receive({ bytesMax: 1e6, bytesExpected: null });
    receipt.stream.end(original);
    await finished(receipt.stream);
    await engine.submit({ ...newTask(receipt, { docId, filename }), metadata }, receipt);
    await pass();
    const lease = await claimNext(engine);
    const begun = await engine.tasks.begin(lease.taskId);
    if (begun.outcome !== 'started') throw new Error(begun.outcome);
    const { task } = begun;
    await pass();
    const current = await engine.index.info(docId);
    if (current?.sha256 === task.sha256 && (await settleUnchanged(gated, lease, task, current)) !== null) return;
    const scratchDir = await engine.files.scratch(task.id);
    const { fileBytes, sha256 } = task;
    const texts = [`Text of ${original}.`, `and more of it`];
    const vectors = texts.map(() => Float32Array.of(0, 1));
    const staged = {
      docId,
      version: task.id,
      ordinal: task.ordinal,
      filename,
      metadata,
      fileBytes,
      sha256,
      texts,
      vectors,
      embedder: 'one',
    };
    const document = await stageDocument(scratchDir, staged);
    if (digests) {
      const meta = { ...(await readStagedMeta(scratchDir)), parts: await measureParts(scratchDir) };
      await writeFile(join(scratchDir, 'meta.json'), JSON.stringify(meta));
    }
    expect(await settleDocument(gated, lease, task, { scratchDir, document })).toMatchObject({ status: 'completed' });
  }

  return {
    get docIds() {
      return [...history.keys()];
    },
    phase: (name: string) => void (at = name),
    /** As each was when the backup began, and at every change until it ended. */
    moments(docId: string): Seen[] {
      const all = history.get(docId)!;
      const start = all.filter((moment) => moment.at === 'before').at(-1)?.seen ?? null;
      return [start, ...all.filter((moment) => moment.at === 'during').map(({ seen }) => seen)];
    },
    async apply(one: Change): Promise<void> {
      if (one.kind === 'reindex') {
        await pass();
        const other = await openIndex('two')(join(dataDir, 'index'));
        while ((await other.reembed()) > 0);
        await other.close();
        return note();
      }
      const docId = `文档 ${one.doc}`;
      if (!history.has(docId)) history.set(docId, []);
      if (one.kind === 'upload') return upload(docId, `original ${one.text}`, `${one.tag}.txt`, { tag: one.tag }, one.digests);
      if (one.kind === 'delete') return void (await library.remove(docId));
      const current = await see(reader, docId);
      if (current === null) return;
      const { original, filename, metadata } = current;
      if (one.tag === null) return upload(docId, original, filename, metadata, true);
      return upload(docId, original, `${one.tag}.txt`, { tag: one.tag, more: true }, true);
    },
  };
}

/** Every step of a change waits to be let through; after each the documents are looked at. */
function gateEngine(engine: Engine, pass: () => Promise<void>, note: () => Promise<void>): Engine {
  const step = async <T>(work: () => Promise<T>): Promise<T> => {
    await pass();
    const result = await work();
    await note();
    return result;
  };
  const { files, index, tasks } = engine;
  return {
    ...engine,
    files: {
      ...files,
      publish: (...args) => step(() => files.publish(...args)),
      settle: (...args) => step(() => files.settle(...args)),
      unpublish: (...args) => step(() => files.unpublish(...args)),
      remove: (...args) => step(() => files.remove(...args)),
    },
    index: {
      ...index,
      replace: (...args) => step(() => index.replace(...args)),
      touch: (...args) => step(() => index.touch(...args)),
      remove: (...args) => step(() => index.remove(...args)),
    },
    tasks: { ...tasks, finish: (...args) => step(() => tasks.finish(...args)) },
  };
}

/** Holds the changes back, and lets them go on one step at a time. */
function createGate() {
  let isOpen = true;
  let resume: (() => void) | null = null;
  let arrived: (() => void) | null = null;
  let isOver = false;

  function arrive(): void {
    arrived?.();
    arrived = null;
  }

  return {
    close: () => void (isOpen = false),
    open() {
      isOpen = true;
      resume?.();
    },
    async pass(): Promise<void> {
      if (isOpen) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      resume = resolve;
      arrive();
      await promise;
    },
    async run(work: () => Promise<void>): Promise<void> {
      const there = Promise.withResolvers<void>();
      arrived = there.resolve;
      const running = work().finally(() => {
        isOver = true;
        arrive();
      });
      await Promise.race([there.promise, running]);
      return running;
    },
    async step(): Promise<void> {
      if (isOver || resume === null) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      arrived = resolve;
      const go = resume;
      resume = null;
      go();
      await promise;
    },
  };
}

async function see(library: Library, docId: string): Promise<Seen> {
  const document = await library.info(docId);
  if (document === null) return null;
  const [content, original] = [await library.content(docId), await library.original(docId)];
  const { version, filename, metadata, embedder: id } = document;
  // A document that does not open is like no moment.
  if (content === null || original === null)
    return { version, filename, metadata, embedder: id, content: 'gone', original: 'gone' };
  return { version, filename, metadata, embedder: id, content: await text(content.stream), original: await text(original.stream) };
}

async function open(dataDir: string): Promise<Engine> {
  await mkdir(dataDir, { recursive: true });
  return openFileEngine({ ...fileEngineOptions(dataDir, 'worker'), openIndex: openIndex('one') });
}

function openIndex(id: string): (indexDir: string) => Promise<SqliteIndex> {
  return (indexDir) => Promise.resolve(openSqliteIndex({ indexDir, embedder: embedder(id) }));
}
