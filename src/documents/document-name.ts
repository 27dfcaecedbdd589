/**
 * What a document is called: a collection, and a doc_id that is unique within it. Stores and engines keep the two as one string, made
 * and taken apart here and nowhere else: of the collection `default` it is the doc_id alone, so that everything that was kept before
 * there were collections is in it as it stands.
 */

import { AppError } from '../errors.ts';

/** A document as its clients name it. */
export type DocumentName = { readonly collection: string; readonly docId: string };

/** The two as one string; of another type than a doc_id, so that none goes to a store whose collection nobody has looked at. */
export type ScopedId = string & { readonly __brand: 'ScopedId' };

/** Always there. */
export const defaultCollection = 'default';

/**
 * Where files of the OpenAI interface lie until they are attached to a store, and after it: looked into only by its name, since what is in it
 * is found in the store as well.
 */
export const filesCollection = 'openai-files';

/** What a collection may be called. */
const collectionNamePattern = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** A unit separator: no name of a collection has it, and no doc_id, which holds no control characters. */
const separator = '\u001f';

/** Whether a collection may be called so. */
export function isCollectionName(text: string): boolean {
  return collectionNamePattern.test(text);
}

/**
 * The one string under which a document, its tasks and its files are kept.
 * @throws AppError `not_found`: no doc_id is written so; in `default` it would name a document of another collection.
 */
export function scopedId({ collection, docId }: DocumentName): ScopedId {
  if (docId.includes(separator)) throw new AppError('not_found', 'Document not found');
  return (collection === defaultCollection ? docId : `${collection}${separator}${docId}`) as ScopedId;
}

/** The other way round. */
export function nameOf(scoped: string): DocumentName {
  const at = scoped.indexOf(separator);
  return at === -1
    ? { collection: defaultCollection, docId: scoped }
    : { collection: scoped.slice(0, at), docId: scoped.slice(at + 1) };
}

/** A document as a sentence for a person names it. */
export function quotedName(scoped: string): string {
  const { collection, docId } = nameOf(scoped);
  return collection === defaultCollection ? JSON.stringify(docId) : `${JSON.stringify(docId)} of the collection ${collection}`;
}

/** The collection that a document, or its task, belongs to. */
export function collectionOf(scoped: string): string {
  return nameOf(scoped).collection;
}

/** Whether a text that came from outside could be one of these strings. */
export function isScopedId(text: string): boolean {
  const { collection, docId } = nameOf(text);
  return isCollectionName(collection) && !/\p{Cc}/u.test(docId) && docId.isWellFormed();
}

/** A name as lists sort and find it: upper and lower case, full and half width, composed and decomposed are one. */
export function foldName(name: string): string {
  return name.normalize('NFKC').toLowerCase();
}
