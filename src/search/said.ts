/** What a client says of a document, from one version of it to the next: the same on every engine. Pure. */
import { descriptionOf, kept, keptDescription, patchMetadata } from '../tasks/given.ts';
import type { Version } from '../tasks/task.ts';
import type { DocumentChange, DocumentPatch, IncomingDocument, IndexedDocument } from './document-index.ts';

/** An incoming version; what its upload did not say is as it was before. */
export function withKept(incoming: IncomingDocument, before: IndexedDocument | null): IndexedDocument {
  return {
    ...incoming,
    ...keptDescription(incoming, before),
    givenTitle: kept(incoming.givenTitle, before?.givenTitle ?? null),
  };
}

/** The same bytes under a newer task. */
export function renamed(current: IndexedDocument, { id, ordinal }: Version, change: DocumentChange): IndexedDocument {
  return {
    ...current,
    version: id,
    ordinal,
    filename: change.filename,
    ...keptDescription(change, current),
    givenTitle: kept(change.givenTitle, current.givenTitle),
  };
}

/** All that is said of a document, and nothing else of it. */
export function saidOf(document: IndexedDocument): Required<DocumentChange> {
  return { filename: document.filename, ...descriptionOf(document), givenTitle: document.givenTitle };
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
