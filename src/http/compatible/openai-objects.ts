/** What OpenAI's API answers with: schemas, and how documents, tasks and collections become such objects. */
import { z } from 'zod';
import type { IndexedDocument, SearchHit } from '../../search/document-index.ts';
import type { Metadata } from '../../tasks/given.ts';
import type { TaskSnapshot } from '../../tasks/task.ts';
import { nameOf } from '../../documents/document-name.ts';
import { keptMetadata } from '../wire/given.ts';
import type { CollectionView } from '../services.ts';
import type { StoredFile } from './openai-files.ts';

const seconds = z.int().min(0);
const lastError = z.strictObject({ code: z.string(), message: z.string() }).nullable();

export const fileObject = z
  .strictObject({
    id: z.string(),
    object: z.literal('file'),
    bytes: z.int().min(0),
    created_at: seconds,
    expires_at: z.null(),
    filename: z.string(),
    purpose: z.string(),
    status: z.enum(['uploaded', 'processed', 'error']),
    status_details: z.string().nullable(),
  })
  .meta({ id: 'OpenAiFile' });

export const storeObject = z
  .strictObject({
    id: z.string(),
    object: z.literal('vector_store'),
    created_at: seconds,
    name: z.string(),
    description: z.string().nullable(),
    usage_bytes: z.int().min(0),
    file_counts: z.strictObject({
      in_progress: z.int(),
      completed: z.int(),
      failed: z.int(),
      cancelled: z.int(),
      total: z.int(),
    }),
    status: z.enum(['completed', 'in_progress']),
    expires_after: z.null(),
    expires_at: z.null(),
    last_active_at: seconds.nullable(),
    metadata: z.record(z.string(), z.string()),
  })
  .meta({ id: 'OpenAiVectorStore' });

export const storeFileObject = z
  .strictObject({
    id: z.string(),
    object: z.literal('vector_store.file'),
    created_at: seconds,
    vector_store_id: z.string(),
    usage_bytes: z.int().min(0),
    status: z.enum(['in_progress', 'completed', 'cancelled', 'failed']),
    last_error: lastError,
    attributes: keptMetadata,
    chunking_strategy: z.strictObject({ type: z.literal('other') }),
  })
  .meta({ id: 'OpenAiVectorStoreFile' });

export const searchPage = z
  .strictObject({
    object: z.literal('vector_store.search_results.page'),
    search_query: z.array(z.string()),
    data: z.array(
      z.strictObject({
        file_id: z.string(),
        filename: z.string(),
        score: z.number(),
        attributes: keptMetadata,
        content: z.array(z.strictObject({ type: z.literal('text'), text: z.string() })),
      }),
    ),
    has_more: z.boolean(),
    next_page: z.null(),
  })
  .meta({ id: 'OpenAiSearchPage' });

export const contentPage = z
  .strictObject({
    object: z.literal('vector_store.file_content.page'),
    data: z.array(z.strictObject({ type: z.literal('text'), text: z.string() })),
    has_more: z.boolean(),
    next_page: z.null(),
  })
  .meta({ id: 'OpenAiContentPage' });

export const deletedObject = z
  .strictObject({ id: z.string(), object: z.string(), deleted: z.literal(true) })
  .meta({ id: 'OpenAiDeleted' });

/** A page of any of these. */
export function listOf(item: z.ZodType): z.ZodType {
  return z.strictObject({
    object: z.literal('list'),
    data: z.array(item),
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
    has_more: z.boolean(),
  });
}

export function toList(data: readonly { readonly id: string }[], hasMore: boolean): object {
  return { object: 'list', data, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null, has_more: hasMore };
}

function secondsOf(iso: string | null | undefined): number {
  return iso == null ? 0 : Math.floor(Date.parse(iso) / 1000);
}

export function toFile({ id, document, snapshot }: StoredFile): z.output<typeof fileObject> {
  const task = snapshot?.task ?? null;
  const failed = document === null && task?.status === 'failed';
  return {
    id,
    object: 'file',
    bytes: document?.fileBytes ?? task?.fileBytes ?? 0,
    created_at: secondsOf(document?.insertedAt ?? task?.createdAt),
    expires_at: null,
    filename: document?.filename ?? task?.filename ?? 'file',
    purpose: String((document?.metadata ?? task?.metadata)?.['purpose'] ?? 'assistants'),
    status: failed ? 'error' : document === null ? 'uploaded' : 'processed',
    status_details: failed ? (task?.error?.message ?? null) : null,
  };
}

export function toStore(
  { name, title, description, documents, bytes, createdAt }: CollectionView,
  inProgress: number,
): z.output<typeof storeObject> {
  return {
    id: name,
    object: 'vector_store',
    created_at: secondsOf(createdAt),
    name: title ?? name,
    description,
    usage_bytes: bytes,
    file_counts: { in_progress: inProgress, completed: documents, failed: 0, cancelled: 0, total: documents + inProgress },
    status: inProgress > 0 ? 'in_progress' : 'completed',
    expires_after: null,
    expires_at: null,
    last_active_at: secondsOf(createdAt),
    metadata: {},
  };
}

/** OpenAI knows three reasons; ours is in the sentence. */
function errorCodeOf(code: string | undefined): string {
  if (code === 'unsupported_format') return 'unsupported_file';
  return code === 'internal' || code === 'storage_failed' || code === 'worker_crashed' ? 'server_error' : 'invalid_file';
}

export function toStoreFile(store: string, { id, document, snapshot }: StoredFile): z.output<typeof storeFileObject> {
  const task = snapshot?.task ?? null;
  const isLive = task !== null && (task.status === 'pending' || task.status === 'processing');
  const isFailed = document === null && task?.status === 'failed';
  const isCancelled = isFailed && task.error?.code === 'cancelled';
  return {
    id,
    object: 'vector_store.file',
    created_at: secondsOf(document?.insertedAt ?? task?.createdAt),
    vector_store_id: store,
    usage_bytes: document?.fileBytes ?? 0,
    status: isLive ? 'in_progress' : isCancelled ? 'cancelled' : isFailed ? 'failed' : 'completed',
    last_error:
      isFailed && !isCancelled ? { code: errorCodeOf(task.error?.code), message: task.error?.message ?? 'unknown' } : null,
    attributes: document?.metadata ?? task?.metadata ?? ({} as Metadata),
    chunking_strategy: { type: 'other' },
  };
}

export function fromDocument(document: IndexedDocument): StoredFile {
  return { id: nameOf(document.docId).docId, document, snapshot: null };
}

/** A task that waits or runs. */
export function fromTask(snapshot: TaskSnapshot): StoredFile {
  return { id: nameOf(snapshot.task.docId).docId, document: null, snapshot };
}

export function toResult({ docId, filename, relevance, metadata, text }: SearchHit): z.output<typeof searchPage>['data'][number] {
  return {
    file_id: nameOf(docId).docId,
    filename,
    score: relevance,
    attributes: metadata ?? {},
    content: [{ type: 'text', text }],
  };
}
