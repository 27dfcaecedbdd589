/** The wire's names: tasks, documents and hits as clients see them (snake_case, http-contract order). */
import { defaultCollection, nameOf } from '../../documents/document-name.ts';
import {
  titleOf,
  type IndexedDocument,
  type ListedChunk,
  type SearchAnswer,
  type SearchHit,
  type SearchQuery,
} from '../../search/document-index.ts';
import { keptDescription } from '../../tasks/given.ts';
import { isTerminal, type Task, type TaskResult, type TaskSnapshot } from '../../tasks/task.ts';
import type { CollectionView, SystemStatus } from '../services.ts';
import { toDescribed } from './given.ts';
import type { MinuteCount } from '../live/throughput.ts';
import type {
  ChunkRecord,
  CollectionRecord,
  DocumentRecord,
  SearchReply,
  StatusReply,
  TaskAccepted,
  TaskRecord,
  TaskResultRecord,
} from './schemas.ts';

export type WireOptions = {
  /** Path prefix of every link, without a final slash; usually empty. */
  readonly basePath: string;
  readonly taskRetentionMs: number;
};

/** GET /task/{task_id}. */
export function toTaskRecord({ task, progress, queuePosition }: TaskSnapshot, options: WireOptions): TaskRecord {
  const { collection, docId } = nameOf(task.docId);
  return {
    task_id: task.id,
    doc_id: docId,
    collection,
    filename: task.filename,
    file_size: task.fileBytes,
    status: task.status,
    created_at: task.createdAt,
    updated_at: task.updatedAt,
    result: task.result === null ? null : toResultRecord(task.result),
    error: task.error?.message ?? null,
    stage: progress.stage,
    progress: {
      percent: progress.percent,
      pages_done: progress.pagesDone,
      pages_total: progress.pagesTotal,
      chunks_done: progress.chunksDone,
      chunks_total: progress.chunksTotal,
    },
    queue_position: queuePosition,
    attempts: task.attempts,
    max_attempts: task.attemptsMax,
    error_code: task.error?.code ?? null,
    retryable: task.error?.retryable ?? null,
    started_at: task.startedAt,
    finished_at: task.finishedAt,
    expires_at: expiresAt(task, options.taskRetentionMs),
    sha256: task.sha256,
    media_type: task.result?.mediaType ?? withoutParameters(task.declaredMediaType),
    ...toDescribed(keptDescription(task.result ?? {}, task)),
    links: {
      self: taskPath(task.id, options),
      events: `${taskPath(task.id, options)}/events`,
      document: task.status === 'completed' ? documentPath(task.docId, '', options) : null,
    },
  };
}

function withoutParameters(mediaType: string | null): string | null {
  return mediaType?.split(';')[0] ?? null;
}

/** The fixed 202. */
export function toTaskAccepted(task: Task, options: WireOptions): TaskAccepted {
  return {
    message: 'File uploaded successfully, processing started',
    task_id: task.id,
    doc_id: nameOf(task.docId).docId,
    filename: task.filename,
    status_url: taskPath(task.id, options),
  };
}

export function taskPath(taskId: string, { basePath }: WireOptions): string {
  return `${basePath}/task/${taskId}`;
}

export function describeDocument(document: IndexedDocument, options: WireOptions): DocumentRecord {
  const { collection, docId } = nameOf(document.docId);
  const part = (name: string): string => documentPath(document.docId, name, options);
  return {
    doc_id: docId,
    collection,
    task_id: document.version,
    filename: document.filename,
    media_type: document.mediaType,
    file_size: document.fileBytes,
    sha256: document.sha256,
    title: titleOf(document),
    author: document.author,
    language: document.language,
    pages: document.pages,
    chunks: document.chunks,
    characters: document.characters,
    ...toDescribed(document),
    inserted_at: document.insertedAt,
    embedder: document.embedder,
    warnings: [...document.warnings],
    links: { self: part(''), content: part('/content'), file: part('/file') },
  };
}

export function toCollectionRecord(collection: CollectionView): CollectionRecord {
  const { name, title, description, documents, chunks, bytes, createdAt, settings, rereadUpTo } = collection;
  return {
    name,
    title,
    description,
    documents,
    chunks,
    bytes,
    created_at: createdAt,
    settings: {
      chunk_tokens: settings.chunkTokens,
      chunk_overlap: settings.chunkOverlap,
      language: settings.language,
      synonyms: settings.synonyms.map((group) => [...group]),
    },
    rereading: rereadUpTo !== null,
  };
}

/** One chunk of a list. */
export function describeChunk(chunk: ListedChunk, { version }: IndexedDocument): ChunkRecord {
  return {
    chunk_id: `${version}:${chunk.chunkIndex}`,
    index: chunk.chunkIndex,
    text: chunk.text,
    char_start: chunk.start,
    char_end: chunk.end,
    page: chunk.page,
    page_end: chunk.pageEnd,
    section: [...chunk.section],
  };
}

export function toSearchReply(query: SearchQuery, answer: SearchAnswer, options: WireOptions): SearchReply {
  return {
    query: query.query,
    mode: query.mode,
    took_ms: Math.round(answer.tookMs * 10) / 10,
    total: answer.total,
    notice: answer.notice,
    shown_for: answer.shownFor,
    hits: answer.hits.map((hit) => toHit(hit, options)),
  };
}

export function toStatusReply(status: SystemStatus, history: readonly MinuteCount[]): StatusReply {
  const { searcherBacklog: behind } = status;
  return {
    pending: status.pending,
    processing: status.processing,
    threads: status.threads,
    worker_up: status.workerUp,
    documents: status.documents,
    chunks: status.chunks,
    index_bytes: status.indexBytes,
    disk_free_bytes: status.diskFreeBytes,
    documents_damaged: status.documentsDamaged,
    documents_mended: status.documentsMended,
    disk_total_bytes: status.diskTotalBytes,
    store: status.store,
    searcher: behind === null ? null : { waiting: behind.waiting, lag_seconds: behind.seconds, refused: behind.refused },
    history: history.map((minute) => ({ ...minute })),
  };
}

function toResultRecord(result: TaskResult): TaskResultRecord {
  return {
    message: result.message,
    filename: result.filename,
    media_type: result.mediaType,
    title: result.title,
    pages: result.pages,
    chunks: result.chunks,
    characters: result.characters,
    unchanged: result.unchanged,
    superseded: result.superseded,
    warnings: [...result.warnings],
  };
}

function expiresAt(task: Task, retentionMs: number): string | null {
  if (!isTerminal(task.status) || task.finishedAt === null) return null;
  return new Date(Date.parse(task.finishedAt) + retentionMs).toISOString();
}

/** One hit with its citation. */
export function toHit(hit: SearchHit, options: WireOptions): SearchReply['hits'][number] {
  const { collection, docId } = nameOf(hit.docId);
  return {
    score: hit.score,
    relevance: hit.relevance,
    ...(hit.more === undefined ? {} : { more: hit.more }),
    ...(hit.context === undefined ? {} : { context: { before: [...hit.context.before], after: [...hit.context.after] } }),
    text: hit.text,
    highlights: hit.highlights.map(([start, end]) => [start, end]),
    across_languages: hit.acrossLanguages,
    ...(hit.alsoIn === undefined ? {} : { also_in: hit.alsoIn.map(placeOf) }),
    citation: {
      doc_id: docId,
      collection,
      filename: hit.filename,
      title: hit.title,
      page: hit.page,
      page_end: hit.pageEnd,
      section: [...hit.section],
      ...toDescribed(hit),
      chunk_id: `${hit.version}:${hit.chunkIndex}`,
      char_start: hit.start,
      char_end: hit.end,
      // RFC 5147: a range of characters within a text resource.
      url: `${documentPath(hit.docId, '/content', options)}#char=${hit.start},${hit.end}`,
    },
  };
}

function placeOf({ docId, filename, title, page }: NonNullable<SearchHit['alsoIn']>[number]) {
  const name = nameOf(docId);
  return { doc_id: name.docId, collection: name.collection, filename, title, page };
}

/** The address of a document, or of a part of it; that of one in `default` needs no collection. */
function documentPath(scoped: string, part: string, { basePath }: WireOptions): string {
  const { collection, docId } = nameOf(scoped);
  const query = collection === defaultCollection ? '' : `?collection=${collection}`;
  return `${basePath}/documents/${encodeURIComponent(docId)}${part}${query}`;
}
