/** Where a page of documents ended, as clients carry it: the time and the key of its last one, the same on every engine. */
import { isScopedId } from '../documents/document-name.ts';
import { AppError } from '../errors.ts';
import type { ListOptions } from './document-index.ts';

export type ListPlace = { readonly insertedAt: string; readonly key: string };

export function writeCursor({ insertedAt, key }: ListPlace): string {
  return Buffer.from(JSON.stringify([insertedAt, key]), 'utf8').toString('base64url');
}

/** Where a list is to begin, whichever way it was said; null: at its beginning. `keyOf`: of a doc_id, as the engine keeps it. */
export function placeOf(
  { cursor, after }: Pick<ListOptions, 'cursor' | 'after'>,
  keyOf: (docId: string) => string,
): ListPlace | null {
  if (after !== undefined) return { insertedAt: after.insertedAt, key: keyOf(after.docId) };
  return cursor === undefined ? null : readCursor(cursor);
}

/** @throws AppError `invalid_request` for one that was not made here. */
function readCursor(cursor: string): ListPlace {
  const [insertedAt, key] = parsed(cursor);
  if (typeof insertedAt === 'string' && typeof key === 'string') {
    const place = { insertedAt, key };
    const isTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/.test(insertedAt);
    if (isTime && isScopedId(key) && writeCursor(place) === cursor) return place;
  }
  throw new AppError('invalid_request', 'cursor: not from this server');
}

function parsed(cursor: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    return Array.isArray(value) && value.length === 2 ? value : [];
  } catch {
    return [];
  }
}
