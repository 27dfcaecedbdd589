/** If-None-Match (RFC 9110 §13.1.2). Koa's own `fresh` gives way to `Cache-Control: no-cache`, which fetch adds to every such request. */
import type { Context } from 'koa';

/** Sets the ETag; answers 304 and returns true when the client has this version already. */
export function unchanged(ctx: Context, etag: string): boolean {
  ctx.set('ETag', etag);
  const known = ctx
    .get('If-None-Match')
    .split(',')
    .map((tag) => tag.trim().replace(/^W\//, ''));
  if (!known.includes(etag) && !known.includes('*')) return false;
  ctx.status = 304;
  ctx.body = null;
  return true;
}
