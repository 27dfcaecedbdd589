/** What is searchable: list, one, its text, its original, and its removal. */
import { askedCollection } from '../access/asked-collection.ts';
import { Readable } from 'node:stream';
import type { Context } from 'koa';
import type { z } from 'zod';
import type { ByteRange } from '../../storage/file-store.ts';
import { nameOf, type ScopedId, scopedId } from '../../documents/document-name.ts';
import { AppError } from '../../errors.ts';
import type { ChunkPage, DocumentPage, DocumentPatch, IndexedDocument } from '../../search/document-index.ts';
import { JsonList, pageBytesMax, recordsAtOnce } from '../wire/json-list.ts';
import { etagOf, hasPrecondition, isRangeOf, requireUnchanged, unchanged, type Validators } from '../wire/conditional.ts';
import { attachment, cleanFilename } from '../upload/content-disposition.ts';
import { rangeOf } from '../wire/ranges.ts';
import { notModified, route, type Answer, type Call, type Route } from './route.ts';
import * as schemas from '../wire/schemas.ts';
import type { DocumentStream, PageLook, PickPart } from '../services.ts';
import { describeChunk, describeDocument, type WireOptions } from '../wire/wire.ts';

export function documentRoutes(wire: WireOptions): readonly Route[] {
  return [
    route({
      operation: 'listDocuments',
      method: 'GET',
      path: '/documents',
      scope: 'read',
      tag: 'documents',
      summary: 'List searchable documents, newest first or in another order; by filters or part of a name.',
      query: schemas.documentsQuery,
      answers: { 200: { description: 'One page of the list.', json: schemas.documentPage } },
      problems: ['not_found'],
      async handle({ ctx, query: { limit, cursor, q, filters, sort, collection: asked }, services, asker, principal }) {
        const collection = await askedCollection({ services, principal }, asked);
        const list = new JsonList();
        let next: string | null | undefined = cursor;
        let left = limit;
        do {
          const page: DocumentPage = await services.documents.list(
            {
              collection,
              limit: Math.min(left, recordsAtOnce),
              ...(next == null ? {} : { cursor: next }),
              ...(q === undefined ? {} : { q }),
              ...(filters === undefined ? {} : { filters }),
              ...(sort === undefined ? {} : { sort }),
            },
            asker,
          );
          await list.add(page.documents.map((document) => describeDocument(document, wire)));
          left -= page.documents.length;
          next = page.nextCursor;
        } while (next !== null && left > 0 && list.bytes < pageBytesMax);
        list.answer(ctx, 'documents', { next_cursor: next });
      },
    }),
    route({
      operation: 'deleteDocuments',
      method: 'DELETE',
      path: '/documents',
      scope: 'write',
      tag: 'documents',
      summary: 'Delete all documents that match a filter, and say how many.',
      logged: 'documents deleted',
      query: schemas.deleteDocumentsQuery,
      answers: { 200: { description: 'They were deleted.', json: schemas.documentsDeleted } },
      problems: ['not_found'],
      async handle({ ctx, query: { filters, collection: asked }, services, asker, principal, audit }) {
        const collection = await askedCollection({ services, principal }, asked);
        const { deleted, more } = await services.documents.removeMatching(collection, filters, asker);
        audit({ event: 'delete', collection, docId: null, documents: deleted });
        ctx.body = { message: deleted === 1 ? '1 document deleted' : `${deleted} documents deleted`, deleted, more };
      },
    }),
    route({
      operation: 'getDocument',
      method: 'GET',
      path: '/documents/{doc_id}',
      scope: 'read',
      tag: 'documents',
      summary: 'Get one searchable document.',
      params: schemas.documentParams,
      query: schemas.documentQuery,
      hasVersions: true,
      answers: { 200: { description: 'The document.', json: schemas.documentRecord }, 304: notModified },
      problems: ['not_found'],
      async handle(call) {
        const { ctx, services, asker } = call;
        const document = await services.documents.info(await askedDocument(call), asker);
        if (document === null) throw documentNotFound();
        ctx.set('Cache-Control', 'no-cache');
        if (!unchanged(ctx, validatorsOf(document, wire))) ctx.body = describeDocument(document, wire);
      },
    }),
    route({
      operation: 'changeDocument',
      method: 'PATCH',
      path: '/documents/{doc_id}',
      scope: 'write',
      tag: 'documents',
      summary: 'Change metadata, title or file name of a document, without reading it again.',
      logged: 'document changed',
      params: schemas.documentParams,
      query: schemas.documentQuery,
      body: { kind: 'json', schema: schemas.documentPatch },
      hasVersions: true,
      answers: { 200: { description: 'The document as it is now.', json: schemas.documentRecord } },
      problems: ['not_found', 'bad_request', 'body_too_large', 'unsupported_media_type'],
      async handle(call) {
        const { ctx, body, services, asker } = call;
        const docId = await askedDocument(call);
        const before = hasPrecondition(ctx) ? await services.documents.info(docId, asker) : null;
        requireUnchanged(ctx, before === null ? null : validatorsOf(before, wire));
        const document = await services.documents.change(docId, toPatch(body), asker);
        if (document === null) throw documentNotFound();
        ctx.set('ETag', validatorsOf(document, wire).etag);
        ctx.body = describeDocument(document, wire);
      },
    }),
    route({
      operation: 'deleteDocument',
      method: 'DELETE',
      path: '/documents/{doc_id}',
      scope: 'write',
      tag: 'documents',
      summary: 'Delete a document (from search, content and disk) and cancel its waiting tasks.',
      logged: 'document deleted',
      params: schemas.documentParams,
      query: schemas.documentQuery,
      hasVersions: true,
      answers: { 200: { description: 'It was deleted.', json: schemas.documentDeleted } },
      problems: ['not_found'],
      async handle(call) {
        const { ctx, params, services, asker } = call;
        const docId = await askedDocument(call);
        const document = hasPrecondition(ctx) ? await services.documents.info(docId, asker) : null;
        requireUnchanged(ctx, document === null ? null : validatorsOf(document, wire));
        if (!(await services.documents.remove(docId, asker))) throw documentNotFound();
        call.audit({ event: 'delete', ...nameOf(docId), documents: 1 });
        ctx.body = { message: 'Document deleted', doc_id: params.doc_id };
      },
    }),
    route({
      operation: 'getContent',
      method: 'GET',
      path: '/documents/{doc_id}/content',
      scope: 'read',
      tag: 'documents',
      summary: 'Get the parsed text as Markdown; citations give offsets into it.',
      params: schemas.documentParams,
      query: schemas.documentQuery,
      hasVersions: true,
      requestHeaders: schemas.rangeHeaders,
      answers: {
        200: { description: 'Markdown, UTF-8.', mediaType: 'text/markdown' },
        206: aPart('text/markdown'),
        304: notModified,
      },
      problems: ['not_found', 'range_not_satisfiable'],
      async handle(call) {
        const { ctx, services, asker } = call;
        const docId = await askedDocument(call);
        await answerBytes(ctx, 'content', (pick) => services.documents.content(docId, asker, pick));
        if (ctx.status !== 304) ctx.set('Content-Type', 'text/markdown; charset=utf-8');
      },
    }),
    route({
      operation: 'listChunks',
      method: 'GET',
      path: '/documents/{doc_id}/chunks',
      scope: 'read',
      tag: 'documents',
      summary: 'List the chunks of a document in order; with `Accept: application/x-ndjson` all of them, as a stream of lines.',
      params: schemas.documentParams,
      query: schemas.chunksQuery,
      answers: { 200: { description: 'One page of the list, or all of it.', json: schemas.chunkPage, or: ndjson } },
      problems: ['not_found'],
      handle: (call) => (call.ctx.accepts('json', ndjson) === ndjson ? streamChunks(call) : answerChunks(call)),
    }),
    route({
      operation: 'getPageLook',
      method: 'GET',
      path: '/documents/{doc_id}/look',
      scope: 'read',
      tag: 'documents',
      summary: 'Get the positions of the words of a scanned page in its picture, or the layout of a page of an OFD or XPS.',
      params: schemas.documentParams,
      query: schemas.lookQuery,
      answers: { 200: { description: 'The layout of the page, as far as it is known.', json: schemas.pageLookReply } },
      problems: ['not_found'],
      async handle(call) {
        const { ctx, query, services, asker } = call;
        const look = await services.documents.look(await askedDocument(call), query.page, asker);
        if (look === undefined) throw documentNotFound();
        ctx.set('Cache-Control', 'no-cache');
        ctx.body = { page: query.page, look: look === null ? null : describeLook(look) };
      },
    }),
    route({
      operation: 'getFile',
      method: 'GET',
      path: '/documents/{doc_id}/file',
      scope: 'read',
      tag: 'documents',
      summary: 'Download the original file.',
      params: schemas.documentParams,
      query: schemas.documentQuery,
      hasVersions: true,
      requestHeaders: schemas.rangeHeaders,
      answers: { 200: { description: 'The bytes that were uploaded.', mediaType: '*/*' }, 206: aPart('*/*'), 304: notModified },
      problems: ['not_found', 'range_not_satisfiable'],
      async handle(call) {
        const { ctx, services, asker } = call;
        const docId = await askedDocument(call);
        const { document } = await answerBytes(ctx, 'file', (pick) => services.documents.original(docId, asker, pick));
        ctx.set('Content-Disposition', attachment(document.filename));
        if (ctx.status !== 304) ctx.set('Content-Type', downloadType(document.mediaType));
      },
    }),
  ];
}

type ChunksCall = Call<z.output<typeof schemas.documentParams>, z.output<typeof schemas.chunksQuery>, unknown>;

async function answerChunks(call: ChunksCall): Promise<void> {
  const { ctx, query, services, asker } = call;
  const docId = await askedDocument(call);
  const list = new JsonList();
  const place = query.cursor === undefined ? null : readChunkCursor(query.cursor);
  let from = place?.index ?? 0;
  let left = query.limit;
  for (;;) {
    const page = await services.documents.chunks(docId, from, Math.min(left, recordsAtOnce), asker);
    if (page === null) throw documentNotFound();
    const { document, chunks } = page;
    if (place !== null && place.version !== document.version)
      throw new AppError('invalid_request', 'cursor: the document has been replaced; start again without a cursor');
    await list.add(chunks.map((chunk) => describeChunk(chunk, document)));
    from += chunks.length;
    left -= chunks.length;
    const isOver = from >= document.chunks || chunks.length === 0;
    if (!isOver && left > 0 && list.bytes < pageBytesMax) continue;
    return list.answer(ctx, 'chunks', { next_cursor: isOver ? null : writeChunkCursor(document.version, from) });
  }
}

async function streamChunks(call: ChunksCall): Promise<void> {
  const { ctx, services, asker } = call;
  const docId = await askedDocument(call);
  const given = ['limit', 'cursor'].find((name) => ctx.query[name] !== undefined);
  if (given !== undefined) throw new AppError('invalid_request', `${given}: ${ndjson} returns all chunks; remove this parameter`);
  const first = await services.documents.chunks(docId, 0, recordsAtOnce, asker);
  if (first === null) throw documentNotFound();

  async function* lines(): AsyncGenerator<string> {
    let page: ChunkPage = first!;
    for (let from = 0; page.chunks.length > 0;) {
      yield page.chunks.map((chunk) => `${JSON.stringify(describeChunk(chunk, page.document))}\n`).join('');
      from += page.chunks.length;
      const next = await services.documents.chunks(docId, from, recordsAtOnce, asker);
      // A stream that was cut off is not taken for all of it.
      if (next?.document.version !== first!.document.version) throw new Error('the document was replaced while it was streamed');
      page = next;
    }
  }

  ctx.type = ndjson;
  ctx.vary('Accept');
  ctx.body = Readable.from(lines(), { objectMode: false });
}

function writeChunkCursor(version: string, index: number): string {
  return Buffer.from(`${version}:${index}`).toString('base64url');
}

/** @throws AppError `invalid_request` for one that was not made here. */
function readChunkCursor(cursor: string): { version: string; index: number } {
  const [, version, index] = /^([0-9a-f-]{36}):(\d{1,9})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? [];
  if (version === undefined || writeChunkCursor(version, Number(index)) !== cursor)
    throw new AppError('invalid_request', 'cursor: not from this server');
  return { version, index: Number(index) };
}

const ndjson = 'application/x-ndjson';

function toPatch({ metadata, title, filename }: z.output<typeof schemas.documentPatch>): DocumentPatch {
  const name = filename === undefined ? undefined : cleanFilename(filename);
  if (name === '') throw new AppError('invalid_request', 'filename: has no characters that are allowed in the name of a file');
  return {
    ...(metadata === undefined ? {} : { metadata }),
    ...(title === undefined ? {} : { title }),
    ...(name === undefined ? {} : { filename: name }),
  };
}

function describeLook({ width, height, texts, lines = [] }: PageLook): z.input<typeof schemas.pageLookReply>['look'] {
  return { width, height, texts: texts.map(([text, ...box]) => ({ text, box })), lines: lines.map((line) => [...line]) };
}

/** The document that a request is about, as it is kept. @throws AppError `not_found`. */
async function askedDocument({
  params,
  query,
  services,
  principal,
}: Pick<
  Call<z.output<typeof schemas.documentParams>, z.output<typeof schemas.documentQuery>, unknown>,
  'params' | 'query' | 'services' | 'principal'
>): Promise<ScopedId> {
  return scopedId({ collection: await askedCollection({ services, principal }, query.collection), docId: params.doc_id });
}

/** Types that no browser runs anything from; every other file is just bytes. */
const harmlessTypes = new Set([
  'application/pdf',
  'text/plain',
  'text/markdown',
  'text/csv',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
]);

function downloadType(mediaType: string): string {
  return harmlessTypes.has(mediaType) ? mediaType : 'application/octet-stream';
}

/** Of a document's record, which tells every version of it from another. */
export function validatorsOf(document: IndexedDocument, wire: WireOptions): Validators {
  return { etag: etagOf(JSON.stringify(describeDocument(document, wire))), modified: document.insertedAt };
}

function aPart(mediaType: string): Answer {
  return { description: 'The part that `Range` asks for.', mediaType };
}

/** Answers with all bytes of a part of a document, with those that were asked for, or with 304. @throws AppError `not_found`. */
async function answerBytes(
  ctx: Context,
  part: 'content' | 'file',
  open: (pick: PickPart) => Promise<DocumentStream | null>,
): Promise<DocumentStream> {
  let isKnown = false;
  let range: ByteRange | null = null;
  ctx.set('Cache-Control', 'no-cache');
  ctx.set('Accept-Ranges', 'bytes');
  const found = await open(({ document, bytes }) => {
    const validators = { etag: `"${document.version}.${part}"`, modified: document.insertedAt };
    isKnown = unchanged(ctx, validators);
    range = isKnown || !isRangeOf(ctx, validators) ? null : rangeOf(ctx, bytes);
    return range;
  });
  if (found === null) throw documentNotFound();
  if (isKnown) found.stream.destroy();
  else sendBytes(ctx, found, range);
  return found;
}

function sendBytes(ctx: Context, { stream, bytes }: DocumentStream, range: ByteRange | null): void {
  ctx.status = range === null ? 200 : 206;
  ctx.body = stream;
  ctx.length = range === null ? bytes : range.last - range.first + 1;
  if (range !== null) ctx.set('Content-Range', `bytes ${range.first}-${range.last}/${bytes}`);
}

function documentNotFound(): AppError {
  return new AppError('not_found', 'Document not found');
}
