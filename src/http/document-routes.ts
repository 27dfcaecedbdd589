/** What is searchable: list, one, its text, its original, and its removal. */
import type { Readable } from 'node:stream';
import type { Context } from 'koa';
import { AppError } from '../errors.ts';
import type { DocumentPage, IndexedDocument } from '../search/document-index.ts';
import { unchanged } from './conditional.ts';
import { attachment } from './content-disposition.ts';
import { JsonList, pageBytesMax, recordsAtOnce } from './json-list.ts';
import { notModified, route, type Route } from './route.ts';
import * as schemas from './schemas.ts';
import { describeDocument, type WireOptions } from './wire.ts';

export function documentRoutes(wire: WireOptions): readonly Route[] {
  return [
    route({
      operation: 'listDocuments',
      method: 'GET',
      path: '/documents',
      scope: 'read',
      tag: 'documents',
      summary: 'Searchable documents, newest first.',
      query: schemas.documentsQuery,
      answers: { 200: { description: 'One page.', json: schemas.documentPage } },
      async handle({ ctx, query: { limit, cursor }, services }) {
        const list = new JsonList();
        let next: string | null | undefined = cursor;
        let left = limit;
        do {
          const page: DocumentPage = await services.documents.list({
            limit: Math.min(left, recordsAtOnce),
            ...(next == null ? {} : { cursor: next }),
          });
          await list.add(page.documents.map((document) => describeDocument(document, wire)));
          left -= page.documents.length;
          next = page.nextCursor;
        } while (next !== null && left > 0 && list.bytes < pageBytesMax);
        list.answer(ctx, 'documents', { next_cursor: next });
      },
    }),
    route({
      operation: 'getDocument',
      method: 'GET',
      path: '/documents/{doc_id}',
      scope: 'read',
      tag: 'documents',
      summary: 'One searchable document.',
      params: schemas.documentParams,
      answers: { 200: { description: 'The document.', json: schemas.documentRecord } },
      problems: ['not_found'],
      async handle({ ctx, params, services }) {
        const document = await services.documents.info(params.doc_id);
        if (document === null) throw documentNotFound();
        ctx.body = describeDocument(document, wire);
      },
    }),
    route({
      operation: 'deleteDocument',
      method: 'DELETE',
      path: '/documents/{doc_id}',
      scope: 'write',
      tag: 'documents',
      summary: 'Remove a document from search, content and disk, and cancel its waiting tasks.',
      logged: 'document deleted',
      params: schemas.documentParams,
      answers: { 200: { description: 'It is gone.', json: schemas.documentDeleted } },
      problems: ['not_found'],
      async handle({ ctx, params, services }) {
        if (!(await services.documents.remove(params.doc_id))) throw documentNotFound();
        ctx.body = { message: 'Document deleted', doc_id: params.doc_id };
      },
    }),
    route({
      operation: 'getContent',
      method: 'GET',
      path: '/documents/{doc_id}/content',
      scope: 'read',
      tag: 'documents',
      summary: 'The parsed text, as Markdown; citations give offsets into it.',
      params: schemas.documentParams,
      answers: { 200: { description: 'Markdown, UTF-8.', mediaType: 'text/markdown' }, 304: notModified },
      problems: ['not_found'],
      async handle({ ctx, params, services }) {
        const found = await services.documents.content(params.doc_id);
        if (found === null) throw documentNotFound();
        answerStream(ctx, found, 'text/markdown; charset=utf-8', 'content');
      },
    }),
    route({
      operation: 'getFile',
      method: 'GET',
      path: '/documents/{doc_id}/file',
      scope: 'read',
      tag: 'documents',
      summary: 'The original file, as an attachment.',
      params: schemas.documentParams,
      answers: { 200: { description: 'The bytes that were uploaded.', mediaType: '*/*' }, 304: notModified },
      problems: ['not_found'],
      async handle({ ctx, params, services }) {
        const found = await services.documents.original(params.doc_id);
        if (found === null) throw documentNotFound();
        ctx.set('Content-Disposition', attachment(found.document.filename));
        answerStream(ctx, found, downloadType(found.document.mediaType), 'file');
      },
    }),
  ];
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

function answerStream(
  ctx: Context,
  { stream, bytes, document }: { stream: Readable; bytes: number; document: IndexedDocument },
  type: string,
  part: string,
): void {
  ctx.set('Cache-Control', 'no-cache');
  if (unchanged(ctx, `"${document.version}.${part}"`)) {
    stream.destroy();
    return;
  }
  ctx.status = 200;
  ctx.body = stream;
  ctx.set('Content-Type', type);
  ctx.length = bytes;
}

function documentNotFound(): AppError {
  return new AppError('not_found', 'Document not found');
}
