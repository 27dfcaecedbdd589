/**
 * Preconditions (RFC 9110 §13): whether a request is still about the version that its sender knows. Koa's own `fresh` gives
 * way to `Cache-Control: no-cache`, which fetch adds to every such request, and knows reads only.
 */
import { createHash } from 'node:crypto';
import type { Context } from 'koa';
import { AppError } from '../../errors.ts';

/** What tells one version of a resource from another. */
export type Validators = {
  /** Strong, in its quotes. */
  readonly etag: string;
  /** ISO 8601; null where no time is known. */
  readonly modified: string | null;
};

/** The ETag of what is sent as JSON. */
export function etagOf(json: string): string {
  return `"${createHash('sha256').update(json).digest('base64url').slice(0, 22)}"`;
}

/**
 * For a read: sets ETag and Last-Modified; answers 304 and returns true when the client has this version already.
 * @throws AppError `precondition_failed`.
 */
export function unchanged(ctx: Context, current: Validators): boolean {
  ctx.set('ETag', current.etag);
  if (current.modified !== null) ctx.set('Last-Modified', new Date(current.modified).toUTCString());
  requireMatch(ctx, current);
  if (!isKnown(ctx, current)) return false;
  ctx.status = 304;
  ctx.body = null;
  return true;
}

/** For a change: `current` is null when there is nothing yet. @throws AppError `precondition_failed`. */
export function requireUnchanged(ctx: Context, current: Validators | null): void {
  requireMatch(ctx, current);
  if (matches(ctx.get('If-None-Match'), current, isSameVersion))
    throw new AppError('precondition_failed', 'This version already exists (If-None-Match).');
}

/** Whether a change asks for a certain state, so that nobody may come in between. */
export function hasPrecondition({ headers }: Context): boolean {
  return ['if-match', 'if-none-match', 'if-unmodified-since'].some((name) => headers[name] !== undefined);
}

/** Of a route without versions: nothing there has the ETag that is asked for. @throws AppError `precondition_failed`. */
export function refusePreconditions(ctx: Context, isRead: boolean): void {
  const wanted = ctx.get('If-Match');
  const onlyIfNew = !isRead && ctx.get('If-None-Match').trim() === '*';
  if ((wanted !== '' && wanted.trim() !== '*') || onlyIfNew)
    throw new AppError('precondition_failed', 'This address has no versions; remove If-Match and If-None-Match.');
}

/** Whether a part may be sent of this version (`If-Range`, RFC 9110 §13.1.5); without the field any part may. */
export function isRangeOf(ctx: Context, { etag, modified }: Validators): boolean {
  const wanted = ctx.get('If-Range').trim();
  if (wanted === '' || wanted === etag) return true;
  // A time of whole seconds says for certain which version is meant only when it is the very one that was sent.
  return modified !== null && secondsOf(wanted) === Math.floor(Date.parse(modified) / 1000);
}

function requireMatch(ctx: Context, current: Validators | null): void {
  const wanted = ctx.get('If-Match');
  const holds = wanted === '' ? !wasModifiedSince(ctx, current) : matches(wanted, current, isStrongly);
  if (!holds)
    throw new AppError('precondition_failed', 'This version is no longer the current one (If-Match, If-Unmodified-Since).');
}

function wasModifiedSince(ctx: Context, current: Validators | null): boolean {
  const since = secondsOf(ctx.get('If-Unmodified-Since'));
  return since !== null && current?.modified != null && Math.floor(Date.parse(current.modified) / 1000) > since;
}

function isKnown(ctx: Context, current: Validators): boolean {
  const known = ctx.get('If-None-Match');
  if (known !== '') return matches(known, current, isSameVersion);
  const since = secondsOf(ctx.get('If-Modified-Since'));
  return since !== null && current.modified !== null && Math.floor(Date.parse(current.modified) / 1000) <= since;
}

function matches(field: string, current: Validators | null, isSame: (tag: string, etag: string) => boolean): boolean {
  if (current === null || field === '') return false;
  return field.trim() === '*' || (field.match(/(?:W\/)?"[^"]*"/g) ?? []).some((tag) => isSame(tag, current.etag));
}

function isStrongly(tag: string, etag: string): boolean {
  return tag === etag;
}

function isSameVersion(tag: string, etag: string): boolean {
  return tag.replace(/^W\//, '') === etag;
}

/** Seconds of an HTTP date in any of its three forms (RFC 9110 §5.6.7); null for anything else, which is ignored. */
function secondsOf(field: string): number | null {
  const text = field.trim();
  const isDate = /^(?:\w{3}, \d{2} \w{3} \d{4}|\w{6,9}, \d{2}-\w{3}-\d{2}) \d{2}:\d{2}:\d{2} GMT$/.test(text);
  const isAsctime = /^\w{3} \w{3} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/.test(text);
  const time = isDate ? Date.parse(text) : isAsctime ? Date.parse(`${text} GMT`) : Number.NaN;
  return Number.isNaN(time) ? null : Math.floor(time / 1000);
}
