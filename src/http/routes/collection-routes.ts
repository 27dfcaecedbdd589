/** The collections that a caller may know of: list, one, make or change it, remove it. */
import type { CollectionSettings } from '../../documents/collection.ts';
import { AppError } from '../../errors.ts';
import { reaches, type Principal } from '../access/access.ts';
import { collectionNotFound } from '../access/asked-collection.ts';
import type { CollectionService, CollectionView } from '../services.ts';
import { JsonList } from '../wire/json-list.ts';
import * as schemas from '../wire/schemas.ts';
import { toCollectionRecord } from '../wire/wire.ts';
import { route, type Route } from './route.ts';

export function collectionRoutes(): readonly Route[] {
  return [
    route({
      operation: 'listCollections',
      method: 'GET',
      path: '/collections',
      scope: 'read',
      tag: 'collections',
      summary: 'List the collections that the key may read, by name.',
      answers: { 200: { description: 'The whole list.', json: schemas.collectionList } },
      async handle({ ctx, services, principal }) {
        const list = new JsonList();
        await list.add((await services.collections.list(principal.collections)).map(toCollectionRecord));
        list.answer(ctx, 'collections', {});
      },
    }),
    route({
      operation: 'getCollection',
      method: 'GET',
      path: '/collections/{name}',
      scope: 'read',
      tag: 'collections',
      summary: 'Get one collection.',
      params: schemas.collectionParams,
      answers: { 200: { description: 'The collection.', json: schemas.collectionRecord } },
      problems: ['not_found'],
      async handle({ ctx, params, services, principal }) {
        ctx.body = toCollectionRecord(await reached(services.collections, principal, params.name));
      },
    }),
    route({
      operation: 'putCollection',
      method: 'PUT',
      path: '/collections/{name}',
      scope: 'admin',
      tag: 'collections',
      summary:
        'Create a collection, or change its title, description and settings. Documents are read again when that changes their chunks.',
      logged: 'collection changed',
      params: schemas.collectionParams,
      body: { kind: 'json', schema: schemas.collectionBody },
      answers: {
        200: { description: 'The collection was changed.', json: schemas.collectionRecord },
        201: { description: 'The collection was created.', json: schemas.collectionRecord },
      },
      problems: ['bad_request', 'not_found', 'conflict', 'body_too_large', 'unsupported_media_type'],
      async handle({ ctx, params, body, services, principal, audit }) {
        if (!reaches(principal, params.name)) throw collectionNotFound();
        const { settings, title, description } = body;
        const { collection, created } = await services.collections.put(params.name, {
          ...(title === undefined ? {} : { title }),
          ...(description === undefined ? {} : { description }),
          ...(settings === undefined ? {} : { settings: settingsOf(settings) }),
        });
        audit({ event: 'change_collection', collection: params.name });
        ctx.status = created ? 201 : 200;
        ctx.body = toCollectionRecord(collection);
      },
    }),
    route({
      operation: 'deleteCollection',
      method: 'DELETE',
      path: '/collections/{name}',
      scope: 'admin',
      tag: 'collections',
      summary: 'Delete a collection with all its documents, files and tasks. `confirm` must repeat its name.',
      logged: 'collection deleted',
      params: schemas.collectionParams,
      query: schemas.removalQuery,
      answers: { 200: { description: 'It was deleted.', json: schemas.collectionDeleted } },
      problems: ['not_found', 'conflict'],
      async handle({ ctx, params: { name }, query: { confirm }, services, principal, audit }) {
        if (!reaches(principal, name)) throw collectionNotFound();
        if (confirm !== name)
          throw new AppError(
            'invalid_request',
            `confirm: must be the name of the collection, as in ?confirm=${name}; everything in it will be deleted`,
          );
        if (!(await services.collections.remove(name))) throw collectionNotFound();
        audit({ event: 'delete_collection', collection: name });
        ctx.body = { message: 'Collection deleted', name };
      },
    }),
  ];
}

async function reached(collections: CollectionService, principal: Principal, name: string): Promise<CollectionView> {
  const found = reaches(principal, name) ? await collections.get(name) : null;
  if (found === null) throw collectionNotFound();
  return found;
}

function settingsOf(given: NonNullable<schemas.CollectionBody['settings']>): Partial<CollectionSettings> {
  const { chunk_tokens, chunk_overlap, language, synonyms } = given;
  return {
    ...(chunk_tokens === undefined ? {} : { chunkTokens: chunk_tokens }),
    ...(chunk_overlap === undefined ? {} : { chunkOverlap: chunk_overlap }),
    ...(language === undefined ? {} : { language }),
    ...(synonyms === undefined ? {} : { synonyms }),
  };
}
