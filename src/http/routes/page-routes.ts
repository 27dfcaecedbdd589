/** GET /: the web page, built beforehand; and its files. */
import type { Context } from 'koa';
import { AppError } from '../../errors.ts';
import { notModified, route, type Route } from './route.ts';
import { pagePolicy } from '../access/security-headers.ts';
import { createStaticFiles } from './static-files.ts';
import { z } from 'zod';

const notBuilt =
  '<!doctype html><html lang="en"><meta charset="utf-8"><title>RAG intake</title>' +
  '<p>RAG intake is running. The web page is not built: run <code>npm run build:web</code>. The API is described at <a href="docs">docs</a>.</p></html>';

/** Folders of the built page that are served beside its index; nested at most once. */
const assetFolders = ['assets'];

export function pageRoutes(pageDir: string | null): readonly Route[] {
  const files = pageDir === null ? null : createStaticFiles(pageDir);
  const page: Route[] = [
    route({
      operation: 'page',
      method: 'GET',
      path: '/',
      anyQuery: true,
      hasVersions: true,
      scope: 'public',
      tag: 'page',
      summary: 'The web page.',
      answers: { 200: { description: 'HTML.', mediaType: 'text/html' }, 304: notModified },
      needsServices: false,
      async handle({ ctx }) {
        asPage(ctx);
        if (files !== null && (await files.has('index.html'))) return files.answer(ctx, 'index.html');
        ctx.set('Content-Type', 'text/html; charset=utf-8');
        ctx.body = notBuilt;
      },
    }),
    pageFile('pageIcon', '/favicon.ico', () => 'favicon.ico'),
  ];
  for (const folder of assetFolders) {
    page.push(pageFile('pageAsset', `/${folder}/{file}`, ({ file }) => `${folder}/${file}`));
    page.push(pageFile('pageNestedAsset', `/${folder}/{folder}/{file}`, (params) => `${folder}/${params.folder}/${params.file}`));
  }
  return page;

  function pageFile(operation: string, path: string, toFile: (params: Record<string, string>) => string): Route {
    return route({
      operation,
      method: 'GET',
      path,
      anyQuery: true,
      hasVersions: true,
      scope: 'public',
      tag: 'page',
      summary: 'A file of the web page.',
      params: z.object(Object.fromEntries([...path.matchAll(/\{(\w+)\}/g)].map((match) => [match[1]!, z.string()]))),
      answers: { 200: { description: 'The file.', mediaType: '*/*' }, 304: notModified },
      problems: ['not_found'],
      needsServices: false,
      async handle({ ctx, params }) {
        if (files === null) throw new AppError('not_found', 'There is nothing at this address.');
        asPage(ctx);
        await files.answer(ctx, toFile(params as Record<string, string>));
      },
    });
  }
}

function asPage(ctx: Context): void {
  ctx.set('Content-Security-Policy', pagePolicy);
  ctx.set('Cross-Origin-Opener-Policy', 'same-origin');
}
