/**
 * JSON answers in the smallest form that the client takes (RFC 9110 §12.5.3): a list of tasks is a tenth of its size then. Not
 * those with an ETag, which names bytes, and not what is small: it fits a packet or a few as it is. Event streams are no JSON.
 */
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { brotliCompress, constants, createBrotliCompress, createGzip, gzip } from 'node:zlib';
import type { Context } from 'koa';

/** Bytes from which an answer is worth the work. */
export const compressedFromBytes = 4096;

const brotli = promisify(brotliCompress);
const zip = promisify(gzip);

/** Quick ones: the answer is made for one reader and read once. */
const brotliOptions = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } };
const gzipOptions = { level: 4 };

const codings = {
  br: { whole: (body: Buffer | string) => brotli(body, brotliOptions), stream: () => createBrotliCompress(brotliOptions) },
  gzip: { whole: (body: Buffer | string) => zip(body, gzipOptions), stream: () => createGzip(gzipOptions) },
} as const;

/** Compresses the answer in place where that is worth it. The work is done on libuv's threads, not on the event loop. */
export async function compressJson(ctx: Context): Promise<void> {
  if (ctx.respond === false || !/^application\/(?:\w+\+)?json/.test(ctx.response.get('Content-Type'))) return;
  if (ctx.res.hasHeader('ETag') || ctx.res.hasHeader('Content-Encoding')) return;
  const body = ctx.body as unknown;
  if (!(body instanceof Readable) && sizeOf(body) < compressedFromBytes) return;
  ctx.vary('Accept-Encoding');
  const wanted = (['br', 'gzip'] as const).find((name) => ctx.acceptsEncodings(name) === name);
  if (wanted === undefined) return;
  const coding = codings[wanted];
  const type = ctx.response.get('Content-Type');
  if (body instanceof Readable) {
    const source = body;
    const packed = coding.stream();
    // One end of a pipe that breaks takes the other along.
    packed.once('close', () => source.destroy());
    source.once('error', (error) => packed.destroy(error));
    ctx.remove('Content-Length');
    ctx.body = source.pipe(packed);
  } else {
    ctx.body = await coding.whole(body as Buffer | string);
  }
  ctx.set('Content-Type', type);
  ctx.set('Content-Encoding', wanted);
}

function sizeOf(body: unknown): number {
  if (typeof body === 'string') return Buffer.byteLength(body);
  return Buffer.isBuffer(body) ? body.length : 0;
}
