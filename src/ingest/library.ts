/** The documents that are searchable: list, read, download, remove. */
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { keptDocId } from '../documents/doc-id.ts';
import type { Engine } from '../storage/engine.ts';
import { AppError } from '../errors.ts';
import type { DocumentPage, IndexedDocument } from '../search/document-index.ts';
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
  list(options: { limit: number; cursor?: string }): Promise<DocumentPage>;
  info(docId: string): Promise<IndexedDocument | null>;
  /** The doc_id under which a document is kept, or would be: names compare in Unicode's composed form. */
  keptDocId(docId: string): Promise<string>;
  /** The parsed text as Markdown; null for an unknown document. */
  content(docId: string, pick?: PickPart): Promise<DocumentStream | null>;
  /** The file as it was uploaded. */
  original(docId: string, pick?: PickPart): Promise<DocumentStream | null>;
  /** Gone from search, content and disk when it returns; tasks of this doc_id that wait or run are cancelled. False when there was nothing. */
  remove(docId: string): Promise<boolean>;
}

export type LibraryOptions = {
  readonly engine: Engine;
  readonly cancel: (id: TaskId, options: { force: boolean }) => Promise<CancelOutcome>;
};

type PartSize = { readonly bytes: number } | { readonly bytesMin: number };

function isWhole(bytes: number, size: PartSize): boolean {
  return 'bytes' in size ? bytes === size.bytes : bytes >= size.bytesMin;
}

export function createLibrary({ engine, cancel }: LibraryOptions): Library {
  const kept = (docId: string): Promise<string> => keptDocId(docId, async (form) => (await engine.index.info(form)) !== null);

  async function openPart(given: string, part: DocumentPart, pick?: PickPart): Promise<DocumentStream | null> {
    // A replacement may remove the version between the two reads; then the next look finds the new one.
    const docId = await kept(given);
    for (let look = 0; look < 3; look += 1) {
      const document = await engine.index.info(docId);
      if (document === null) return null;
      const key = { kind: 'document', docId, version: document.version, part } as const;
      const facts = await factsOf(document, part);
      const file = await engine.files.open(key, (bytes) => pick?.({ bytes, document }) ?? null);
      if (file === null) continue;
      if (isWhole(file.bytes, facts)) return { ...file, document };
      file.stream.destroy();
      throw new AppError('internal', 'The stored text or file of this document is damaged: upload it again.', {
        cause: `${part} of ${document.version} has ${file.bytes} bytes`,
      });
    }
    return null;
  }

  /** How many bytes a part must have. Version 0.1.0 did not note it of the text; then its characters are the least. */
  async function factsOf(document: IndexedDocument, part: DocumentPart): Promise<PartSize> {
    if (part === 'original') return { bytes: document.fileBytes };
    const meta = await engine.files.open({ kind: 'document', docId: document.docId, version: document.version, part: 'meta.json' });
    const { parts } = meta === null ? { parts: undefined } : parseStagedMeta(await text(meta.stream));
    const bytes = part === 'content.md' ? parts?.[part]?.bytes : undefined;
    return bytes === undefined ? { bytesMin: document.characters } : { bytes };
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

  return {
    list: (options) => engine.index.list(options),
    info: async (docId) => engine.index.info(await kept(docId)),
    keptDocId: kept,
    content: (docId, pick) => openPart(docId, 'content.md', pick),
    original: (docId, pick) => openPart(docId, 'original', pick),
    async remove(given) {
      const docId = await kept(given);
      const ordinal = await engine.nextOrdinal();
      const removed = await engine.index.remove(docId, ordinal);
      const cancelled = await cancelLive(docId, ordinal);
      await engine.files.remove(docId, ordinal);
      return removed || cancelled > 0;
    },
  };
}
