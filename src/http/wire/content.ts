/**
 * The content of a request, as its sender meant it: held against the digests that came with it (RFC 9530), out of its coding
 * (RFC 9110 §8.4). Bytes are decoded as they are read, so that whoever counts them counts what they become, and a bomb is
 * never held in memory.
 */
import { createHash, type Hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { pipeline, Readable, type Duplex } from 'node:stream';
import { constants, createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import type { Context } from 'koa';
import { AppError } from '../../errors.ts';

/** RFC 9659: no decoder of HTTP needs more than 8 MiB to look back into. */
const zstdWindowBits = 23;

const decoders: Readonly<Record<string, () => Duplex>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: () => createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: zstdWindowBits } }),
};

const digestAlgorithms: Readonly<Record<string, string>> = { 'sha-256': 'sha256', 'sha-512': 'sha512' };

type Digest = { readonly field: string; readonly hash: Hash; readonly expected: Buffer };

/**
 * What is to be read in place of the request; the request itself when there is nothing to decode or to check. Call it before
 * the body is asked for; reading it fails with an AppError `bad_request` when the bytes are not what their coding or digest says.
 * @throws AppError `unsupported_media_type` for a coding that is not known, with `Accept-Encoding` set; `bad_request` for
 * a digest that is malformed or of no algorithm known here.
 */
export function contentOf(ctx: Context): Readable {
  const { req } = ctx;
  const coding = codingOf(ctx);
  const digests = digestsOf(req);
  if (coding === null && digests.length === 0) return req;
  // The request is not destroyed when its content is given up: the answer still has to be sent.
  const pieces = req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  const checked = digests.length === 0 ? pieces : verified(pieces, digests);
  return Readable.from(coding === null ? checked : decoded(checked, coding), { objectMode: false });
}

/** Whether the bytes of the request are other than those of its content, so that Content-Length says nothing about a file. */
export function isEncoded(ctx: Context): boolean {
  return codingsIn(ctx).length > 0;
}

function codingsIn(ctx: Context): string[] {
  return ctx
    .get('Content-Encoding')
    .split(',')
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== '' && coding !== 'identity');
}

function codingOf(ctx: Context): string | null {
  const [coding, ...more] = codingsIn(ctx);
  if (coding === undefined) return null;
  if (more.length === 0 && Object.hasOwn(decoders, coding)) return coding;
  ctx.set('Accept-Encoding', 'gzip, deflate, br, zstd');
  throw new AppError('unsupported_media_type', 'Content-Encoding: only gzip, deflate, br and zstd are supported, one at a time.');
}

async function* decoded(pieces: AsyncIterable<Buffer>, coding: string): AsyncGenerator<Buffer> {
  const decoder = decoders[coding]!();
  let isWhole = false;
  // Its errors come out where it is read.
  pipeline(Readable.from(all(), { objectMode: false }), decoder, () => {});
  try {
    for await (const piece of decoder) yield piece as Buffer;
    // A decoder stops at the end of its data; what follows was neither decoded nor checked.
    if (!isWhole) throw new AppError('bad_request', `The body has more than its ${coding} data.`);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError('bad_request', `The body is incomplete, or is not ${coding} as its Content-Encoding says.`, {
      cause: error,
    });
  }

  async function* all(): AsyncGenerator<Buffer> {
    yield* pieces;
    isWhole = true;
  }
}

async function* verified(pieces: AsyncIterable<Buffer>, digests: readonly Digest[]): AsyncGenerator<Buffer> {
  for await (const piece of pieces) {
    for (const { hash } of digests) hash.update(piece);
    yield piece;
  }
  for (const { field, hash, expected } of digests)
    if (!hash.digest().equals(expected)) throw new AppError('bad_request', `The body does not match ${field}.`);
}

/**
 * Of every field that names a digest, the two obsolete ones too. The content is the whole representation here (Content-Range is
 * refused), so all of them are of the same bytes: those on the wire, in their coding.
 */
function digestsOf({ headers }: IncomingMessage): Digest[] {
  const { 'content-md5': md5, digest: obsolete } = headers;
  return [
    ...['content-digest', 'repr-digest'].flatMap((field) =>
      dictionary(field, headers[field], /^\s*([a-z*][\w.*-]*)=:([\w+/]*={0,2}):\s*$/),
    ),
    ...dictionary('digest', obsolete, /^\s*([\w-]+)=([\w+/]*={0,2})\s*$/),
    ...(md5 === undefined ? [] : [digest('content-md5', 'md5', String(md5))]),
  ];
}

/** RFC 9530 §2: a dictionary of digests by algorithm, one member as `pair` has it. Of those not known some may pass, but not all. */
function dictionary(field: string, value: string | string[] | undefined, pair: RegExp): Digest[] {
  if (value === undefined) return [];
  const members = [value].flat().join(',').split(',');
  const found = members.flatMap((member) => {
    const [, name, base64] = pair.exec(member) ?? [];
    if (name === undefined)
      throw new AppError('bad_request', `${titled(field)} is malformed; write Content-Digest: sha-256=:…: (RFC 9530).`);
    const algorithm = digestAlgorithms[name.toLowerCase()];
    return algorithm === undefined ? [] : [digest(field, algorithm, base64!)];
  });
  if (found.length === 0) throw new AppError('bad_request', `${titled(field)}: only sha-256 and sha-512 are supported.`);
  return found;
}

function digest(field: string, algorithm: string, base64: string): Digest {
  return { field: titled(field), hash: createHash(algorithm), expected: Buffer.from(base64, 'base64') };
}

function titled(field: string): string {
  return field.replace(/(^|-)([a-z])/g, (_, dash: string, letter: string) => dash + letter.toUpperCase());
}
