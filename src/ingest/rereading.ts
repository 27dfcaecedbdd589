/**
 * Every document read again from its original, by the tasks and workers that read uploads: a task of its own for each, which has the
 * number of the version that is there, so that an upload that was accepted later wins, whenever it is read. The old text serves until
 * then, and stays where the original cannot be read any more.
 */
import { pipeline } from 'node:stream/promises';
import type { Receipt } from '../storage/file-store.ts';
import type { Engine } from '../storage/engine.ts';
import type { IndexedDocument } from '../search/document-index.ts';
import { createTask, isTerminal, type NewTask, type Task, type TaskId, type TaskLane, taskIdAfter } from '../tasks/task.ts';
import { descriptionOf, withoutDescription } from '../tasks/given.ts';

/** How the tasks are made. */
export type RereadingRules = {
  readonly attemptsMax: number;
  readonly laneOf: (fileBytes: number) => TaskLane;
  readonly newId: () => TaskId;
  /** ISO 8601. */
  readonly now: () => string;
};

export type RereadingOptions = RereadingRules & {
  readonly engine: Engine;
  /** Only its documents; absent: those of all. */
  readonly collection?: string;
  /** Documents on their way at once. */
  readonly atOnce: number;
  /** Read no document up to this doc_id: an earlier run has. */
  readonly after: string | null;
  /** Called after each document, with the last doc_id up to which all are done. */
  readonly onDone: (progress: { readonly done: number; readonly total: number; readonly upTo: string | null }) => void;
  /** Ends it between two documents; what is on its way is read all the same. */
  readonly signal: AbortSignal;
};

export type Reread = {
  readonly documents: number;
  /** Of documents that keep their old text, and why. */
  readonly failed: readonly { readonly docId: string; readonly error: string }[];
};

const lookEveryMs = 1000;
const pageSize = 1000;

/** Memory grows with the number of documents, by what the index says of each. */
export async function rereadAll(options: RereadingOptions): Promise<Reread> {
  const { engine, after, signal } = options;
  const all = (await documentsOf(engine, options.collection)).toSorted((a, b) => (a.docId < b.docId ? -1 : 1));
  const wanted = all.filter(({ docId }) => after === null || docId > after);
  const failed: { docId: string; error: string }[] = [];
  const running = new Set<IndexedDocument>();
  let next = 0;
  let done = 0;

  function progress() {
    const first = wanted.findIndex((document, i) => i >= next || running.has(document));
    const upTo = first === -1 ? wanted.length : first;
    return { done: all.length - wanted.length + done, total: all.length, upTo: upTo === 0 ? after : wanted[upTo - 1]!.docId };
  }

  async function one(document: IndexedDocument): Promise<void> {
    const error = await reread(engine, document, options);
    if (error !== null) failed.push({ docId: document.docId, error });
  }

  async function work(): Promise<void> {
    while (next < wanted.length && !signal.aborted) {
      const document = wanted[next]!;
      running.add(document);
      next += 1;
      await one(document);
      running.delete(document);
      done += 1;
      options.onDone(progress());
    }
  }

  await Promise.all(Array.from({ length: options.atOnce }, work));
  return { documents: done, failed };
}

async function documentsOf(engine: Engine, collection: string | undefined): Promise<IndexedDocument[]> {
  const found: IndexedDocument[] = [];
  for (let cursor: string | undefined; ;) {
    const where = collection === undefined ? {} : { collection };
    const page = await engine.index.list({ limit: pageSize, ...where, ...(cursor === undefined ? {} : { cursor }) });
    found.push(...page.documents);
    if (page.nextCursor === null) return found;
    cursor = page.nextCursor;
  }
}

/** Waits for the end. Null when it was read, or is no longer what it was; otherwise why not. */
export async function reread(engine: Engine, document: IndexedDocument, rules: RereadingRules): Promise<string | null> {
  const asked = await askReread(engine, document, rules);
  if (asked === null || 'error' in asked) return asked?.error ?? null;
  return (await ended(engine, asked.id))?.error?.message ?? null;
}

/**
 * Gives a document another doc_id: uploads its original under that, and removes it when that is searchable. Null when it was, otherwise
 * why not; then it is what it was.
 */
export async function rename(
  engine: Engine,
  document: IndexedDocument,
  docId: string,
  rules: RereadingRules,
): Promise<string | null> {
  const received = await receiveOriginal(engine, document);
  if ('error' in received) return received.error;
  const task = await engine.submit(newTask({ ...document, docId }, rules.newId(), rules), received);
  const end = await ended(engine, task.id);
  if (end?.status !== 'completed') return end?.error?.message ?? 'it could not be read';
  if (document.givenTitle !== null) await engine.index.change(docId, { title: document.givenTitle });
  const ordinal = await engine.nextOrdinal();
  await engine.index.remove(document.docId, ordinal);
  await engine.files.remove(document.docId, ordinal);
  return null;
}

/** The task that reads it again, which waits in the queue now. Null when it is no longer what it was. */
export async function askReread(
  engine: Engine,
  document: IndexedDocument,
  rules: RereadingRules,
): Promise<{ readonly id: TaskId } | { readonly error: string } | null> {
  const received = await receiveOriginal(engine, document);
  if ('error' in received) return (await isCurrent(engine, document)) ? received : null;
  // What its client said of it stays, as it is when the task ends.
  const fields = withoutDescription(newTask(document, taskIdAfter(document.version, rules.newId()), rules));
  const task = createTask(fields, document.ordinal);
  try {
    await engine.importTask(task, received);
  } catch (error) {
    await received.discard();
    throw error;
  }
  return { id: task.id };
}

async function receiveOriginal(engine: Engine, document: IndexedDocument): Promise<Receipt | { readonly error: string }> {
  const { docId, version, sha256 } = document;
  const original = await engine.files.open({ kind: 'document', docId, version, part: 'original' });
  if (original === null) return { error: 'its original is not stored' };
  const receipt = await engine.files.receive({ bytesMax: original.bytes, bytesExpected: original.bytes });
  try {
    await pipeline(original.stream, receipt.stream);
  } catch (error) {
    await receipt.discard();
    throw error;
  }
  if (receipt.sha256 === sha256) return receipt;
  await receipt.discard();
  return { error: 'its original is damaged' };
}

function newTask(document: IndexedDocument, id: TaskId, rules: RereadingRules): NewTask {
  const { docId, filename, fileBytes, sha256, declaredMediaType } = document;
  const of = { docId, filename, fileBytes, sha256, declaredMediaType, ...descriptionOf(document), keyId: null, callbackUrl: null };
  return { id, ...of, lane: rules.laneOf(fileBytes), attemptsMax: rules.attemptsMax, createdAt: rules.now() };
}

async function isCurrent(engine: Engine, { docId, version }: IndexedDocument): Promise<boolean> {
  return (await engine.index.info(docId))?.version === version;
}

/** Waits until a task has ended, whoever does it; null when it is not kept any more. */
async function ended(engine: Engine, id: TaskId): Promise<Task | null> {
  for (;;) {
    const changed = Promise.withResolvers<void>();
    const stop = engine.tasks.watch(id, () => changed.resolve());
    const timer = setTimeout(changed.resolve, lookEveryMs);
    const found = await engine.tasks.get(id);
    if (found !== null && !isTerminal(found.task.status)) await changed.promise;
    clearTimeout(timer);
    stop();
    if (found === null || isTerminal(found.task.status)) return found?.task ?? null;
  }
}
