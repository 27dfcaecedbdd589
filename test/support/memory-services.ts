/**
 * Services that live in memory, with receipts as real files in a folder: what the HTTP tests run against. Tasks are finished
 * by `ingest` (by default at once, as text), or by the test itself through `begin`, `report` and `finish`.
 */
import { collectionOf, nameOf } from '../../src/documents/document-name.ts';
import { type Collection, defaultSettings } from '../../src/documents/collection.ts';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { callbackify } from 'node:util';
import { v7 } from 'uuid';
import type { IncomingReceipt, Receipt } from '../../src/storage/file-store.ts';
import { createSortedTasks } from '../../src/storage/sorted-tasks.ts';
import { AppError } from '../../src/errors.ts';
import type { CollectionView, PageLook, Question, Services, SystemStatus, Upload, WholeUpload } from '../../src/http/services.ts';
import { type IndexedDocument, type SearchAnswer, titleOf } from '../../src/search/document-index.ts';
import { type AskWorker, createDirectReader, type ReadRequest } from '../../src/ingest/direct-reading.ts';
import type { RunOutcome } from '../../src/ingest/thread-pool.ts';
import { type Filterable, matcherOf } from '../../src/search/filters.ts';
import { patched } from '../../src/search/said.ts';
import { descriptionOf, keptDescription } from '../../src/tasks/given.ts';
import {
  beginTask,
  cancelledByUser,
  createTask,
  finishTask,
  idleProgress,
  isTerminal,
  retryTask,
  type Task,
  type TaskId,
  type TaskOutcome,
  type TaskProgress,
  type TaskSnapshot,
} from '../../src/tasks/task.ts';

export type MemoryServicesOptions = {
  /** What the first page of every document looks like; null: nothing is known of it. */
  readonly look?: PageLook;
  /** Receipts and kept files go here. */
  readonly folder: string;
  readonly syncBytesMax?: number;
  readonly queueTasksMax?: number;
  /** Thrown by `receive` when set, e.g. a full disk. */
  readonly refuse?: () => AppError | null;
  /** What happens to a new task; default: it is completed at once. */
  readonly ingest?: (task: Task, memory: MemoryServices) => void;
  /** What reading a file without keeping it comes to; default: its bytes are its text. */
  readonly read?: AskWorker;
  /** The clock of the storage; default: that of this machine. ISO 8601. */
  readonly now?: () => string;
};

export type MemoryServices = {
  readonly services: Services;
  begin(id: TaskId): void;
  report(id: TaskId, progress: Partial<TaskProgress>): void;
  finish(id: TaskId, outcome?: TaskOutcome): Promise<void>;
  /** Forgets a task, as expiry does. */
  forget(id: TaskId): void;
  /** Drops the stored file of a task. */
  dropFile(id: TaskId): Promise<void>;
  readonly tasks: ReadonlyMap<TaskId, TaskSnapshot>;
  /** How many callers wait for a task, or watch. */
  watchers(): number;
  setReady(reason: string | null): void;
};

type Stored = { readonly document: IndexedDocument; readonly text: string; readonly path: string };

export function createMemoryServices(options: MemoryServicesOptions): MemoryServices {
  const { folder, syncBytesMax = 10 * 1024 * 1024, queueTasksMax = 10_000, now = () => new Date().toISOString() } = options;
  const tasks = new Map<TaskId, TaskSnapshot>();
  let accepted = 0;
  const paths = new Map<TaskId, string>();
  const documents = new Map<string, Stored>();
  const collections = new Map<string, Collection>();
  const listeners = new Set<{ id: TaskId | null; listener: (snapshot: TaskSnapshot) => void }>();
  let notReady: string | null = null;

  const memory: MemoryServices = {
    services: {
      // Every file is text here; the parsers are tested elsewhere.
      reading: createDirectReader({
        files: {
          async scratch(id) {
            const scratch = join(folder, `scratch-${id}`);
            await mkdir(scratch, { recursive: true });
            return scratch;
          },
        },
        newId: () => v7() as TaskId,
        ask: options.read ?? readAsText,
      }),
      uploads: {
        receive: async ({ bytesMax }) => admitted(bytesMax),
        submit,
        async submitAll(uploads) {
          const results: PromiseSettledResult<Task>[] = [];
          for (const upload of uploads) results.push(...(await Promise.allSettled([submitWhole(upload)])));
          return results;
        },
        laneOf,
      },
      tasks: {
        get: async (id) => tasks.get(id) ?? null,
        list: async ({ status, docId, collection, limit, cursor }) => {
          const all = [...tasks.values()]
            .filter(({ task }) => (status === undefined || task.status === status) && (docId === undefined || task.docId === docId))
            .filter(({ task }) => collection === undefined || collectionOf(task.docId) === collection)
            .sort((a, b) => (a.task.id < b.task.id ? 1 : -1));
          if (cursor !== undefined && !/^[0-9a-f-]{36}$/.test(cursor))
            throw new AppError('invalid_request', 'cursor is not one of ours.');
          const rest = cursor === undefined ? all : all.filter(({ task }) => task.id < cursor);
          const page = rest.slice(0, limit);
          return { tasks: page, nextCursor: rest.length > limit ? page.at(-1)!.task.id : null };
        },
        listSorted: createSortedTasks({
          async *named({ status }) {
            yield [...tasks.values()]
              .filter(({ task }) => status === undefined || task.status === status)
              .map(({ task }) => task.id);
          },
          keys: async (ids) => ids.flatMap((id) => tasks.get(id)?.task ?? []),
          snapshots: async (ids) => ids.flatMap((id) => tasks.get(id) ?? []),
        }),
        wait,
        follow: (id) => ({ ended: (waitMs, signal) => wait(id, waitMs, signal), stop: () => undefined }),
        cancel: async (id, { force }) => {
          const found = tasks.get(id);
          if (found === undefined) return { outcome: 'gone' };
          const { task } = found;
          if (isTerminal(task.status)) return { outcome: 'final', task };
          if (task.status === 'processing' && !force) return { outcome: 'processing', task };
          const failed = finishTask(task, { status: 'failed', error: cancelledByUser }, now());
          change(failed);
          return { outcome: 'cancelled', task: failed };
        },
        retry: async (id) => {
          const found = tasks.get(id);
          if (found === undefined) return 'gone';
          if (found.task.status !== 'failed') return 'not_failed';
          if (!paths.has(id)) return 'file_gone';
          change(retryTask(found.task, now()));
          return 'ok';
        },
        watch,
      },
      documents: {
        list: async ({ limit, cursor, after, sort, filters, collection }) => {
          const newest = sort?.descending === false ? -1 : 1;
          const all = [...documents.values()]
            .map(({ document }) => document)
            .filter(({ docId }) => collection === undefined || collectionOf(docId) === collection)
            .filter((document) => filters === undefined || matcherOf(filters)(filterable(document)))
            .sort((a, b) => (a.version < b.version ? newest : -newest));
          const from = cursor ?? documents.get(after?.docId ?? '')?.document.version;
          const rest = from === undefined ? all : all.filter(({ version }) => version !== from && version < from === newest > 0);
          const page = rest.slice(0, limit);
          return { documents: page, nextCursor: rest.length > limit ? page.at(-1)!.version : null };
        },
        change: async (docId, patch) => {
          const stored = documents.get(docId);
          if (stored === undefined) return null;
          const document = patched(stored.document, patch);
          documents.set(docId, { ...stored, document });
          return document;
        },
        chunks: async (docId, from, limit) => {
          const stored = documents.get(docId);
          if (stored === undefined) return null;
          const { text, document } = stored;
          const chunk = { text, chunkIndex: 0, start: 0, end: text.length, page: 1, pageEnd: 1, section: ['Part one'] };
          return { document, chunks: [chunk].slice(from, from + limit) };
        },
        keptDocId: async (docId) => docId.normalize('NFC'),
        info: async (docId) => documents.get(docId)?.document ?? null,
        content: async (docId, _asker, pick) => {
          const stored = documents.get(docId);
          if (stored === undefined) return null;
          const bytes = Buffer.from(stored.text);
          const { first, last } = pick?.({ bytes: bytes.length, document: stored.document }) ?? { first: 0, last: bytes.length };
          return { stream: Readable.from([bytes.subarray(first, last + 1)]), bytes: bytes.length, document: stored.document };
        },
        look: async (docId, page) => (documents.get(docId) === undefined ? undefined : page === 1 ? (options.look ?? null) : null),
        original: async (docId, _asker, pick) => {
          const stored = documents.get(docId);
          if (stored === undefined) return null;
          const bytes = stored.document.fileBytes;
          const range = pick?.({ bytes, document: stored.document }) ?? null;
          const part = range === null ? {} : { start: range.first, end: range.last };
          return { stream: createReadStream(stored.path, part), bytes, document: stored.document };
        },
        remove: async (docId) => documents.delete(docId),
        removeMatching: async (collection, filters) => {
          const matches = matcherOf(filters);
          const there = [...documents.values()].map(({ document }) => document);
          const ids = there
            .filter(({ docId }) => collectionOf(docId) === collection)
            .filter((document) => matches(filterable(document)));
          for (const { docId } of ids) documents.delete(docId);
          return { deleted: ids.length, more: false };
        },
      },
      collections: {
        exists: async (name) => name === 'default' || collections.has(name),
        names: async (reach) => ['default', ...collections.keys()].filter((name) => reach === null || reach.includes(name)),
        list: async (reach) =>
          ['default', ...collections.keys()].filter((name) => reach === null || reach.includes(name)).map(viewOf),
        get: async (name) => (name === 'default' || collections.has(name) ? viewOf(name) : null),
        put: async (name, change) => {
          const created = name !== 'default' && !collections.has(name);
          const before = viewOf(name);
          collections.set(name, { ...before, ...change, settings: { ...before.settings, ...change.settings } });
          return { collection: viewOf(name), created };
        },
        remove: async (name) => {
          if (name === 'default') throw new AppError('conflict', 'The collection `default` always exists.');
          return collections.delete(name);
        },
      },
      search: { search: async (query) => search(query) },
      readiness: async () => (notReady === null ? { ready: true } : { ready: false, reason: notReady }),
      status: async () => status(),
    },
    begin: (id) => change(beginTask(tasks.get(id)!.task, 'memory', now())),
    report: (id, progress) => {
      const snapshot = tasks.get(id)!;
      publish({ ...snapshot, progress: { ...snapshot.progress, ...progress } });
    },
    finish,
    forget: (id) => void tasks.delete(id),
    dropFile: async (id) => {
      await rm(paths.get(id)!, { force: true });
      paths.delete(id);
    },
    tasks,
    watchers: () => listeners.size,
    setReady: (reason) => {
      notReady = reason;
    },
  };
  return memory;

  function viewOf(name: string): CollectionView {
    const none = { name, title: null, description: null, createdAt: null, settings: defaultSettings, rereadUpTo: null };
    const held = [...documents.values()].filter(({ document }) => collectionOf(document.docId) === name);
    const bytes = held.reduce((total, { document }) => total + document.fileBytes, 0);
    return { ...(collections.get(name) ?? none), documents: held.length, chunks: held.length, bytes };
  }

  function laneOf(fileBytes: number): 'small' | 'large' {
    return fileBytes < syncBytesMax ? 'small' : 'large';
  }

  function countOf(status: Task['status']): number {
    return [...tasks.values()].filter(({ task }) => task.status === status).length;
  }

  function change(task: Task): void {
    publish({ task, progress: idleProgress(task.status), queuePosition: task.status === 'pending' ? countOf('pending') : null });
  }

  function publish(snapshot: TaskSnapshot): void {
    tasks.set(snapshot.task.id, snapshot);
    for (const { id, listener } of listeners) if (id === null || id === snapshot.task.id) listener(snapshot);
  }

  async function wait(id: TaskId, waitMs: number, signal: AbortSignal): Promise<TaskSnapshot | null> {
    const known = tasks.get(id) ?? null;
    if (known === null || isTerminal(known.task.status)) return known;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        unwatch();
        resolve();
      };
      const timer = setTimeout(end, waitMs);
      signal.addEventListener('abort', end);
      const unwatch = watch(id, ({ task }) => void (isTerminal(task.status) && end()));
      if (signal.aborted) end();
    });
    return tasks.get(id) ?? null;
  }

  function watch(id: TaskId | null, listener: (snapshot: TaskSnapshot) => void): () => void {
    const entry = { id, listener };
    listeners.add(entry);
    return () => listeners.delete(entry);
  }

  async function finish(id: TaskId, outcome?: TaskOutcome): Promise<void> {
    const { task } = tasks.get(id)!;
    const begun = task.status === 'pending' ? beginTask(task, 'memory', now()) : task;
    if (outcome?.status === 'failed') return change(finishTask(begun, outcome, now()));
    const path = paths.get(id)!;
    const text = await readFile(path, 'utf8');
    const document = indexed(begun, text);
    documents.set(task.docId, { document, text, path });
    change(finishTask(begun, outcome ?? { status: 'completed', result: resultOf(document) }, now()));
  }

  function indexed(task: Task, text: string): IndexedDocument {
    return {
      docId: task.docId,
      version: task.id,
      ordinal: task.ordinal,
      filename: task.filename,
      mediaType: task.declaredMediaType ?? 'text/plain',
      fileBytes: task.fileBytes,
      sha256: task.sha256,
      title: null,
      givenTitle: documents.get(task.docId)?.document.givenTitle ?? null,
      author: null,
      language: null,
      pages: null,
      chunks: 1,
      characters: text.length,
      ...keptDescription(task, documents.get(task.docId)?.document ?? null),
      insertedAt: now(),
      embedder: 'none',
      declaredMediaType: task.declaredMediaType,
      reading: null,
      warnings: [],
    };
  }

  function search({ query, topK, offset, filter, collections: wanted }: Question): SearchAnswer {
    const hits = [...documents.values()]
      .filter(({ document }) => wanted.includes(collectionOf(document.docId)))
      .filter(({ document }) => filter.docIds === undefined || filter.docIds.includes(nameOf(document.docId).docId))
      .filter(({ document }) => filter.filename === undefined || filter.filename === document.filename)
      .filter(({ document }) => filter.filters === undefined || matcherOf(filter.filters)(filterable(document)))
      .flatMap(({ document, text }) => {
        const at = text.indexOf(query);
        if (at === -1) return [];
        const { docId, version, filename } = document;
        const description = descriptionOf(document);
        const place = { chunkIndex: 0, start: 0, end: text.length, page: 1, pageEnd: 1, section: ['Part one'] };
        const highlights = [[at, at + query.length] as const];
        const hit = {
          score: 1,
          relevance: 1,
          docId,
          version,
          filename,
          title: titleOf(document),
          ...description,
          text,
          highlights,
        };
        return [{ ...hit, acrossLanguages: false, ...place }];
      });
    return { hits: hits.slice(offset, offset + topK), total: hits.length, tookMs: 0.1, notice: null, shownFor: null };
  }

  function status(): SystemStatus {
    return {
      pending: countOf('pending'),
      processing: countOf('processing'),
      pendingSince: [...tasks.values()].find(({ task }) => task.status === 'pending')?.task.updatedAt ?? null,
      threads: 4,
      workerUp: true,
      workerRestarts: 0,
      workerBytes: 5e7,
      documents: documents.size,
      chunks: documents.size,
      indexBytes: 0,
      searcherBacklog: null,
      standbys: [],
      fileStore: [],
      diskFreeBytes: 1e9,
      documentsDamaged: 0,
      documentsMended: 0,
      diskTotalBytes: 2e9,
      store: notReady === null ? 'ready' : 'unusable',
    };
  }

  async function admitted(bytesMax: number): Promise<IncomingReceipt> {
    const refused = options.refuse?.() ?? null;
    if (refused !== null) throw refused;
    if (countOf('pending') >= queueTasksMax)
      throw new AppError('queue_full', 'Too many tasks are waiting; try again later.', { retryAfterSeconds: 10 });
    return receive(bytesMax);
  }

  async function submit({ receipt, caller: _caller, onId, ...upload }: Upload): Promise<Task> {
    if (receipt.bytes === 0) {
      await receipt.discard();
      throw new AppError('invalid_document', `Invalid document: Empty file: ${upload.filename}`);
    }
    const id = v7() as TaskId;
    onId?.(id);
    const fileBytes = receipt.bytes;
    const lane = laneOf(fileBytes);
    const task = createTask(
      { ...upload, id, fileBytes, sha256: receipt.sha256, lane, attemptsMax: 3, createdAt: now() },
      (accepted += 1),
    );
    paths.set(id, keptPath(receipt));
    change(task);
    setImmediate(() => (options.ingest ?? finishAtOnce)(task, memory));
    return task;
  }

  async function submitWhole({ content, ...upload }: WholeUpload): Promise<Task> {
    const receipt = await admitted(content.byteLength);
    receipt.stream.end(content);
    await finished(receipt.stream);
    return submit({ ...upload, receipt });
  }

  async function receive(bytesMax: number): Promise<IncomingReceipt> {
    await mkdir(folder, { recursive: true });
    const path = join(folder, `${v7()}.upload`);
    const file = await open(path, 'wx');
    const hash = createHash('sha256');
    let bytes = 0;
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        bytes += chunk.length;
        hash.update(chunk);
        if (bytes > bytesMax) done(new Error('more than was announced'));
        else callbackify(() => file.write(chunk))(done);
      },
      final: (done) => callbackify(() => file.sync())(done),
      destroy: (error, done) => callbackify(() => file.close())((failure) => done(failure ?? error)),
    });
    let digest: string | null = null;
    const receipt: IncomingReceipt & { path: string } = {
      path,
      stream,
      get bytes() {
        return bytes;
      },
      get sha256() {
        digest ??= hash.digest('hex');
        return digest;
      },
      async discard() {
        stream.destroy();
        if ([...paths.values()].includes(path)) return;
        await rm(path, { force: true });
      },
    };
    return receipt;
  }
}

function keptPath(receipt: Receipt): string {
  return (receipt as Receipt & { path: string }).path;
}

function finishAtOnce({ id }: Task, memory: MemoryServices): void {
  if (memory.tasks.get(id)?.task.status === 'pending') void memory.finish(id);
}

function filterable(document: IndexedDocument): Filterable {
  const { docId, filename, mediaType, insertedAt, pages, fileBytes, language, metadata } = document;
  return {
    doc_id: docId,
    filename,
    media_type: mediaType,
    inserted_at: insertedAt,
    pages,
    file_size: fileBytes,
    language,
    metadata,
  };
}

function resultOf(document: IndexedDocument): Task['result'] & object {
  const { filename, mediaType, title, pages, chunks, characters } = document;
  return {
    message: 'Document processed successfully',
    filename,
    mediaType,
    title,
    pages,
    chunks,
    characters,
    ...descriptionOf(document),
    unchanged: false,
    superseded: false,
    warnings: [],
  };
}

async function readAsText({ payloadPath, scratchDir, filename }: ReadRequest): Promise<RunOutcome> {
  const markdown = await readFile(payloadPath, 'utf8');
  if (filename.endsWith('.xyz'))
    return { ok: false, code: 'unsupported_format', message: `Unsupported file format: ${filename}`, retryable: false };
  const blocks = [{ kind: 'paragraph', start: 0, end: markdown.length, level: null, page: null, page_end: null }];
  const facts = { media_type: 'text/plain', title: null, author: null, language: 'en', pages: null, warnings: [] };
  await writeFile(join(scratchDir, 'content.md'), markdown);
  await writeFile(join(scratchDir, 'answer.json'), JSON.stringify({ markdown, blocks, ...facts }));
  await writeFile(join(scratchDir, 'pages.json'), JSON.stringify([{ page: 1, start: 0, end: markdown.length }]));
  await writeFile(join(scratchDir, 'plain.txt'), markdown);
  const document = { mediaType: 'text/plain', title: null, author: null, language: 'en', pages: null } as IndexedDocument;
  return { ok: true, document, stageMs: {} };
}
