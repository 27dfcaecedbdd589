/** The documents that are searchable: list, read, download, remove. */
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { keptDocId } from '../documents/doc-id.ts';
import type { Engine } from '../storage/engine.ts';
import { AppError } from '../errors.ts';
import type { ChunkPage, DocumentPage, DocumentPatch, DocumentQuery, IndexedDocument } from '../search/document-index.ts';
import type { Filter } from '../search/filters.ts';
import type { PageLook } from '../parse/parser.ts';
import { readRecords } from '../records.ts';
import { storeSaid } from './said.ts';
import { parseStagedMeta } from '../search/index/staging.ts';
import type { TaskId, TaskStatus } from '../tasks/task.ts';
import type { CancelOutcome } from '../tasks/task-store.ts';
import type { ByteRange } from '../storage/file-store.ts';
import type { DocumentPart } from '../documents/document-part.ts';

/** `bytes`: of the whole, whatever part of it the stream has. */
export type DocumentStream = { readonly stream: Readable; readonly bytes: number; readonly document: IndexedDocument };

/** Chooses what is read once it is known what there is; null: all of it. */
export type PickPart = (found: Pick<DocumentStream, 'bytes' | 'document'>) => ByteRange | null;

export interface Library {
  list(query: DocumentQuery): Promise<DocumentPage>;
  /**
   * Changes what is said of a document, without reading it again; null for an unknown one. Durable.
   * @throws AppError `invalid_request` when its metadata would become too large.
   */
  change(docId: string, patch: DocumentPatch): Promise<IndexedDocument | null>;
  info(docId: string): Promise<IndexedDocument | null>;
  /** The chunks from the one of this number on; null for an unknown document. */
  chunks(docId: string, from: number, limit: number): Promise<ChunkPage | null>;
  /** The doc_id under which a document is kept, or would be: names compare in Unicode's composed form. */
  keptDocId(docId: string): Promise<string>;
  /** The parsed text as Markdown; null for an unknown document. */
  content(docId: string, pick?: PickPart): Promise<DocumentStream | null>;
  /**
   * What a page looks like; null where that is not known: of formats without it, and of what was read before it
   * was kept. Undefined for an unknown document. Cost: reads up to the page.
   */
  look(docId: string, page: number): Promise<PageLook | null | undefined>;
  /** The file as it was uploaded. */
  original(docId: string, pick?: PickPart): Promise<DocumentStream | null>;
  /** Gone from search, content and disk when it returns; tasks of this doc_id that wait or run are cancelled. False when there was nothing. */
  remove(docId: string): Promise<boolean>;
  /**
   * Removes what a filter lets through of a collection and was accepted before the call, each as `remove` does, 10,000 at most: `more` says that some may be
   * left. Ends between two when `signal` aborts; what is gone stays gone. Each is one `turn`, so that nobody waits for all of them.
   */
  removeMatching(
    collection: string,
    filters: Filter,
    by: { readonly signal: AbortSignal; readonly turn: <T>(work: () => Promise<T>) => Promise<T> },
  ): Promise<{ readonly deleted: number; readonly more: boolean }>;
}

/** Documents that one call removes, and that it looks at together. */
const removedMax = 10_000;
const removedAtOnce = 100;

export type LibraryOptions = {
  readonly engine: Engine;
  readonly cancel: (id: TaskId, options: { force: boolean }) => Promise<CancelOutcome>;
};

type PartSize = { readonly bytes: number } | { readonly bytesMin: number };

function isWhole(bytes: number, size: PartSize): boolean {
  return 'bytes' in size ? bytes === size.bytes : bytes >= size.bytesMin;
}

function damaged(cause: string): AppError {
  return new AppError('internal', 'The stored text or file of this document is damaged; upload it again.', { cause });
}

/** @throws AppError `internal`: this file is damaged, as any other may be. */
function readMeta(content: string, version: TaskId): ReturnType<typeof parseStagedMeta> {
  try {
    return parseStagedMeta(content);
  } catch (error) {
    throw damaged(`meta.json of ${version}: ${(error as Error).message}`);
  }
}

export function createLibrary({ engine, cancel }: LibraryOptions): Library {
  const kept = (docId: string): Promise<string> => keptDocId(docId, async (form) => (await engine.index.info(form)) !== null);

  async function openPart(given: string, part: DocumentPart, pick?: PickPart): Promise<DocumentStream | null> {
    // A replacement may remove the version between the two reads; then the next look finds the new one.
    const docId = await kept(given);
    let missing: IndexedDocument | null = null;
    for (let look = 0; look < 3; look += 1) {
      const document = await engine.index.info(docId);
      if (document === null) return null;
      if (missing?.version === document.version) throw damaged(`${part} of ${document.version} is not there`);
      const key = { kind: 'document', docId, version: document.version, part } as const;
      const facts = await factsOf(document, part);
      const file = await engine.files.open(key, (bytes) => pick?.({ bytes, document }) ?? null);
      if (file === null) {
        missing = document;
        continue;
      }
      if (isWhole(file.bytes, facts)) return { ...file, document };
      file.stream.destroy();
      throw damaged(`${part} of ${document.version} has ${file.bytes} bytes`);
    }
    return null;
  }

  /** How many bytes a part must have. Version 0.1.0 did not note it of the text; then its characters are the least. */
  async function factsOf(document: IndexedDocument, part: DocumentPart): Promise<PartSize> {
    if (part === 'original') return { bytes: document.fileBytes };
    const meta = await engine.files.open({ kind: 'document', docId: document.docId, version: document.version, part: 'meta.json' });
    const parts = meta === null ? undefined : readMeta(await text(meta.stream), document.version).parts;
    const bytes = part === 'content.md' ? parts?.[part]?.bytes : undefined;
    return bytes === undefined ? { bytesMin: document.characters } : { bytes };
  }

  async function look(given: string, page: number): Promise<PageLook | null | undefined> {
    const docId = await kept(given);
    const document = await engine.index.info(docId);
    if (document === null) return undefined;
    const file = await engine.files.open({ kind: 'document', docId, version: document.version, part: 'pages.ndjson' });
    if (file === null) return null;
    const start = `{"page":${page},`;
    for await (const record of readRecords(file.stream as AsyncIterable<Buffer>))
      if (record.startsWith(start)) return JSON.parse(record) as PageLook;
    return null;
  }

  /** What was accepted before the removal; an upload that comes after it stays. */
  async function cancelLive(docId: string, ordinal: number): Promise<number> {
    let cancelled = 0;
    for (const status of ['pending', 'processing'] satisfies TaskStatus[]) {
      const { tasks } = await engine.tasks.list({ status, docId, limit: 1000 });
      for (const { task } of tasks) {
        if (task.ordinal > ordinal) continue;
        const { outcome } = await cancel(task.id, { force: true });
        if (outcome === 'cancelled') cancelled += 1;
      }
    }
    return cancelled;
  }

  async function removeBefore(docId: string, ordinal: number): Promise<boolean> {
    const removed = await engine.index.remove(docId, ordinal);
    const cancelled = await cancelLive(docId, ordinal);
    await engine.files.remove(docId, ordinal);
    return removed || cancelled > 0;
  }

  return {
    list: (query) => engine.index.list(query),
    async change(docId, patch) {
      const changed = await engine.index.change(await kept(docId), patch);
      if (changed !== null) await storeSaid(engine, changed);
      return changed;
    },
    chunks: async (docId, from, limit) => engine.index.chunks(await kept(docId), from, limit),
    info: async (docId) => engine.index.info(await kept(docId)),
    keptDocId: kept,
    content: (docId, pick) => openPart(docId, 'content.md', pick),
    look,
    original: (docId, pick) => openPart(docId, 'original', pick),
    remove: async (given) => removeBefore(await kept(given), await engine.nextOrdinal()),
    async removeMatching(collection, filters, { signal, turn }) {
      // What is accepted from now on stays, whatever it is by the time that it is looked at.
      const ordinal = await engine.nextOrdinal();
      let deleted = 0;
      for (let cursor: string | null | undefined; cursor !== null && deleted < removedMax && !signal.aborted;) {
        const from = cursor == null ? {} : { cursor };
        const page: DocumentPage = await turn(() => engine.index.list({ collection, filters, limit: removedAtOnce, ...from }));
        for (const document of page.documents) {
          if (signal.aborted) break;
          if (document.ordinal <= ordinal && (await turn(() => removeBefore(document.docId, ordinal)))) deleted += 1;
        }
        cursor = page.nextCursor;
        if (cursor === null || signal.aborted) return { deleted, more: signal.aborted };
      }
      return { deleted, more: true };
    },
  };
}
