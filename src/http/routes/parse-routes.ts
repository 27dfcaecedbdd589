/** Reading without keeping: POST /parse, and the same for the programs that ask for it in their own way. */
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import type { Context } from 'koa';
import { z } from 'zod';
import { AppError, type RequestErrorCode } from '../../errors.ts';
import { cleanFilename } from '../upload/content-disposition.ts';
import { type PassingFile, type PassingOptions, readPassingFile } from '../upload/passing-file.ts';
import { rawFilename } from '../upload/raw-filename.ts';
import { inLanguageOf } from '../wire/chinese.ts';
import { asAppError, toProblem } from '../wire/problem.ts';
import { cutTexts, jsonStream, type LongText } from '../wire/json-stream.ts';
import * as schemas from '../wire/schemas.ts';
import { route, type Route } from './route.ts';

const problems: readonly RequestErrorCode[] = [
  'bad_request',
  'invalid_document',
  'unsupported_media_type',
  'request_timeout',
  'insufficient_storage',
];

export function parseRoutes(options: PassingOptions): readonly Route[] {
  return [parseRoute(options), openWebUiRoute(options), doclingRoute(options)];
}

function parseRoute(options: PassingOptions): Route {
  return route({
    operation: 'parse',
    method: 'POST',
    path: '/parse',
    scope: 'write',
    tag: 'insert',
    summary:
      'Read a file without storing it: its Markdown, blocks and properties, or with Accept: text/markdown the Markdown alone.',
    query: schemas.parseQuery,
    requestHeaders: schemas.passwordHeaders,
    body: { kind: 'file' },
    asksForBody: true,
    answers: { 200: { description: 'The content of the file.', json: schemas.parseReply } },
    problems,
    async handle(call) {
      const { ctx, query } = call;
      ctx.vary('Accept');
      const wanted = ctx.accepts('application/json', 'text/markdown');
      const file = await readPassingFile(call, options, { filename: rawFilename(ctx, query.filename, 'file') });
      if (wanted === 'text/markdown') await send(ctx, file.markdownPath, 'text/markdown; charset=utf-8');
      else await send(ctx, file.answerPath, 'application/json; charset=utf-8');
    },
  });
}

/** Of a page of Open WebUI's external document loader, which takes nothing but strings and numbers for metadata. */
const pageReply = z.strictObject({
  page_content: z.string(),
  metadata: z.record(z.string(), z.union([z.string(), z.number()])),
});

function openWebUiRoute(options: PassingOptions): Route {
  return route({
    operation: 'processDocument',
    method: 'PUT',
    path: '/process',
    scope: 'write',
    tag: 'insert',
    summary: "Open WebUI's external document loader: send a file as the body, get its text; with pages=true one entry per page.",
    query: schemas.processQuery,
    requestHeaders: z.object({
      ...schemas.passwordHeaders.shape,
      'x-filename': z.string().optional().meta({ description: 'Percent-encoded.', example: 'report.pdf' }),
    }),
    body: { kind: 'file' },
    asksForBody: true,
    answers: { 200: { description: 'The text.', json: z.union([pageReply, z.array(pageReply)]).meta({ id: 'LoadedPages' }) } },
    problems,
    async handle(call) {
      const { ctx, query } = call;
      const filename = decodedFilename(ctx);
      const file = await readPassingFile(call, options, { filename });
      const about = metadataOf(file);
      ctx.type = 'json';
      if (query.pages) {
        const pages = JSON.parse(await readFile(file.pagesPath, 'utf8')) as TextSpan[];
        const texts = cutTexts(fileText(file.markdownPath), pages);
        ctx.body = jsonStream(pages.map(({ page }, at) => ({ page_content: texts[at], metadata: { ...about, page } })));
      } else {
        ctx.body = jsonStream({ page_content: fileText(file.markdownPath), metadata: about });
      }
    },
  });
}

const doclingReply = z
  .strictObject({
    document: z.strictObject({
      filename: z.string(),
      md_content: z.string(),
      text_content: z.string(),
      json_content: z.null(),
      html_content: z.null(),
      doctags_content: z.null(),
    }),
    status: z.enum(['success', 'failure']),
    errors: z.array(z.strictObject({ component_type: z.string(), module_name: z.string(), error_message: z.string() })),
    processing_time: z.number(),
    timings: z.strictObject({}),
  })
  .meta({ id: 'DoclingConversion' });

/** docling-serve answers 200 with `failure` for a file that it cannot read: its clients look at `status`. */
function doclingRoute(options: PassingOptions): Route {
  return route({
    operation: 'convertFile',
    method: 'POST',
    path: '/v1/convert/file',
    scope: 'write',
    tag: 'insert',
    summary: 'The conversion of docling-serve: send a form with the file in `files`, get Markdown and text.',
    body: { kind: 'multipart', fileField: 'files', fields: { to_formats: z.string().optional() } },
    asksForBody: true,
    answers: { 200: { description: 'The converted document, or why it failed.', json: doclingReply } },
    problems,
    async handle(call) {
      const { ctx } = call;
      const startedAt = performance.now();
      const done = (filename: string, [markdown, text]: readonly (LongText | string)[], errors: readonly string[]): object => ({
        document: {
          filename,
          md_content: markdown,
          text_content: text,
          json_content: null,
          html_content: null,
          doctags_content: null,
        },
        status: errors.length === 0 ? 'success' : 'failure',
        errors: errors.map((sentence) => ({
          component_type: 'document_backend',
          module_name: 'rag-intake',
          error_message: sentence,
        })),
        processing_time: Math.round(performance.now() - startedAt) / 1000,
        timings: {},
      });
      try {
        const file = await readPassingFile(call, options, {
          filename: 'file',
          fileField: 'files',
          otherFields: (name) => name !== 'files',
          withPlainText: true,
        });
        ctx.type = 'json';
        ctx.body = jsonStream(done(file.filename, [fileText(file.markdownPath), fileText(file.plainPath)], []));
      } catch (error) {
        const known = asAppError(error);
        if (known.extensions['error_code'] === undefined) throw error;
        const { detail } = inLanguageOf(ctx, toProblem(known, { path: ctx.path, requestId: call.requestId }));
        ctx.body = done('', ['', ''], [detail]);
      }
    },
  });
}

type TextSpan = { readonly start: number; readonly end: number; readonly page: number };

function fileText(path: string): LongText {
  return () => createReadStream(path);
}

function metadataOf({ filename, bytes, document }: PassingFile): Record<string, string | number> {
  const { mediaType, title, author, language, pages } = document;
  const facts = { source: filename, filename, media_type: mediaType, file_size: bytes, title, author, language, pages };
  return Object.fromEntries(Object.entries(facts).filter((fact): fact is [string, string | number] => fact[1] !== null));
}

async function send(ctx: Context, path: string, type: string): Promise<void> {
  const { size } = await stat(path);
  ctx.status = 200;
  ctx.body = createReadStream(path);
  ctx.set('Content-Type', type);
  ctx.set('Content-Length', String(size));
}

/** @throws AppError `bad_request`. */
function decodedFilename(ctx: Context): string {
  const given = ctx.get('X-Filename');
  try {
    return cleanFilename(decodeURIComponent(given)) || rawFilename(ctx, undefined, 'file');
  } catch (error) {
    throw new AppError('bad_request', 'X-Filename is not valid percent-encoded UTF-8.', { cause: error });
  }
}
