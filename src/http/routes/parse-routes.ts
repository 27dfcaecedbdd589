/** Reading without keeping: POST /parse, and the same for the programs that ask for it in their own way. */
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import type { Context } from 'koa';
import { z } from 'zod';
import { AppError, type RequestErrorCode } from '../../errors.ts';
import { cleanFilename } from '../upload/content-disposition.ts';
import { type PassingFile, type PassingOptions, readPassingFile } from '../upload/passing-file.ts';
import { rawFilename } from '../upload/raw-filename.ts';
import { asAppError } from '../wire/problem.ts';
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
    summary: 'Read a file and keep nothing: its Markdown, blocks and facts, or with Accept: text/markdown the Markdown alone.',
    query: schemas.parseQuery,
    body: { kind: 'file' },
    asksForBody: true,
    answers: { 200: { description: 'What was read.', json: schemas.parseReply } },
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
    summary: "Open WebUI's external document loader: a file as the body, its text in return, with pages=true a page each.",
    query: schemas.processQuery,
    requestHeaders: z.object({
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
      const read = await readAnswer(file);
      const about = metadataOf(file, read);
      ctx.body = query.pages
        ? pagesOf(read).map(({ text, page }) => ({ page_content: text, metadata: { ...about, page } }))
        : { page_content: read.markdown, metadata: about };
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
    summary: 'The conversion of docling-serve: a form with the file in `files`, Markdown and text in return.',
    body: { kind: 'multipart', fileField: 'files', fields: { to_formats: z.string().optional() } },
    asksForBody: true,
    answers: { 200: { description: 'The conversion, or why there is none.', json: doclingReply } },
    problems,
    async handle(call) {
      const { ctx } = call;
      const startedAt = performance.now();
      const done = (filename: string, markdown: string, text: string, errors: readonly string[]): object => ({
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
        });
        const { markdown } = await readAnswer(file);
        ctx.body = done(file.filename, markdown, plainText(markdown), []);
      } catch (error) {
        const known = asAppError(error);
        if (known.extensions['error_code'] === undefined) throw error;
        ctx.body = done('', '', '', [known.message]);
      }
    },
  });
}

type Read = z.output<typeof schemas.parseReply>;

/** Whole in memory: what asks for it answers with JSON of its own. Bounded by the characters that a document may have. */
async function readAnswer({ answerPath }: PassingFile): Promise<Read> {
  return JSON.parse(await readFile(answerPath, 'utf8')) as Read;
}

function metadataOf(
  { filename, bytes }: PassingFile,
  { media_type, title, author, language, pages }: Read,
): Record<string, string | number> {
  const facts = { source: filename, filename, media_type, file_size: bytes, title, author, language, pages };
  return Object.fromEntries(Object.entries(facts).filter((fact): fact is [string, string | number] => fact[1] !== null));
}

/** By the page on which each block begins; a format without pages is one page. */
function pagesOf({ markdown, blocks }: Read): { text: string; page: number }[] {
  const found: { start: number; end: number; page: number }[] = [];
  for (const { start, end, page } of blocks) {
    const last = found.at(-1);
    if (last !== undefined && (page === null || last.page >= page)) last.end = end;
    else found.push({ start, end, page: page ?? 1 });
  }
  return found.map(({ start, end, page }) => ({ text: markdown.slice(start, end), page }));
}

/** Markdown without the marks of headings, emphasis, lists and tables: what docling calls text. Linear in the text. */
function plainText(markdown: string): string {
  return (
    markdown
      .split('\n')
      // The line between a table's head and its rows.
      .filter((line) => !(line.startsWith('|') && line.includes('-') && /^[ |:-]+$/.test(line)))
      .map((line) =>
        line
          .replace(/^ {0,3}(?:#{1,6} +|> ?|[-*+] +)/, '')
          .replaceAll(/\\([\\`*_{}[\]()#+.!|<>~-])/g, '$1')
          .split('|')
          .map((cell) => cell.trim())
          .join(' ')
          .trim(),
      )
      .join('\n')
  );
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
