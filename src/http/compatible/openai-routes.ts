/** OpenAI's files and vector stores (https://platform.openai.com/docs/api-reference/vector-stores), for its own client libraries. */
import type { Context } from 'koa';
import { z } from 'zod';
import { filesCollection, scopedId } from '../../documents/document-name.ts';
import { AppError, type RequestErrorCode } from '../../errors.ts';
import { callerOf } from '../access/access.ts';
import type { Filter } from '../../search/filters.ts';
import type { HttpSettings } from '../http-settings.ts';
import { route, type RequestState, type Route, type RouteSpec } from '../routes/route.ts';
import { attachment } from '../upload/content-disposition.ts';
import { receiveForm } from '../upload/upload-body.ts';
import { filterSchema } from '../wire/filters.ts';
import { jsonStream } from '../wire/json-stream.ts';
import * as schemas from '../wire/schemas.ts';
import {
  attachFile,
  type AttachSlots,
  fileIn,
  isOwner,
  liveTasks,
  looksAfterAll,
  newOpenAiId,
  type OpenAiCall,
  ownFile,
  readFiles,
  storeFile,
  type StoredFile,
  storeOf,
} from './openai-files.ts';
import { answerPage, listFiles, type Page, pageOf, pageQuery, type PageQuery } from './openai-lists.ts';
import * as objects from './openai-objects.ts';
import { openAiProblem, openAiProblemSchema } from './openai-problem.ts';

export type OpenAiOptions = AttachSlots & {
  readonly settings: HttpSettings;
  readonly acceptBody: (ctx: Context) => void;
};

const fileId = schemas.docId;
const fileParams = z.object({ file_id: fileId });
/** What cannot be the name of a collection is an unknown one (404). */
const storeParams = z.object({ vector_store_id: z.string().min(1).max(64) });
const storeFileParams = z.object({ ...storeParams.shape, ...fileParams.shape });
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
const noMetadata = z.strictObject({}, 'is not supported for vector stores; set attributes on their files').nullish();
const storeBody = z
  .strictObject({
    name: z.string().max(300).nullish(),
    description: z.string().max(2000).nullish(),
    file_ids: z.array(fileId).max(100).nullish(),
    chunking_strategy: chunkingStrategy,
    metadata: noMetadata,
    expires_after: z.null('is not supported: vector stores are kept until they are deleted').optional(),
  })
  .meta({ id: 'OpenAiNewVectorStore' });
const attachBody = z
  .strictObject({
    file_id: fileId,
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
  'conflict',
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
    answers: { 200: { description: 'The response that OpenAI gives.', json: reply } },
    problems,
    problemAs: openAiProblem,
    problemSchema: openAiProblemSchema,
  } as RouteSpec<P, Q, B>);
}

export function openAiRoutes(options: OpenAiOptions): readonly Route[] {
  return [...fileRoutes(options), ...storeRoutes(options), ...storeFileRoutes(options)];
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
          throw new AppError('rate_limited', 'Too many uploads at once; try again in a moment.', { retryAfterSeconds: 5 });
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
      summary: 'List uploaded files, newest first.',
      query: z.object({ ...pageQuery.shape, purpose: z.string().max(64).optional() }),
      reply: objects.listOf(objects.fileObject),
      async handle(call) {
        const { items, hasMore } = await ownFiles(call, call.query);
        answerPage(call.ctx, { items: items.map(objects.toFile), hasMore });
      },
    }),
    theirs({
      operation: 'openAiGetFile',
      method: 'GET',
      path: '/v1/files/{file_id}',
      scope: 'read',
      summary: 'Get one file.',
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
      summary: 'Download a file as it was uploaded.',
      params: fileParams,
      answers: { 200: { description: 'The bytes of the file.', mediaType: '*/*' } },
      problems,
      problemAs: openAiProblem,
      problemSchema: openAiProblemSchema,
      async handle(call) {
        const { ctx, params, services, asker } = call;
        await ownFile(call, params.file_id);
        const found = await services.documents.original(scopedId({ collection: filesCollection, docId: params.file_id }), asker);
        if (found === null)
          throw new AppError('conflict', 'The file is still being read, or could not be read; it has no content.');
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
        await services.documents.remove(scopedId({ collection: filesCollection, docId: params.file_id }), call.asker);
        ctx.body = { id: params.file_id, object: 'file', deleted: true };
      },
    }),
  ];
}

function storeRoutes(slots: AttachSlots): readonly Route[] {
  return [
    theirs({
      operation: 'openAiCreateVectorStore',
      method: 'POST',
      path: '/v1/vector_stores',
      scope: 'write',
      summary: 'Create a vector store, which is a collection.',
      body: { kind: 'json', schema: storeBody },
      reply: objects.storeObject,
      async handle(call) {
        const { ctx, body, services, principal } = call;
        if (principal.collections !== null)
          throw new AppError(
            'forbidden',
            'This API key is bound to collections and cannot create new ones; use those as vector stores.',
          );
        // Before there is a store: a client that has to try again does not leave one behind each time.
        const files = await readFiles(call, slots, [...new Set(body.file_ids)]);
        const strategy = body.chunking_strategy?.type === 'static' ? body.chunking_strategy.static : null;
        const { collection } = await services.collections.put(newOpenAiId('vs'), {
          title: body.name ?? null,
          description: body.description ?? null,
          ...(strategy === null
            ? {}
            : { settings: { chunkTokens: strategy.max_chunk_size_tokens, chunkOverlap: strategy.chunk_overlap_tokens } }),
        });
        for (const file of files) await attachFile(call, slots, { store: collection.name, file, attributes: null });
        ctx.body = await describeStore(call, collection.name);
      },
    }),
    theirs({
      operation: 'openAiListVectorStores',
      method: 'GET',
      path: '/v1/vector_stores',
      scope: 'read',
      summary: 'List the collections that the key may read, as vector stores.',
      query: pageQuery,
      reply: objects.listOf(objects.storeObject),
      async handle(call) {
        const all = await call.services.collections.list(call.principal.collections);
        const stores = all.filter(({ name }) => name !== filesCollection).map((collection) => objects.toStore(collection, 0));
        const newestFirst = stores.toSorted((a, b) => b.created_at - a.created_at || (a.id < b.id ? -1 : 1));
        answerPage(call.ctx, pageOf(newestFirst, call.query));
      },
    }),
    theirs({
      operation: 'openAiGetVectorStore',
      method: 'GET',
      path: '/v1/vector_stores/{vector_store_id}',
      scope: 'read',
      summary: 'Get one vector store.',
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
      summary: 'Rename a vector store.',
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
      summary: 'Delete a vector store with everything in it.',
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
      summary: 'Search a vector store; score is the relevance.',
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

function storeFileRoutes(slots: AttachSlots): readonly Route[] {
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
        const [file] = await readFiles(call, slots, [body.file_id]);
        const attached = await attachFile(call, slots, { store: name, file: file!, attributes: body.attributes ?? null });
        ctx.body = objects.toStoreFile(name, attached);
      },
    }),
    theirs({
      operation: 'openAiListVectorStoreFiles',
      method: 'GET',
      path,
      scope: 'read',
      summary: 'List the documents of the collection, as files of the vector store.',
      params: storeParams,
      query: z.object({ ...pageQuery.shape, filter: z.enum(['in_progress', 'completed', 'failed', 'cancelled']).optional() }),
      reply: objects.listOf(objects.storeFileObject),
      async handle(call) {
        const { name } = await storeOf(call, call.params.vector_store_id);
        const { filter } = call.query;
        const { items, hasMore } = await listFiles(
          call,
          {
            collection: name,
            live: filter === undefined || filter === 'in_progress' ? () => true : null,
            // What failed was never attached.
            searchable: filter === undefined || filter === 'completed' ? { filters: null } : null,
          },
          call.query,
        );
        answerPage(call.ctx, { items: items.map((file) => objects.toStoreFile(name, file)), hasMore });
      },
    }),
    theirs({
      operation: 'openAiGetVectorStoreFile',
      method: 'GET',
      path: `${path}/{file_id}`,
      scope: 'read',
      summary: 'Get one file of a vector store, with its status.',
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
        const changed = await services.documents.change(docId, { metadata }, asker);
        if (changed === null) throw new AppError('not_found', `No file '${params.file_id}' found in vector store '${name}'.`);
        ctx.body = objects.toStoreFile(name, await fileIn(call, name, params.file_id));
      },
    }),
    theirs({
      operation: 'openAiDetachFile',
      method: 'DELETE',
      path: `${path}/{file_id}`,
      scope: 'write',
      summary: 'Delete a file from a vector store.',
      params: storeFileParams,
      reply: objects.deletedObject,
      async handle(call) {
        const { ctx, params, services } = call;
        const { name } = await storeOf(call, params.vector_store_id);
        if (!(await services.documents.remove(scopedId({ collection: name, docId: params.file_id }), call.asker)))
          throw new AppError('not_found', `No file '${params.file_id}' found in vector store '${name}'.`);
        ctx.body = { id: params.file_id, object: 'vector_store.file.deleted', deleted: true };
      },
    }),
    theirs({
      operation: 'openAiGetVectorStoreFileContent',
      method: 'GET',
      path: `${path}/{file_id}/content`,
      scope: 'read',
      summary: 'Get the parsed text of a file, as Markdown.',
      params: storeFileParams,
      reply: objects.contentPage,
      async handle(call) {
        const { ctx, params, services, asker } = call;
        const { name } = await storeOf(call, params.vector_store_id);
        const found = await services.documents.content(scopedId({ collection: name, docId: params.file_id }), asker);
        if (found === null) throw new AppError('not_found', `No file '${params.file_id}' found in vector store '${name}'.`);
        const data = [{ type: 'text', text: () => found.stream }];
        const answer = jsonStream({ object: 'vector_store.file_content.page', data, has_more: false, next_page: null });
        // Also when the client has gone before the first byte.
        answer.once('close', () => found.stream.destroy());
        ctx.type = 'json';
        ctx.body = answer;
      },
    }),
  ];
}

async function describeStore(call: OpenAiCall, id: string): Promise<object> {
  const store = await storeOf(call, id);
  return objects.toStore(store, (await liveTasks(call.services, store.name)).length);
}

/** Of whoever asks; of all for keys that look after everything. */
function ownFiles(
  call: OpenAiCall,
  { purpose, ...query }: PageQuery & { purpose?: string | undefined },
): Promise<Page<StoredFile>> {
  const { principal } = call;
  const wanted: Filter[] = [];
  if (!looksAfterAll(principal)) wanted.push({ type: 'eq', key: 'uploaded_by', value: principal.keyId });
  if (purpose !== undefined) wanted.push({ type: 'eq', key: 'purpose', value: purpose });
  const isShown = (file: StoredFile): boolean =>
    isOwner(principal, file) && (purpose === undefined || objects.toFile(file).purpose === purpose);
  const searchable = { filters: wanted.length === 0 ? null : ({ type: 'and', filters: wanted } as const) };
  return listFiles(call, { collection: filesCollection, live: isShown, searchable }, query);
}
