/** Port: where bytes live: what was uploaded, and what a searchable document consists of. */
import type { Readable, Writable } from 'node:stream';
import { createHash } from 'node:crypto';
import type { DocumentPart } from '../documents/document-part.ts';
import type { TaskId, Version } from '../tasks/task.ts';

/** An upload that was received. Exactly one of `keep` (by `Engine.submit`) and `discard` ends it. */
export interface Receipt {
  readonly bytes: number;
  /** Of the bytes received, lower-case hex. */
  readonly sha256: string;
  /** Removes what was received. Safe at any time and safe twice; does nothing after the upload was kept. */
  discard(): Promise<void>;
}

/** An upload that is being received: a whole `Receipt` once `stream` has finished, which tells its `bytes` and `sha256` then. */
export interface IncomingReceipt extends Receipt {
  /** Write the file's bytes here; `finish` comes after they are flushed to the disk. */
  readonly stream: Writable;
}

/** Names one stored file. */
export type FileKey =
  | { readonly kind: 'payload'; readonly taskId: TaskId }
  | { readonly kind: 'document'; readonly docId: string; readonly version: TaskId; readonly part: DocumentPart };

/** A part of a file: its first and its last byte, both within it. */
export type ByteRange = { readonly first: number; readonly last: number };

export type PickRange = (bytes: number) => ByteRange | null;

export interface FileStore {
  /**
   * Starts receiving an upload. Memory does not grow with the file.
   * @throws AppError `insufficient_storage` when there is no room for `bytesExpected` above the free-space floor.
   */
  receive(options: { bytesMax: number; bytesExpected: number | null }): Promise<IncomingReceipt>;
  /**
   * Receives files that are in memory already, together: all of them, in their order, or none. Durable when it returns.
   * @throws as `receive`, and what its streams fail with.
   */
  receiveAll(contents: readonly Uint8Array[]): Promise<readonly Receipt[]>;
  /** A local path that may be read while the task or document version exists; null when there is no such file. */
  localPath(key: FileKey): Promise<string | null>;
  /** `bytes`: of the whole file. `pick` chooses a part of it once they are known; without it, and for null, all of it is read. */
  open(key: FileKey, pick?: PickRange): Promise<{ stream: Readable; bytes: number } | null>;
  stat(key: FileKey): Promise<{ bytes: number } | null>;
  /** An empty folder of the caller's own for one attempt's result; gone with its process at the latest. */
  scratch(taskId: TaskId): Promise<string>;
  /**
   * Does what publishing this folder takes and needs no transaction, so that one around `publish` is short. May be left out; safe twice.
   * The folder must not change afterwards.
   */
  prepare(scratchDir: string): Promise<void>;
  /**
   * Publishes a scratch folder (and the payload as `original`, unless the folder has one) as one version of a document: complete and durable
   * when it returns. Safe twice, also with another scratch folder of the same task. Not visible to readers until the index switches to it.
   */
  publish(docId: string, version: Version, scratchDir: string): Promise<void>;
  /** Notes which version is current and removes every one accepted before it. The index decides: what is lost of it is made good. Safe twice. */
  settle(docId: string, version: Version): Promise<void>;
  /**
   * Puts parts of a version anew in place of those that were damaged: all that are in `scratchDir`, `meta.json` last. The folder is gone
   * afterwards. Safe twice.
   */
  mend(docId: string, version: TaskId, scratchDir: string): Promise<void>;
  /**
   * Calls `look` with a folder that holds the parts of a version as they are stored now, whatever copies this process keeps: only to be
   * read, and only until `look` is done. What is missing is missing there. Disk: one version, where bytes are not stored as files.
   */
  withStored<T>(docId: string, version: TaskId, look: (folder: string) => Promise<T>): Promise<T>;
  /** Removes one version that never became current. Safe twice. */
  unpublish(docId: string, version: TaskId): Promise<void>;
  /**
   * Removes every version accepted before `ordinal`, and the document's folder when none is left: a version accepted after a
   * removal began is not its prey. Safe twice.
   */
  remove(docId: string, ordinal: number): Promise<void>;
  /** The newest stored version of every document, for rebuilding an index. */
  documents(): AsyncIterable<{ folder: string; version: TaskId }>;
}

/** A doc_id as a folder name: its SHA-256, since a doc_id may hold any character. */
export function documentFolder(docId: string): string {
  return createHash('sha256').update(docId, 'utf8').digest('hex');
}
