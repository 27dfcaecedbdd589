/**
 * Moves documents to another collection: each is put there under its own doc_id, read there, and only then taken away here, so that at
 * every moment it is found in one of them. Nothing is replaced there, and what was changed here meanwhile is not taken away.
 */
import { ApiError, getTask, originalUrl, request } from './api.ts';
import { collectionQuery } from './collection.ts';
import { dropDocuments } from './document-list.ts';
import type { describedFields } from '../http/wire/given.ts';
import type { WireDocument, WireTask } from './wire.ts';

/** Between two looks at a task that reads a document there. */
const lookMs = 500;

/** @throws ApiError 412 when the collection has a document of this doc_id; a task's own sentence when it could not be read there. */
export async function moveDocument(document: WireDocument, collection: string): Promise<void> {
  const before = await request(pathOf(document, document.collection));
  const etag = before.headers.get('etag');
  const current = (await before.json()) as WireDocument;
  await ended(await copy(current, collection));
  if (current.title !== null) await giveTitle(current, collection);
  await request(pathOf(current, current.collection), { method: 'DELETE', headers: etag === null ? {} : { 'if-match': etag } });
  dropDocuments(new Set([current.doc_id]));
}

async function copy(document: WireDocument, collection: string): Promise<string> {
  const original = await (await request(originalUrl(document.doc_id, document.collection))).blob();
  const form = new FormData();
  for (const [name, text] of Object.entries(described(document))) if (text !== null) form.append(name, text);
  form.append('file', new Blob([original], { type: document.media_type }), document.filename);
  const path = `insert?doc_id=${encodeURIComponent(document.doc_id)}${collectionQuery('&', collection)}`;
  const headers = { prefer: 'respond-async', 'if-none-match': '*' };
  const response = await request(path, { method: 'POST', headers, body: form });
  return ((await response.json()) as { task_id: string }).task_id;
}

/** What stays with a document, as the fields of a form. */
function described({ metadata }: WireDocument): { readonly [Each in keyof typeof describedFields]: string | null } {
  return { metadata: metadata === null ? null : JSON.stringify(metadata) };
}

/** Returns when it is searchable there. */
async function ended(taskId: string): Promise<void> {
  for (;;) {
    const task: WireTask | null = await getTask(taskId);
    if (task === null) throw new ApiError(404, 'The task is gone.', { code: 'not_found' });
    if (task.status === 'completed') return;
    if (task.status === 'failed') throw new ApiError(422, task.error ?? '', { code: 'invalid_document' });
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}

/** Mostly the file says it; one that was given by hand is given once more. */
async function giveTitle({ doc_id, title, collection: from }: WireDocument, collection: string): Promise<void> {
  const path = pathOf({ doc_id }, collection);
  const there = (await (await request(path)).json()) as WireDocument;
  if (there.title === title || from === collection) return;
  const headers = { 'content-type': 'application/json' };
  await request(path, { method: 'PATCH', headers, body: JSON.stringify({ title }) });
}

function pathOf({ doc_id: docId }: Pick<WireDocument, 'doc_id'>, collection: string): string {
  return `documents/${encodeURIComponent(docId)}${collectionQuery('?', collection)}`;
}
