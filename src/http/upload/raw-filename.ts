/** What the file is called that is the body of a request. */
import type { Context } from 'koa';
import { AppError } from '../../errors.ts';
import { cleanFilename, parseDisposition } from './content-disposition.ts';

/** `?filename=`, else Content-Disposition (whose bytes Node delivers as latin1), else what it is called otherwise. @throws AppError `invalid_request` for two names. */
export function rawFilename(ctx: Context, given: string | undefined, otherwise: string): string {
  const header = parseDisposition(ctx.get('Content-Disposition')).filename;
  const asked = cleanFilename(given ?? '');
  if (asked !== '' && header !== null && header !== '' && asked !== header)
    throw new AppError('invalid_request', 'filename: differs from the name in Content-Disposition; give only one of them');
  return asked || header || cleanFilename(otherwise) || 'file';
}
