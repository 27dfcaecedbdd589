/** Files of a folder over HTTP: the built page and the API documentation's own files. Nothing outside the folder, no listing. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import type { Context } from 'koa';
import { AppError } from '../errors.ts';
import { unchanged } from './conditional.ts';

export interface StaticFiles {
  /** Answers with a file by its relative path. @throws AppError `not_found`. */
  answer(ctx: Context, path: string): Promise<void>;
  has(path: string): Promise<boolean>;
}

const mediaTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.bcmap': 'application/octet-stream',
  '.pfb': 'application/octet-stream',
  '.ttf': 'font/ttf',
  '.txt': 'text/plain; charset=utf-8',
};

/** Vite puts a hash of the content into these names: such a file never changes. */
const hashedName = /-[A-Za-z0-9_-]{8,}\.\w+$/;

/**
 * Serves what is in `folder`; `only` names the files that may be served (default: all). The folder is listed when first asked
 * and a path is looked up in that list, so no request can name a file that is not in it.
 */
export function createStaticFiles(folder: string, only?: readonly string[]): StaticFiles {
  let listed: Promise<ReadonlySet<string>> | null = null;

  return {
    async answer(ctx, path) {
      if (!(await has(path))) throw new AppError('not_found', 'There is nothing here.');
      const bytes = await readFile(join(folder, path));
      const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
      ctx.set('Cache-Control', hashedName.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache');
      if (unchanged(ctx, etag)) return;
      ctx.status = 200;
      ctx.body = bytes;
      ctx.set('Content-Type', mediaTypes[extname(path)] ?? 'application/octet-stream');
    },
    has,
  };

  async function has(path: string): Promise<boolean> {
    listed ??= list();
    const files = await listed;
    // A page that is built while the server runs is found without a restart.
    if (files.size === 0) listed = null;
    return files.has(path);
  }

  async function list(): Promise<ReadonlySet<string>> {
    if (only !== undefined) return new Set(only);
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
    const files = entries.filter((entry) => entry.isFile()).map((entry) => relative(folder, join(entry.parentPath, entry.name)));
    return new Set(files.map((file) => file.split(sep).join('/')));
  }
}
