/**
 * Files and vector stores as OpenAI's API has them, on collections and documents: a vector store is a collection, a file in it a document
 * whose doc_id is the id of the file. What is uploaded without a store is kept as a document of a collection of its own until it is deleted.
 */
import { randomBytes } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { scopedId } from '../../documents/document-name.ts';
import { AppError } from '../../errors.ts';
import type { IndexedDocument } from '../../search/document-index.ts';
import type { Metadata } from '../../tasks/given.ts';
import { isTerminal, type TaskSnapshot } from '../../tasks/task.ts';
import { callerOf, reaches, type Principal } from '../access/access.ts';
import type { Call, RequestState } from '../routes/route.ts';
import type { CollectionView, Services } from '../services.ts';
import type { ReceivedForm } from '../upload/upload-body.ts';

/** Where uploaded files wait for a vector store. */
export const filesCollection = 'openai-files';

export type OpenAiCall = Pick<Call<unknown, unknown, unknown>, 'ctx' | 'services' | 'principal' | 'signal' | 'asker' | 'audit'>;

/** A file or a file in a store: as a document once it was read, as the newest task of it before and when that failed. */
export type StoredFile = { readonly id: string; readonly document: IndexedDocument | null; readonly snapshot: TaskSnapshot | null };

/** How long an attachment waits for a file that is still being read, in milliseconds. */
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
  const document = await services.documents.info(docId, asker);
  const { tasks } = await services.tasks.list({ docId, limit: 1 });
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
export function isOwner({ keyId, scope, collections }: Principal, { document, snapshot }: StoredFile): boolean {
  if (scope === 'admin' && collections === null) return true;
  return keyId !== null && keyId === (document?.metadata?.['uploaded_by'] ?? snapshot?.task.keyId);
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

/**
 * Copies the file into the store's collection; a file that cannot be read is answered with its failure. Durable when it returns.
 * @throws AppError `not_found`; `unavailable` when the file is still being read after a minute: the client tries again.
 */
export async function attachFile(call: OpenAiCall, store: string, id: string, attributes: Metadata | null): Promise<StoredFile> {
  const { services, asker } = call;
  const file = await ownFile(call, id);
  if (file.document === null) {
    const ended = await services.tasks.wait(file.snapshot!.task.id, attachWaitMs, call.signal);
    if (ended !== null && ended.task.status === 'failed') return { ...file, snapshot: ended };
    if (ended === null || !isTerminal(ended.task.status))
      throw new AppError('unavailable', 'The file is still being read; try again.', { retryAfterSeconds: 5 });
  }
  const original = await services.documents.original(scopedId({ collection: filesCollection, docId: id }), asker);
  if (original === null) throw new AppError('not_found', `No such File object: ${id}`);
  const { stream, bytes, document } = original;
  const receipt = await services.uploads.receive({ bytesMax: bytes, bytesExpected: bytes });
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
  return (await findFile(call, store, id))!;
}

/** Live tasks of a collection, at most 1,000 of each state. */
export async function liveTasks(services: Services, collection: string): Promise<readonly TaskSnapshot[]> {
  const pages = await Promise.all(
    (['pending', 'processing'] as const).map((status) => services.tasks.list({ collection, status, limit: 1000 })),
  );
  return pages.flatMap(({ tasks }) => tasks);
}
