/** GET /openapi.json, and GET /docs: Swagger UI, copied beside the page when that is built; no other host involved. */
import { join } from 'node:path';
import type { Context } from 'koa';
import { z } from 'zod';
import { AppError } from '../../errors.ts';
import { createOpenApi } from '../wire/openapi.ts';
import { notModified, route, type Route } from './route.ts';
import { createStaticFiles, type StaticFiles } from './static-files.ts';

const files = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'];

const html =
  '<!doctype html><html lang="en"><meta charset="utf-8"><title>RAG intake: API</title>' +
  '<link rel="stylesheet" href="docs/swagger-ui.css"><link rel="icon" href="docs/favicon-32x32.png">' +
  '<div id="ui"></div><script src="docs/swagger-ui-bundle.js"></script><script src="docs/start.js"></script></html>';

const notBuilt =
  '<!doctype html><html lang="en"><meta charset="utf-8"><title>RAG intake: API</title>' +
  '<p>The reader for the API description is not built: run <code>npm run build:web</code>. ' +
  'The description itself: <a href="openapi.json">openapi.json</a>.</p></html>';

/** Its own file, since the policy allows no inline code. */
const startScript = "SwaggerUIBundle({ url: 'openapi.json', dom_id: '#ui', deepLinking: false, validatorUrl: null });\n";

/** Swagger UI styles its elements inline, and its icons are data URLs. */
const docsPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
  "frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** `routes`: the table that is described, without these routes themselves. */
export function docsRoutes(
  routes: readonly Route[],
  options: { version: string; basePath: string; withKeys: boolean; pageDir: string | null },
): readonly Route[] {
  const swaggerUi = options.pageDir === null ? null : createStaticFiles(join(options.pageDir, 'docs'), files);
  let openApi: object | null = null;
  const answerFile: StaticFiles['answer'] = async (ctx, file) => {
    if (swaggerUi === null) throw new AppError('not_found', 'There is nothing at this address.');
    await swaggerUi.answer(ctx, file);
  };
  return [
    route({
      operation: 'openapi',
      method: 'GET',
      path: '/openapi.json',
      scope: 'public',
      tag: 'system',
      summary: 'This API description (OpenAPI 3.1).',
      answers: { 200: { description: 'OpenAPI 3.1.', json: z.looseObject({ openapi: z.string() }) } },
      needsServices: false,
      handle({ ctx }) {
        openApi ??= createOpenApi(routes, options);
        ctx.body = openApi;
      },
    }),
    route({
      operation: 'docs',
      method: 'GET',
      path: '/docs',
      anyQuery: true,
      hasVersions: true,
      scope: 'public',
      tag: 'system',
      summary: 'This API description, to read and try in a browser.',
      answers: { 200: { description: 'HTML.', mediaType: 'text/html' } },
      needsServices: false,
      async handle({ ctx }) {
        asDocs(ctx);
        ctx.body = (await swaggerUi?.has('swagger-ui-bundle.js')) === true ? html : notBuilt;
      },
    }),
    route({
      operation: 'docsFile',
      method: 'GET',
      path: '/docs/{file}',
      anyQuery: true,
      hasVersions: true,
      scope: 'public',
      tag: 'system',
      summary: 'A file of the API documentation.',
      params: z.object({ file: z.string() }),
      answers: { 200: { description: 'The file.', mediaType: '*/*' }, 304: notModified },
      problems: ['not_found'],
      needsServices: false,
      async handle({ ctx, params }) {
        asDocs(ctx);
        if (params.file !== 'start.js') return answerFile(ctx, params.file);
        ctx.body = startScript;
        ctx.set('Content-Type', 'text/javascript; charset=utf-8');
      },
    }),
  ];
}

function asDocs(ctx: Context): void {
  ctx.status = 200;
  ctx.set('Content-Type', 'text/html; charset=utf-8');
  ctx.set('Content-Security-Policy', docsPolicy);
}
