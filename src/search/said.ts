/** What a client says of a document, from one version of it to the next: the same on every engine. Pure. */
import { kept, patchMetadata } from '../tasks/given.ts';
import type { Version } from '../tasks/task.ts';
import type { DocumentChange, DocumentPatch, IncomingDocument, IndexedDocument } from './document-index.ts';

/** An incoming version; what its upload did not say is as it was before. */
export function withKept({ metadata, givenTitle, ...document }: IncomingDocument, before: IndexedDocument | null): IndexedDocument {
  return {
    ...document,
    metadata: kept(metadata, before?.metadata ?? null),
    givenTitle: kept(givenTitle, before?.givenTitle ?? null),
  };
}

/** The same bytes under a newer task. */
export function renamed(current: IndexedDocument, { id, ordinal }: Version, change: DocumentChange): IndexedDocument {
  const { metadata: _metadata, givenTitle: _givenTitle, ...rest } = current;
  return withKept({ ...rest, version: id, ordinal, ...change }, current);
}

/** A document as a patch makes it. @throws AppError `invalid_request` when its metadata would be none that may be kept. */
export function patched(document: IndexedDocument, { metadata, title, filename }: DocumentPatch): IndexedDocument {
  return {
    ...document,
    filename: kept(filename, document.filename),
    givenTitle: kept(title, document.givenTitle),
    metadata: metadata === undefined ? document.metadata : patchMetadata(document.metadata, metadata),
  };
}
