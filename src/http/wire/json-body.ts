/** JSON in the body of a request: out of its coding, bounded by what it becomes, UTF-8 and nothing else (RFC 8259 §8.1). */
import { isUtf8 } from 'node:buffer';
import type { Context } from 'koa';
import { AppError } from '../../errors.ts';
import { contentOf, isEncoded } from './content.ts';
import { parseStrictJson } from './strict-json.ts';

export type JsonReading = {
  readonly bytesMax: number;
  /** Called when the body is known to be wanted. */
  readonly accept: () => void;
  /** Rejects when the body is late or its client has gone. */
  readonly failed: Promise<never>;
  /** Told the length of each piece before it is kept; may throw. */
  readonly take?: (bytes: number) => void;
};

/**
 * The value of a request's body; held in memory whole.
 * @throws AppError `unsupported_media_type` (another type, charset or coding), `body_too_large`, `bad_request` (no JSON, not UTF-8, not
 * what its digest or coding says), and what `take` and `failed` throw.
 */
export async function readJsonBody(ctx: Context, { bytesMax, accept, failed, take }: JsonReading): Promise<unknown> {
  requireJson(ctx);
  const content = contentOf(ctx);
  const tooLarge = (): AppError => new AppError('body_too_large', `The body is larger than ${bytesMax} bytes.`);
  if (!isEncoded(ctx) && Number(ctx.get('Content-Length') || 0) > bytesMax) throw tooLarge();
  accept();
  const value = parseStrictJson(await Promise.race([read(), failed]));
  if (typeof value !== 'object' || value === null) throw new AppError('bad_request', 'The body is not a JSON object.');
  return value;

  async function read(): Promise<string> {
    const pieces: Buffer[] = [];
    let bytes = 0;
    for await (const piece of content.iterator({ destroyOnReturn: false })) {
      const { length } = piece as Buffer;
      bytes += length;
      if (bytes > bytesMax) throw tooLarge();
      take?.(length);
      pieces.push(piece as Buffer);
    }
    const whole = Buffer.concat(pieces);
    if (!isUtf8(whole)) throw new AppError('bad_request', 'The body is not UTF-8, as JSON must be.');
    return whole.toString('utf8');
  }
}

/** RFC 7396. */
export const mergePatch = 'application/merge-patch+json';

function requireJson(ctx: Context): void {
  const types = ctx.method === 'PATCH' ? ['application/json', mergePatch] : ['application/json'];
  if (!ctx.is(types)) throw new AppError('unsupported_media_type', `Send JSON, with the Content-Type ${types.join(' or ')}.`);
  const [, charset] = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(ctx.get('Content-Type')) ?? [];
  if (charset !== undefined && !/^(?:utf-?8|us-ascii)$/i.test(charset))
    throw new AppError('unsupported_media_type', `JSON must be UTF-8 (RFC 8259); the Content-Type names another charset.`);
}
