/** What LZMA and LZMA2 pack, as it comes out (I. Pavlov, "LZMA specification", and the LZMA SDK's description of LZMA2; public domain). */
import { createPieceReader } from '../piece-reader.ts';
import { Damage } from './damage.ts';
import { LzmaDecoder, slackBytes } from './lzma-decoder.ts';

/** Of one piece that comes out. */
const pieceBytes = 256 * 1024;
const slack = Buffer.alloc(slackBytes);

/** How far back LZMA may refer, by its properties: a byte of settings and the size of the dictionary. Null for others. */
export function lzmaDictionaryBytes(properties: Buffer): number | null {
  return properties.length < 5 ? null : properties.readUInt32LE(1);
}

/** The same by the one byte of LZMA2. */
export function lzma2DictionaryBytes(properties: Buffer): number | null {
  const [bits] = properties;
  if (bits === undefined || bits > 40) return null;
  return bits === 40 ? 0xffff_ffff : (2 | (bits & 1)) * 2 ** (Math.floor(bits / 2) + 11);
}

/** @param windowBytes no more than the dictionary or `bytes` @throws Damage */
export async function* unpackLzma(
  packed: AsyncIterable<Buffer>,
  properties: Buffer,
  { bytes, windowBytes }: { readonly bytes: number; readonly windowBytes: number },
): AsyncGenerator<Buffer> {
  const decoder = new LzmaDecoder(windowBytes);
  decoder.setProperties(properties[0]!);
  decoder.resetState();
  const reader = createPieceReader(packed);
  decoder.begin(await reader.take(5), 0);
  // What was not read of one piece stands before the next; behind the last one stands nothing that is read.
  let input: Buffer = Buffer.alloc(0);
  let isLast = false;
  let left = bytes;
  decoder.continueWith(input, 0);
  while (left > 0 && !decoder.isEnded) {
    const before = left;
    for (const out of decoded(decoder, left, { end: input.length - slackBytes, isLast })) {
      left -= out.length;
      yield out;
    }
    if (left < before || decoder.isEnded) continue;
    if (isLast) throw new Damage('end');
    const more = await reader.take(64 * 1024);
    isLast = more.length === 0;
    input = Buffer.concat([input.subarray(decoder.inputAt), isLast ? slack : more]);
    decoder.continueWith(input, 0);
  }
}

/** The next piece, if any; where it is damaged, what came before that first. */
function* decoded(
  decoder: LzmaDecoder,
  bytes: number,
  input: { readonly end: number; readonly isLast: boolean },
): Generator<Buffer> {
  let damage: unknown = null;
  try {
    decoder.run(Math.min(bytes, pieceBytes), input.end);
    if (input.isLast && decoder.inputAt > input.end) damage = new Damage('end');
  } catch (error) {
    damage = error;
  }
  const out = decoder.drain();
  if (out.length > 0) yield out;
  if (damage !== null) throw damage;
}

/** Chunks, each with two sizes and what it keeps of the state of the one before. Options and errors as above. */
export async function* unpackLzma2(packed: AsyncIterable<Buffer>, windowBytes: number): AsyncGenerator<Buffer> {
  const decoder = new LzmaDecoder(windowBytes);
  const reader = createPieceReader(packed);
  // What the next chunk has to bring along.
  let needs = { dictionary: true, properties: true, state: true };
  for (;;) {
    const [control] = await reader.take(1);
    if (control === undefined) throw new Damage('end');
    if (control === 0) return;
    const resets = resetsOf(control);
    if (resets === null || (needs.dictionary && !resets.dictionary)) throw new Damage('chunk');
    if (resets.dictionary) decoder.emptyDictionary();
    needs = { ...needs, dictionary: false, state: needs.state || resets.dictionary };
    const sizes = await reader.take(control < 0x80 ? 2 : 4);
    if (sizes.length < (control < 0x80 ? 2 : 4)) throw new Damage('end');
    if (control < 0x80) {
      yield* stored(await reader.take(sizes.readUInt16BE(0) + 1), sizes.readUInt16BE(0) + 1, decoder);
      continue;
    }
    if ((needs.properties && !resets.properties) || (needs.state && !resets.state)) throw new Damage('state');
    if (resets.properties) decoder.setProperties((await reader.take(1))[0] ?? 0xff);
    if (resets.state) decoder.resetState();
    needs = { dictionary: false, properties: false, state: false };
    const packedBytes = sizes.readUInt16BE(2) + 1;
    const chunk = await reader.take(packedBytes);
    if (chunk.length < packedBytes) throw new Damage('end');
    yield* lzmaChunk(chunk, ((control & 0x1f) << 16) + sizes.readUInt16BE(0) + 1, decoder);
  }
}

/** What a chunk begins anew by its first byte; null for none. */
function resetsOf(control: number): { dictionary: boolean; properties: boolean; state: boolean } | null {
  if (control > 2 && control < 0x80) return null;
  if (control < 0x80) return { dictionary: control === 1, properties: false, state: false };
  const kind = (control >>> 5) & 3;
  return { dictionary: kind === 3, properties: kind >= 2, state: kind >= 1 };
}

function* stored(chunk: Buffer, bytes: number, decoder: LzmaDecoder): Generator<Buffer> {
  if (chunk.length < bytes) throw new Damage('end');
  for (let at = 0; at < bytes;) {
    at += decoder.append(chunk.subarray(at));
    yield decoder.drain();
  }
}

function* lzmaChunk(chunk: Buffer, bytes: number, decoder: LzmaDecoder): Generator<Buffer> {
  decoder.begin(Buffer.concat([chunk, slack]), 0);
  for (let left = bytes; left > 0;) {
    const before = left;
    for (const out of decoded(decoder, left, { end: chunk.length, isLast: true })) {
      left -= out.length;
      yield out;
    }
    if (left === before) throw new Damage('end');
  }
  if (!decoder.finish() || decoder.inputAt !== chunk.length) throw new Damage('chunk');
}
