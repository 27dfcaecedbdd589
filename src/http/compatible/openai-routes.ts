/** OpenAI's files and vector stores (https://platform.openai.com/docs/api-reference/vector-stores), for its own client libraries. */
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Context } from 'koa';
import { z } from 'zod';
import { scopedId } from '../../documents/document-name.ts';
import { AppError, type RequestErrorCode } from '../../errors.ts';
import { callerOf, reaches } from '../access/access.ts';
import type { Slots } from '../access/slots.ts';
import type { HttpSettings } from '../http-settings.ts';
import { route, type RequestState, type Route, type RouteSpec } from '../routes/route.ts';
import { attachment } from '../upload/content-disposition.ts';
import { receiveForm } from '../upload/upload-body.ts';
import { filterSchema } from '../wire/filters.ts';
import * as schemas from '../wire/schemas.ts';
import {
  attachFile,
  fileIn,
  filesCollection,
  isOwner,
  liveTasks,
  newOpenAiId,
  type OpenAiCall,
  ownFile,
  storeFile,
  type StoredFile,
  storeOf,
} from './openai-files.ts';
import * as objects from './openai-objects.ts';
import { openAiProblem, openAiProblemSchema } from './openai-problem.ts';

export type OpenAiOptions = {
  readonly settings: HttpSettings;
  readonly uploadSlots: Slots;
  readonly acceptBody: (ctx: Context) => void;
};

const fileParams = z.object({ file_id: z.string().min(1).max(256) });
const storeParams = z.object({ vector_store_id: z.string().min(1).max(64) });
const storeFileParams = z.object({ ...storeParams.shape, ...fileParams.shape });
const pageQuery = z.object({
  limit: z
    .string()
    .regex(/^\d{1,5}$/)
    .optional(),
  after: z.string().max(512).optional(),
  before: z.string().max(512).optional(),
  order: z.enum(['asc', 'desc']).optional(),
});
const limitMax = 100;
const attributes = schemas.metadata.nullish();
const chunkingStrategy = z
  .union([
    z.strictObject({ type: z.literal('auto') }),
    z.strictObject({
      type: z.literal('static'),
      static: z.strictObject({ max_chunk_size_tokens: z.int().min(100).max(4096), chunk_overlap_tokens: z.int().min(0).max(2048) }),
    }),
  ])
  .nullish();
/** What is kept of a vector store is its name: metadata that nobody could ask for would be a promise. */
const noMetadata = z.strictObject({}, 'is not kept of a vector store; give attributes to its files').nullish();
const storeBody = z
  .strictObject({
    name: z.string().max(300).nullish(),
    description: z.string().max(2000).nullish(),
    file_ids: z.array(z.string()).max(100).nullish(),
    chunking_strategy: chunkingStrategy,
    metadata: noMetadata,
    expires_after: z.null('is not possible here: vector stores stay until they are deleted').optional(),
  })
  .meta({ id: 'OpenAiNewVectorStore' });
const attachBody = z
  .strictObject({
    file_id: z.string().min(1).max(256),
    attributes,
    chunking_strategy: z.strictObject({ type: z.literal('auto') }).nullish(),
  })
  .meta({ id: 'OpenAiAttachment' });
const searchBody = z
  .strictObject({
    query: z.union([z.string().min(1).max(2000), z.array(z.string().min(1).max(2000)).min(1).max(8)]),
    max_num_results: z.int().min(1).max(50).default(10),
    filters: filterSchema.nullish(),
    ranking_options: z
      .strictObject({ ranker: z.string().max(64).nullish(), score_threshold: z.number().min(0).max(1).nullish() })
      .nullish(),
    rewrite_query: z.boolean().nullish(),
  })
  .meta({ id: 'OpenAiSearch' });

const problems: readonly RequestErrorCode[] = [
  'bad_request',
  'not_found',
  'invalid_document',
  'body_too_large',
  'unsupported_media_type',
  'insufficient_storage',
];

/** A route of theirs: its problems have their shape. */
function theirs<P extends z.ZodType = z.ZodType, Q extends z.ZodType = z.ZodType, B extends z.ZodType = z.ZodType>(
  spec: Omit<RouteSpec<P, Q, B>, 'answers' | 'problems' | 'problemAs' | 'tag'> & { readonly reply: z.ZodType },
): Route {
  const { reply, ...rest } = spec;
  return route({
    ...rest,
    tag: 'openai',
    answers: { 200: { description: 'As OpenAI answers.', json: reply } },
    problems,
    problemAs: openAiProblem,
    problemSchema: openAiProblemSchema,
  } as RouteSpec<P, Q, B>);
}

export function openAiRoutes(options: OpenAiOptions): readonly Route[] {
  return [...fileRoutes(options), ...storeRoutes(), ...storeFileRoutes()];
}

function fileRoutes({ settings, uploadSlots, acceptBody }: OpenAiOptions): readonly Route[] {
  return [
    theirs({
      operation: 'openAiCreateFile',
      method: 'POST',
      path: '/v1/files',
      scope: 'write',
      summary: 'Upload a file for vector stores: a form with file and purpose.',
      body: { kind: 'multipart', fields: { purpose: z.string().optional() } },
      asksForBody: true,
      reply: objects.fileObject,
      async handle(call) {
        const { ctx, services, principal } = call;
        const release = uploadSlots.take(callerOf(principal, (ctx.state as RequestState).address));
        if (release === null)
          throw new AppError('rate_limited', 'Too many uploads are coming in at once.', { retryAfterSeconds: 5 });
        try {
          const limits = { ...settings.limits, fileBytesMax: settings.fileBytesMax };
          const shape = { file: 'file', given: [], others: (name: string) => name === 'purpose' };
          const form = await receiveForm(ctx, services.uploads, { limits, address: {}, accept: () => acceptBody(ctx), shape });
          ctx.body = objects.toFile(await storeFile(call, form, form.others.get('purpose')?.slice(0, 64) ?? 'assistants'));
        } finally {
          release();
        }
      },
    }),
    theirs({
      operation: 'openAiListFiles',
      method: 'GET',
      path: '/v1/files',
      scope: 'read',
      summary: 'The uploaded files, newest first.',
      query: z.object({ ...pageQuery.shape, purpose: z.string().max(64).optional() }),
      reply: objects.listOf(objects.fileObject),
      async handle(call) {
        const { purpose } = call.query;
        const files = await everyFile(call, filesCollection);
        const shown = files.filter((file) => isOwner(call.principal, file)).map(objects.toFile);
        page(call.ctx, purpose === undefined ? shown : shown.filter((file) => file.purpose === purpose), call.query);
      },
    }),
    theirs({
      operation: 'openAiGetFile',
      method: 'GET',
      path: '/v1/files/{file_id}',
      scope: 'read',
      summary: 'One file.',
      params: fileParams,
      reply: objects.fileObject,
      async handle(call) {
        call.ctx.body = objects.toFile(await ownFile(call, call.params.file_id));
      },
    }),
    route({
      operation: 'openAiGetFileContent',
      method: 'GET',
      path: '/v1/files/{file_id}/content',
      scope: 'read',
      tag: 'openai',
      summary: 'The file as it was uploaded.',
      params: fileParams,
      answers: { 200: { description: 'Its bytes.', mediaType: '*/*' } },
      problems,
      problemAs: openAiProblem,
      problemSchema: openAiProblemSchema,
      async handle(call) {
        const { ctx, params, services, asker } = call;
        await ownFile(call, params.file_id);
        const found = await services.documents.original(scopedId({ collection: filesCollection, docId: params.file_id }), asker);
        if (found === null)
          throw new AppError('conflict', 'The file is still being read, or could not be; its content is not there.');
        ctx.body = found.stream;
        ctx.set('Content-Type', 'application/octet-stream');
        ctx.set('Content-Disposition', attachment(found.document.filename));
        ctx.set('Content-Length', String(found.bytes));
      },
    }),
    theirs({
      operation: 'openAiDeleteFile',
      method: 'DELETE',
      path: '/v1/files/{file_id}',
      scope: 'write',
      summary: 'Delete a file; in vector stores it stays.',
      params: fileParams,
      reply: objects.deletedObject,
      async handle(call) {
        const { ctx, params, services } = call;
        await ownFile(call, params.file_id);
        await services.documents.remove(scopedId({ collection: filesCollection, docId: params.file_id }));
        ctx.body = { id: params.file_id, object: 'file', deleted: true };
      },
    }),
  ];
}

function storeRoutes(): readonly Route[] {
  return [
    theirs({
      operation: 'openAiCreateVectorStore',
      method: 'POST',
      path: '/v1/vector_stores',
      scope: 'write',
      summary: 'Make a vector store, which is a collection.',
      body: { kind: 'json', schema: storeBody },
      reply: objects.storeObject,
      async handle(call) {
        const { ctx, body, services, principal } = call;
        if (principal.collections !== null)
          throw new AppError('forbidden', 'This API key is bound to collections and makes none; use theirs as vector stores.');
        const strategy = body.chunking_strategy?.type === 'static' ? body.chunking_strategy.static : null;
        const { collection } = await services.collections.put(newOpenAiId('vs'), {
          title: body.name ?? null,
          description: body.description ?? null,
          ...(strategy === null
            ? {}
            : { settings: { chunkTokens: strategy.max_chunk_size_tokens, chunkOverlap: strategy.chunk_overlap_tokens } }),
        });
        for (const id of body.file_ids ?? []) await attachFile(call, collection.name, id, null);
        ctx.body = await describeStore(call, collection.name);
      },
    }),
    theirs({
      operation: 'openAiListVectorStores',
      method: 'GET',
      path: '/v1/vector_stores',
      scope: 'read',
      summary: 'The collections that the key may read, as vector stores.',
      query: pageQuery,
      reply: objects.listOf(objects.storeObject),
      async handle(call) {
        const all = await call.services.collections.list(call.principal.collections);
        const stores = all.filter(({ name }) => name !== filesCollection).map((collection) => objects.toStore(collection, 0));
        page(
          call.ctx,
          stores.toSorted((a, b) => b.created_at - a.created_at || (a.id < b.id ? -1 : 1)),
          call.query,
        );
      },
    }),
    theirs({
      operation: 'openAiGetVectorStore',
      method: 'GET',
      path: '/v1/vector_stores/{vector_store_id}',
      scope: 'read',
      summary: 'One vector store.',
      params: storeParams,
      reply: objects.storeObject,
      async handle(call) {
        call.ctx.body = await describeStore(call, call.params.vector_store_id);
      },
    }),
    theirs({
      operation: 'openAiUpdateVectorStore',
      method: 'POST',
      path: '/v1/vector_stores/{vector_store_id}',
      scope: 'write',
      summary: 'Change its name.',
      params: storeParams,
      body: {
        kind: 'json',
        schema: z
          .strictObject({ name: z.string().max(300).nullish(), metadata: noMetadata, expires_after: z.null().optional() })
          .meta({ id: 'OpenAiVectorStoreChange' }),
      },
      reply: objects.storeObject,
      async handle(call) {
        const { name } = await storeOf(call, call.params.vector_store_id);
        if (call.body.name !== undefined) await call.services.collections.put(name, { title: call.body.name });
        call.ctx.body = await describeStore(call, name);
      },
    }),
    theirs({
      operation: 'openAiDeleteVectorStore',
      method: 'DELETE',
      path: '/v1/vector_stores/{vector_store_id}',
      scope: 'admin',
      summary: 'Remove a vector store with everything in it.',
      params: storeParams,
      reply: objects.deletedObject,
      async handle(call) {
        const { name } = await storeOf(call, call.params.vector_store_id);
        await call.services.collections.remove(name);
        call.ctx.body = { id: name, object: 'vector_store.deleted', deleted: true };
      },
    }),
    theirs({
      operation: 'openAiSearchVectorStore',
      method: 'POST',
      path: '/v1/vector_stores/{vector_store_id}/search',
      scope: 'read',
      summary: 'Search a vector store; the score is the relevance.',
      params: storeParams,
      body: { kind: 'json', schema: searchBody },
      reply: objects.searchPage,
      async handle(call) {
        const { ctx, body, services, asker } = call;
        const { name } = await storeOf(call, call.params.vector_store_id);
        const queries = [body.query].flat();
        const threshold = body.ranking_options?.score_threshold ?? 0;
        const answer = await services.search.search(
          {
            query: queries.join(' '),
            mode: 'hybrid',
            topK: body.max_num_results,
            offset: 0,
            filter: body.filters == null ? {} : { filters: body.filters },
            collections: [name],
            ...(threshold === 0 ? {} : { minRelevance: threshold }),
          },
          asker,
        );
        call.audit({ event: 'search', collections: [name], hits: answer.hits.length, query: queries.join(' ') });
        ctx.body = {
          object: 'vector_store.search_results.page',
          search_query: queries,
          data: answer.hits.map(objects.toResult),
          has_more: answer.total > answer.hits.length,
          next_page: null,
        };
      },
    }),
  ];
}

function storeFileRoutes(): readonly Route[] {
  const path = '/v1/vector_stores/{vector_store_id}/files';
  return [
    theirs({
      operation: 'openAiAttachFile',
      method: 'POST',
      path,
      scope: 'write',
      summary: 'Attach an uploaded file: it becomes a document of the collection, its attributes the metadata.',
      params: storeParams,
      body: { kind: 'json', schema: attachBody },
      reply: objects.storeFileObject,
      async handle(call) {
        const { ctx, params, body } = call;
        const { name } = await storeOf(call, params.vector_store_id);
        ctx.body = objects.toStoreFile(name, await attachFile(call, name, body.file_id, body.attributes ?? null));
      },
    }),
    theirs({
      operation: 'openAiListVectorStoreFiles',
      method: 'GET',
      path,
      scope: 'read',
      summary: 'The documents of the collection, as files of the vector store.',
      params: storeParams,
      query: z.object({ ...pageQuery.shape, filter: z.enum(['in_progress', 'completed', 'failed', 'cancelled']).optional() }),
      reply: objects.listOf(objects.storeFileObject),
      async handle(call) {
        const { name } = await storeOf(call, call.params.vector_store_id);
        const files = (await everyFile(call, name)).map((file) => objects.toStoreFile(name, file));
        const { filter } = call.query;
        page(call.ctx, filter === undefined ? files : files.filter(({ status }) => status === filter), call.query);
      },
    }),
    theirs({
      operation: 'openAiGetVectorStoreFile',
      method: 'GET',
      path: `${path}/{file_id}`,
      scope: 'read',
      summary: 'One file of a vector store, and how far it is.',
      params: storeFileParams,
      reply: objects.storeFileObject,
      async handle(call) {
        const { name } = await storeOf(call, call.params.vector_store_id);
        call.ctx.body = objects.toStoreFile(name, await fileIn(call, name, call.params.file_id));
      },
    }),
    theirs({
      operation: 'openAiUpdateVectorStoreFile',
      method: 'POST',
      path: `${path}/{file_id}`,
      scope: 'write',
      summary: 'Replace the attributes of a file.',
      params: storeFileParams,
      body: { kind: 'json', schema: z.strictObject({ attributes: schemas.metadata.nullable() }).meta({ id: 'OpenAiAttributes' }) },
      reply: objects.storeFileObject,
      async handle(call) {
        const { ctx, params, body, services, asker } = call;
        const { name } = await storeOf(call, params.vector_store_id);
        const docId = scopedId({ collection: name, docId: params.file_id });
        const before = await services.documents.info(docId, asker);
        // One change, so that no crash in between leaves a file without attributes.
        const gone = Object.fromEntries(Object.keys(before?.metadata ?? {}).map((name) => [name, null]));
        const metadata = body.attributes === null ? null : { ...gone, ...body.attributes };
        const changed = await services.documents.change(docId, { metadata });
        if (changed === null) throw new AppError('not_found', `No file '${params.file_id}' found in vector store '${name}'.`);
        ctx.body = objects.toStoreFile(name, await fileIn(call, name, params.file_id));
      },
    }),
    theirs({
      operation: 'openAiDetachFile',
      method: 'DELETE',
      path: `${path}/{file_id}`,
      scope: 'write',
      summary: 'Remove a file from a vector store.',
      params: storeFileParams,
      reply: objects.deletedObject,
      async handle(call) {
        const { ctx, params, services } = call;
        const { name } = await storeOf(call, params.vector_store_id);
        if (!(await services.documents.remove(scopedId({ collection: name, docId: params.file_id }))))
          throw new AppError('not_found', `No file '${params.file_id}' found in vector store '${name}'.`);
        ctx.body = { id: params.file_id, object: 'vector_store.file.deleted', deleted: true };
      },
    }),
    theirs({
      operation: 'openAiGetVectorStoreFileContent',
      method: 'GET',
      path: `${path}/{file_id}/content`,
      scope: 'read',
      summary: 'What was read of a file, as Markdown.',
      params: storeFileParams,
      reply: objects.contentPage,
      async handle(call) {
        const { ctx, params, services, asker } = call;
        const { name } = await storeOf(call, params.vector_store_id);
        const found = await services.documents.content(scopedId({ collection: name, docId: params.file_id }), asker);
        if (found === null) throw new AppError('not_found', `No file '${params.file_id}' found in vector store '${name}'.`);
        const text = await textOf(found.stream, found.bytes);
        ctx.body = { object: 'vector_store.file_content.page', data: [{ type: 'text', text }], has_more: false, next_page: null };
      },
    }),
  ];
}

const contentBytesMax = 64 * 1024 * 1024;

async function textOf(stream: Readable, bytes: number): Promise<string> {
  if (bytes <= contentBytesMax) return (await buffer(stream)).toString('utf8');
  stream.destroy();
  throw new AppError('body_too_large', 'The text is too large for this answer; GET /documents/{doc_id}/content streams it.');
}

async function describeStore(call: OpenAiCall, id: string): Promise<object> {
  const store = await storeOf(call, id);
  return objects.toStore(store, (await liveTasks(call.services, store.name)).length);
}

const listedMax = 10_000;

/** Newest first: what waits or runs, then what is searchable; 10,000 at most. */
async function everyFile(call: OpenAiCall, collection: string): Promise<StoredFile[]> {
  const { services, asker, principal } = call;
  if (collection !== filesCollection && !reaches(principal, collection)) return [];
  if (!(await services.collections.exists(collection)) && collection === filesCollection) return [];
  const live = (await liveTasks(services, collection)).map(objects.fromTask);
  const files = new Map(live.map((file) => [file.id, file]));
  let cursor: string | null | undefined;
  do {
    const found = await services.documents.list({ collection, limit: 1000, ...(cursor == null ? {} : { cursor }) }, asker);
    for (const document of found.documents) {
      const file = objects.fromDocument(document);
      if (!files.has(file.id)) files.set(file.id, file);
    }
    cursor = found.nextCursor;
  } while (cursor !== null && files.size < listedMax);
  return [...files.values()];
}

function page(
  ctx: Context,
  all: readonly { readonly id: string }[],
  { limit, after, before, order }: z.output<typeof pageQuery>,
): void {
  const ordered = order === 'asc' ? all.toReversed() : all;
  const from = after === undefined ? 0 : ordered.findIndex(({ id }) => id === after) + 1;
  const end =
    before === undefined
      ? ordered.length
      : Math.max(
          0,
          ordered.findIndex(({ id }) => id === before),
        );
  const size = Math.min(limitMax, Math.max(1, Number(limit ?? 20)));
  const shown = ordered.slice(from, Math.min(end, from + size));
  ctx.body = objects.toList(shown, from + shown.length < end);
}
