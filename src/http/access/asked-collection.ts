/** Which collection a request is about, held against what its caller may reach: what it may not does not exist for it. */
import { defaultCollection, filesCollection } from '../../documents/document-name.ts';
import { AppError } from '../../errors.ts';
import type { Services } from '../services.ts';
import { homeOf, reaches, type Principal } from './access.ts';

type AskingCall = { readonly services: Services; readonly principal: Principal };

/** Where a search is to look, as its client says it. */
export type AskedPlaces = { readonly collection?: string | undefined; readonly collections?: readonly string[] | undefined };

/** The collection that is asked for, else the caller's own. @throws AppError `not_found`. */
export async function askedCollection({ services, principal }: AskingCall, asked: string | undefined): Promise<string> {
  const name = asked ?? homeOf(principal);
  if (!reaches(principal, name)) throw collectionNotFound();
  if (name !== defaultCollection && !(await services.collections.exists(name))) throw collectionNotFound();
  return name;
}

/** One search looks into no more: about a millisecond each. */
export const collectionsSearchedMax = 4096;

/**
 * Those that a search asks for; `["*"]`: all that the caller may read, but for the one of files that are in others as well.
 * @throws AppError `not_found`; `invalid_request` when they are too many.
 */
export async function askedCollections(call: AskingCall, { collection, collections }: AskedPlaces): Promise<readonly string[]> {
  if (collections === undefined) return [await askedCollection(call, collection)];
  if (collection !== undefined)
    throw new AppError('invalid_request', 'collection: cannot be combined with collections; list all names in collections');
  if (collections.includes('*')) return everyCollection(call);
  return Promise.all([...new Set(collections)].map((name) => askedCollection(call, name)));
}

async function everyCollection({ services, principal }: AskingCall): Promise<readonly string[]> {
  const names = (await services.collections.names(principal.collections)).filter((name) => name !== filesCollection);
  if (names.length <= collectionsSearchedMax) return names;
  throw new AppError(
    'invalid_request',
    `collections: ["*"] covers ${names.length} collections, but one search covers at most ${collectionsSearchedMax}; list the ones to search`,
  );
}

/** The same for what exists and what does not, and for what the caller may not reach. */
export function collectionNotFound(): AppError {
  return new AppError('not_found', 'Collection not found');
}
