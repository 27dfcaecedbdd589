/** Files of a folder over HTTP: the built page and the API documentation's own files. Nothing outside the folder, no listing. */
import { lstat, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { Context } from 'koa';
import { AppError } from '../../errors.ts';
import { unchanged } from '../wire/conditional.ts';

export interface StaticFiles {
  /**
   * Answers with a file by its relative path, in the smallest form that the client takes and that lies beside it
   * (`<name>.br`, `<name>.gz`). Reads the disk each time, so a page that is built anew is served at once.
   * @throws AppError `not_found`.
   */
  answer(ctx: Context, path: string): Promise<void>;
  has(path: string): Promise<boolean>;
}

const mediaTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ttf': 'font/ttf',
};

/** Smallest first. */
const encodings = [
  { name: 'br', ending: '.br' },
  { name: 'gzip', ending: '.gz' },
  { name: 'identity', ending: '' },
] as const;

/** Vite puts a hash of the content into these names: such a file never changes. */
const hashedName = /-[A-Za-z0-9_-]{8,}\.\w+$/;

/** Names that cannot lead out of the folder, nor to hidden files. */
const plainPath = /^[\w-][\w.-]*(?:\/[\w-][\w.-]*)*$/;

type Form = { readonly path: string; readonly encoding: string; readonly etag: string };

/** Serves what is in `folder`; `only` names the files that may be served (default: all). Symbolic links are not followed. */
export function createStaticFiles(folder: string, only?: readonly string[]): StaticFiles {
  return {
    async answer(ctx, path) {
      const forms = await formsOf(path);
      const form = forms.find(({ encoding }) => encoding === 'identity' || ctx.acceptsEncodings(encoding) === encoding);
      if (form === undefined) throw new AppError('not_found', 'There is nothing at this address.');
      if (forms.length > 1) ctx.vary('Accept-Encoding');
      ctx.set('Cache-Control', hashedName.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache');
      if (unchanged(ctx, { etag: form.etag, modified: null })) return;
      ctx.status = 200;
      ctx.body = await readFile(form.path);
      ctx.set('Content-Type', mediaTypes[extname(path)] ?? 'application/octet-stream');
      if (form.encoding !== 'identity') ctx.set('Content-Encoding', form.encoding);
    },
    async has(path) {
      return (await formsOf(path)).length > 0;
    },
  };

  /** Every form of the file that there is; none when there is no such file. */
  async function formsOf(path: string): Promise<readonly Form[]> {
    if (!plainPath.test(path) || only?.includes(path) === false) return [];
    const found = await Promise.all(encodings.map(({ name, ending }) => formAt(join(folder, path + ending), name)));
    return found[2] === null ? [] : found.filter((form) => form !== null);
  }
}

/** Null when there is no such file. The ETag tells one build and one encoding from another. */
async function formAt(path: string, encoding: string): Promise<Form | null> {
  const stats = await lstat(path).catch(() => null);
  if (stats?.isFile() !== true) return null;
  return { path, encoding, etag: `"${stats.size.toString(36)}-${Math.trunc(stats.mtimeMs).toString(36)}-${encoding}"` };
}
