/**
 * Files and vector stores as OpenAI's API has them, on collections and documents: a vector store is a collection, a file in it a document
 * whose doc_id is the id of the file. What is uploaded without a store is kept as a document of a collection of its own until it is deleted.
 */
import { randomBytes } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { filesCollection, scopedId } from '../../documents/document-name.ts';
import { AppError } from '../../errors.ts';
import type { IndexedDocument } from '../../search/document-index.ts';
import type { Metadata } from '../../tasks/given.ts';
import { isTerminal, type TaskSnapshot } from '../../tasks/task.ts';
import { callerOf, reaches, type Principal } from '../access/access.ts';
import type { Slots } from '../access/slots.ts';
import type { Call, RequestState } from '../routes/route.ts';
import type { CollectionView, Services } from '../services.ts';
import type { ReceivedForm } from '../upload/upload-body.ts';

export type OpenAiCall = Pick<Call<unknown, unknown, unknown>, 'ctx' | 'services' | 'principal' | 'signal' | 'asker' | 'audit'>;

/** A file or a file in a store: as a document once it was read, as the newest task of it before and when that failed. */
export type StoredFile = { readonly id: string; readonly document: IndexedDocument | null; readonly snapshot: TaskSnapshot | null };

/** How long an attachment waits for files that are still being read, in milliseconds. */
const attachWaitMs = 55_000;

/** OpenAI's own: a prefix and letters. */
export function newOpenAiId(prefix: 'file' | 'vs'): string {
  return prefix === 'file' ? `file-${randomBytes(12).toString('hex')}` : `vs_${randomBytes(12).toString('hex')}`;
}

/** Null: there is nothing of this id. Costs one look into the index, and one at the tasks. */
export async function findFile(
  { services, asker }: Pick<OpenAiCall, 'services' | 'asker'>,
  collection: string,
  id: string,
): Promise<StoredFile | null> {
  const docId = scopedId({ collection, docId: id });
  // The task first: one that is completed then has its document.
  const { tasks } = await services.tasks.list({ docId, limit: 1 });
  const document = await services.documents.info(docId, asker);
  // What a task completed and is not there any more was deleted.
  const [snapshot = null] = document === null ? tasks.filter(({ task }) => task.status !== 'completed') : tasks;
  return document === null && snapshot === null ? null : { id, document, snapshot };
}

/** @throws AppError `not_found`, also for another key's file. */
export async function ownFile(call: OpenAiCall, id: string): Promise<StoredFile> {
  const file = await findFile(call, filesCollection, id);
  if (file === null || !isOwner(call.principal, file)) throw new AppError('not_found', `No such File object: ${id}`);
  return file;
}

/** Whose file it is: whoever uploaded it, and keys that look after everything. */
export function isOwner(principal: Principal, { document, snapshot }: StoredFile): boolean {
  if (looksAfterAll(principal)) return true;
  const { keyId } = principal;
  return keyId !== null && keyId === (document?.metadata?.['uploaded_by'] ?? snapshot?.task.keyId);
}

export function looksAfterAll({ scope, collections }: Principal): boolean {
  return scope === 'admin' && collections === null;
}

/** Durable when it returns; it is read in the background. */
export async function storeFile(
  call: OpenAiCall,
  { receipt, filename, declaredMediaType }: ReceivedForm,
  purpose: string,
): Promise<StoredFile> {
  const { services, principal } = call;
  if (!(await services.collections.exists(filesCollection)))
    await services.collections.put(filesCollection, { title: 'Files', description: 'Uploaded by POST /v1/files.' });
  const id = newOpenAiId('file');
  const metadata: Metadata = { purpose, ...(principal.keyId === null ? {} : { uploaded_by: principal.keyId }) };
  const docId = scopedId({ collection: filesCollection, docId: id });
  const task = await services.uploads.submit({ ...whoOf(call), receipt, filename, declaredMediaType, metadata, docId });
  call.audit({ event: 'insert', collection: filesCollection, docId: id, taskId: task.id });
  return (await findFile(call, filesCollection, id))!;
}

function whoOf({ ctx, principal }: OpenAiCall): { keyId: string | null; caller: string; callbackUrl: null } {
  return { keyId: principal.keyId, caller: callerOf(principal, (ctx.state as RequestState).address), callbackUrl: null };
}

/** The collection behind a vector store. @throws AppError `not_found`. */
export async function storeOf({ services, principal }: OpenAiCall, id: string): Promise<CollectionView> {
  const found = reaches(principal, id) && id !== filesCollection ? await services.collections.get(id) : null;
  if (found === null) throw new AppError('not_found', `Vector store '${id}' not found.`);
  return found;
}

/** @throws AppError `not_found`. */
export async function fileIn(call: OpenAiCall, store: string, id: string): Promise<StoredFile> {
  const found = await findFile(call, store, id);
  if (found !== null) return found;
  // A file that could not be read was never attached: its own end is the end of that.
  const file = await findFile(call, filesCollection, id);
  if (file !== null && isOwner(call.principal, file) && file.document === null && file.snapshot?.task.status === 'failed')
    return file;
  throw new AppError('not_found', `No file '${id}' found in vector store '${store}'.`);
}

/** Places of those that wait for a file to be read, and of uploads, of which a copy is one. */
export type AttachSlots = { readonly waitSlots: Slots; readonly uploadSlots: Slots };

/**
 * The file once it was read, or could not be; of several all within one minute.
 * @throws AppError `not_found`; `unavailable` when it is still being read then, `rate_limited` when too many wait: the client tries again.
 */
export async function readFiles(call: OpenAiCall, { waitSlots }: AttachSlots, ids: readonly string[]): Promise<StoredFile[]> {
  const files: StoredFile[] = [];
  for (const id of ids) files.push(await ownFile(call, id));
  if (files.every(({ document }) => document !== null)) return files;
  const release = waitSlots.take(whoOf(call).caller);
  if (release === null)
    throw new AppError('rate_limited', 'Too many requests of this kind are waiting; try again in a moment.', {
      retryAfterSeconds: 5,
    });
  const deadline = performance.now() + attachWaitMs;
  try {
    const read: StoredFile[] = [];
    for (const file of files) read.push(await onceRead(call, file, deadline));
    return read;
  } finally {
    release();
  }
}

async function onceRead(call: OpenAiCall, file: StoredFile, deadline: number): Promise<StoredFile> {
  if (file.document !== null) return file;
  const waitMs = Math.max(0, deadline - performance.now());
  const ended = await call.services.tasks.wait(file.snapshot!.task.id, waitMs, call.signal);
  if (ended === null || !isTerminal(ended.task.status))
    throw new AppError('unavailable', 'The file is still being read; try again in a moment.', { retryAfterSeconds: 5 });
  return ended.task.status === 'failed' ? { ...file, snapshot: ended } : ownFile(call, file.id);
}

/**
 * Copies a file that was read into the store's collection; one that could not be is answered with its failure. Durable when it returns.
 * @throws AppError `not_found`; `rate_limited` when too many uploads are coming in.
 */
export async function attachFile(
  call: OpenAiCall,
  { uploadSlots }: AttachSlots,
  { store, file, attributes }: { store: string; file: StoredFile; attributes: Metadata | null },
): Promise<StoredFile> {
  if (file.document === null) return file;
  const release = uploadSlots.take(whoOf(call).caller);
  if (release === null)
    throw new AppError('rate_limited', 'Too many uploads at once; try again in a moment.', { retryAfterSeconds: 5 });
  try {
    await copyFile(call, { store, id: file.id, attributes });
  } finally {
    release();
  }
  return (await findFile(call, store, file.id)) ?? file;
}

async function copyFile(
  call: OpenAiCall,
  { store, id, attributes }: { store: string; id: string; attributes: Metadata | null },
): Promise<void> {
  const { services, asker } = call;
  const original = await services.documents.original(scopedId({ collection: filesCollection, docId: id }), asker);
  if (original === null) throw new AppError('not_found', `No such File object: ${id}`);
  const { stream, bytes, document } = original;
  const receipt = await services.uploads.receive({ bytesMax: bytes, bytesExpected: bytes }).catch((error: unknown) => {
    stream.destroy();
    throw error;
  });
  try {
    await pipeline(stream, receipt.stream);
  } catch (error) {
    await receipt.discard();
    throw error;
  }
  const { filename } = document;
  const docId = scopedId({ collection: store, docId: id });
  const task = await services.uploads.submit({
    ...whoOf(call),
    receipt,
    filename,
    declaredMediaType: document.declaredMediaType ?? null,
    metadata: attributes,
    docId,
  });
  call.audit({ event: 'insert', collection: store, docId: id, taskId: task.id });
}

/** Of each state; of what waits in a long queue the newest are looked at. */
const liveTasksMax = 200;

/** Live tasks of a collection, at most 200 of each state. */
export async function liveTasks(services: Services, collection: string): Promise<readonly TaskSnapshot[]> {
  const pages = await Promise.all(
    (['pending', 'processing'] as const).map((status) => services.tasks.list({ collection, status, limit: liveTasksMax })),
  );
  return pages.flatMap(({ tasks }) => tasks);
}
