/** Parts of a file (RFC 9110 §14): one range of bytes for each request. */
import type { Context } from 'koa';
import type { ByteRange } from '../../storage/file-store.ts';
import { AppError } from '../../errors.ts';

/**
 * The part that a GET asks for; null when it asks for none, in another unit, for several at once (which a server may answer
 * with the whole), or in a way that is not understood. Sets Content-Range where there is no such part.
 * @throws AppError `range_not_satisfiable`.
 */
export function rangeOf(ctx: Context, bytes: number): ByteRange | null {
  if (ctx.method !== 'GET') return null;
  const [, from, to] = /^bytes *= *(\d{0,15}) *- *(\d{0,15}) *$/i.exec(ctx.get('Range')) ?? [];
  if (from === undefined || to === undefined || (from === '' && to === '')) return null;
  const range = from === '' ? lastBytes(Number(to), bytes) : { first: Number(from), last: to === '' ? bytes - 1 : Number(to) };
  // Not a range at all, and then not regarded.
  if (from !== '' && to !== '' && Number(from) > Number(to)) return null;
  if (range.first >= bytes) {
    ctx.set('Content-Range', `bytes */${bytes}`);
    throw new AppError('range_not_satisfiable', `The requested range does not exist: the file has ${bytes} bytes.`);
  }
  return { first: range.first, last: Math.min(range.last, bytes - 1) };
}

function lastBytes(count: number, bytes: number): ByteRange {
  return { first: count === 0 ? bytes : Math.max(0, bytes - count), last: bytes - 1 };
}
