/**
 * The files of a ZIP archive as it comes in (PKWARE's APPNOTE 6.3.10), each unpacked and held by itself: an archive of any size, nothing on the disk.
 * What is before each file says what it is; the directory at the end, which says it again, only tells whether all were there.
 */
import { crc32, createInflateRaw } from 'node:zlib';
import { AppError } from '../../errors.ts';
import { createNameReader, extraField, nameBytes } from '../../parse/containers/zip-names.ts';

/** A file; `content` is null when it could not be read, for what `problem` says. */
export type ZipEntry = {
  /** Counted from 1, with folders and what is passed over. */
  readonly number: number;
  /** With `/` between its parts, in Unicode's composed form. */
  readonly name: string;
  readonly content: Buffer | null;
  readonly problem: 'too_long' | 'encrypted' | 'unknown_method' | 'damaged' | null;
};

type Header = {
  readonly name: string;
  readonly method: number;
  readonly isEncrypted: boolean;
  /** Its sizes and checksum come after it. */
  readonly isDescribed: boolean;
  readonly crc: number;
  readonly packedBytes: number;
};

type Unpacked = Pick<ZipEntry, 'content' | 'problem'> & { readonly packedBytes: number };

const localSignature = 0x04034b50;
const descriptorSignature = 0x08074b50;
const centralSignature = 0x02014b50;
const endSignature = 0x06054b50;
const endSignatures = [centralSignature, endSignature, 0x06064b50];
const stored = 0;
const deflated = 8;
/** A file whose end only unpacking tells is unpacked as far as this, whatever is kept of it. */
const soughtBytesMax = 256 * 1024 * 1024;
/** Folders, and what systems put beside files: names that begin with a dot. */
const passedOver = /\/$|(?:^|\/)(?:\.(?!\.?(?:\/|$))|__MACOSX\/)/;

/**
 * The files in their order. Memory: one file of at most `bytesMax`; a larger one is passed over and told of. `entriesMax` counts folders too;
 * `begins` is told of each place before it is read.
 * @throws AppError `bad_request` when it is no ZIP archive, breaks off, or goes on where nobody can tell; `invalid_request` for too many entries.
 */
export async function* zipEntries(
  content: AsyncIterable<Buffer>,
  {
    bytesMax,
    entriesMax,
    begins,
  }: { readonly bytesMax: number; readonly entriesMax: number; readonly begins: (place: number) => void },
): AsyncGenerator<ZipEntry> {
  const input = new Input(content);
  const nameIn = createNameReader();
  let number = 1;
  for (; ; number += 1) {
    begins(number);
    if (!(await isFile(input, number))) break;
    if (number > entriesMax) throw tooManyItems(entriesMax);
    const header = await readHeader(input, nameIn);
    const { content: bytes, problem, packedBytes } = await unpack(input, header, bytesMax);
    const crc = header.isDescribed ? await readDescriptor(input, packedBytes) : header.crc;
    if (passedOver.test(header.name)) continue;
    const isDamaged = bytes !== null && crc32(bytes) !== crc;
    yield { number, name: header.name, content: isDamaged ? null : bytes, problem: isDamaged ? 'damaged' : problem };
  }
  await readDirectory(input, number - 1);
  await input.passOver();
}

/** What one request brings is bounded, whatever it brings. */
export function tooManyItems(itemsMax: number): AppError {
  return new AppError('invalid_request', `One request may have at most ${itemsMax} documents; send the rest in another request.`);
}

async function isFile(input: Input, number: number): Promise<boolean> {
  const signature = (await input.look(4)).readUInt32LE(0);
  if (signature === localSignature) return true;
  if (endSignatures.includes(signature)) return false;
  throw number === 1 ? new AppError('bad_request', 'The body is not a ZIP archive.') : damaged();
}

/** @throws AppError `bad_request` when it names more files than were read: what begins one of them is damaged, and all after it is not read. */
async function readDirectory(input: Input, filesRead: number): Promise<void> {
  let named = 0;
  for (; (await input.look(4)).readUInt32LE(0) === centralSignature; named += 1) {
    const fixed = await input.take(46);
    await input.skip(fixed.readUInt16LE(28) + fixed.readUInt16LE(30) + fixed.readUInt16LE(32));
    if (named >= filesRead) throw damaged();
  }
  if ((await input.look(4)).readUInt32LE(0) !== endSignature) return;
  const said = (await input.look(22)).readUInt16LE(10);
  if (said !== 0xffff && said > filesRead) throw damaged();
}

function damaged(): AppError {
  return new AppError('bad_request', 'The archive is damaged: a file header is missing.');
}

async function readHeader(input: Input, nameIn: (bytes: Buffer) => string): Promise<Header> {
  const fixed = await input.take(30);
  const name = await input.take(fixed.readUInt16LE(26));
  const extra = await input.take(fixed.readUInt16LE(28));
  const flags = fixed.readUInt16LE(6);
  return {
    name: nameIn(nameBytes(name, extra)).replaceAll('\\', '/').normalize('NFC'),
    method: fixed.readUInt16LE(8),
    isEncrypted: (flags & 1) !== 0,
    isDescribed: (flags & 8) !== 0,
    crc: fixed.readUInt32LE(14),
    packedBytes: packedBytesOf(fixed, extraField(extra, 1)),
  };
}

/** `wide`: the sizes of a file that has 4 GiB or more, or of one whose writer could not tell. */
function packedBytesOf(fixed: Buffer, wide: Buffer | null): number {
  const [packed, unpacked] = [fixed.readUInt32LE(18), fixed.readUInt32LE(22)];
  if (packed !== 0xffffffff || wide === null) return packed;
  const at = unpacked === 0xffffffff ? 8 : 0;
  return wide.length >= at + 8 ? Number(wide.readBigUInt64LE(at)) : packed;
}

async function unpack(input: Input, header: Header, bytesMax: number): Promise<Unpacked> {
  const { method, isEncrypted, isDescribed, packedBytes } = header;
  const isOpenEnded = isDescribed && packedBytes === 0;
  if (isEncrypted || (method !== stored && method !== deflated)) {
    if (isOpenEnded) throw endless(header);
    await input.skip(packedBytes);
    return { content: null, problem: isEncrypted ? 'encrypted' : 'unknown_method', packedBytes };
  }
  if (method === stored)
    return isOpenEnded ? storedToDescriptor(input, header, bytesMax) : storedBytes(input, packedBytes, bytesMax);
  return inflated(input, header, { bytesMax, packedBytesMax: isOpenEnded ? Infinity : packedBytes });
}

async function storedBytes(input: Input, bytes: number, bytesMax: number): Promise<Unpacked> {
  if (bytes <= bytesMax) return { content: await input.take(bytes), problem: null, packedBytes: bytes };
  await input.skip(bytes);
  return { content: null, problem: 'too_long', packedBytes: bytes };
}

/** Up to the descriptor that is right about what is before it; each byte is summed once, however many look like one. */
async function storedToDescriptor(input: Input, header: Header, bytesMax: number): Promise<Unpacked> {
  const mark = Buffer.alloc(4);
  mark.writeUInt32LE(descriptorSignature);
  let summed = { bytes: 0, crc: 0 };
  for (let from = 0; ;) {
    const seen = await input.look(from + 16);
    const at = seen.indexOf(mark, from);
    if (Math.max(at, seen.length - 16) > bytesMax) throw endless(header);
    if (at >= 0) {
      const whole = await input.look(at + 16);
      summed = { bytes: at, crc: crc32(whole.subarray(summed.bytes, at), summed.crc) };
      if (whole.readUInt32LE(at + 8) === at && whole.readUInt32LE(at + 4) === summed.crc)
        return { content: await input.take(at), problem: null, packedBytes: at };
    }
    from = at >= 0 ? at + 1 : Math.max(from, seen.length - 3);
  }
}

function endless({ name }: Header): AppError {
  return new AppError(
    'bad_request',
    `The archive does not say where ${JSON.stringify(name)} ends, so nothing after it can be read; create the archive with sizes in the file headers.`,
  );
}

/** Ends where its own data do, and what was read beyond is given back; where the packed size is known, what is too long is unpacked no further. */
async function inflated(
  input: Input,
  header: Header,
  { bytesMax, packedBytesMax }: { bytesMax: number; packedBytesMax: number },
): Promise<Unpacked> {
  const inflate = createInflateRaw();
  const kept: Buffer[] = [];
  let bytes = 0;
  let fed = 0;
  const ended = new Promise<'ended' | 'damaged'>((resolve) => {
    inflate.on('data', (piece: Buffer) => {
      bytes += piece.length;
      if (bytes > bytesMax) kept.length = 0;
      else kept.push(piece);
    });
    inflate.once('end', () => resolve('ended')).once('error', () => resolve('damaged'));
  });
  let end: 'ended' | 'damaged' | null = null;
  try {
    while (end === null) {
      if (bytes > bytesMax && packedBytesMax !== Infinity) break;
      if (bytes > soughtBytesMax) throw endless(header);
      const piece = fed < packedBytesMax ? await input.piece(packedBytesMax - fed) : null;
      if (piece === null) {
        inflate.end();
        end = await ended;
        break;
      }
      fed += piece.length;
      const written = new Promise<null>((resolve) => inflate.write(piece, () => resolve(null)));
      end = await Promise.race([ended, written]);
    }
    const used = inflate.bytesWritten;
    if (packedBytesMax === Infinity) {
      if (end === 'damaged') throw endless(header);
      input.giveBack(fed - used);
    } else await input.skip(packedBytesMax - fed);
    const packedBytes = packedBytesMax === Infinity ? used : packedBytesMax;
    if (end === 'damaged') return { content: null, problem: 'damaged', packedBytes };
    return bytes > bytesMax
      ? { content: null, problem: 'too_long', packedBytes }
      : { content: Buffer.concat(kept), problem: null, packedBytes };
  } finally {
    inflate.destroy();
  }
}

/** The checksum that stands after a file, before its sizes of 4 bytes each, or of 8. */
async function readDescriptor(input: Input, packedBytes: number): Promise<number> {
  const marked = (await input.look(4)).readUInt32LE(0) === descriptorSignature ? 4 : 0;
  const head = await input.look(marked + 12);
  const crc = head.readUInt32LE(marked);
  const isNarrow = head.readUInt32LE(marked + 4) === packedBytes % 2 ** 32 && (await isBeforeNext(input, marked + 12));
  await input.skip(marked + (isNarrow ? 12 : 20));
  return crc;
}

async function isBeforeNext(input: Input, bytes: number): Promise<boolean> {
  const next = (await input.look(bytes + 4)).readUInt32LE(bytes);
  return next === localSignature || endSignatures.includes(next);
}

/** The pieces of the body, read as far as somebody asks. */
class Input {
  readonly #pieces: AsyncIterator<Buffer>;
  #held: Buffer[] = [];
  #bytes = 0;
  /** What was taken last by `piece`. */
  #last: Buffer = Buffer.alloc(0);

  constructor(content: AsyncIterable<Buffer>) {
    this.#pieces = content[Symbol.asyncIterator]();
  }

  /** At least so many of the next bytes, which stay the next ones. */
  async look(bytes: number): Promise<Buffer> {
    while (this.#bytes < bytes) {
      const { value, done } = await this.#pieces.next();
      if (done === true) throw new AppError('bad_request', 'The archive is incomplete.');
      this.#held.push(value as Buffer);
      this.#bytes += (value as Buffer).length;
    }
    if (this.#held.length > 1 && this.#held[0]!.length < bytes) this.#held = [Buffer.concat(this.#held)];
    return this.#held[0] ?? Buffer.alloc(0);
  }

  async take(bytes: number): Promise<Buffer> {
    const taken = (await this.look(bytes)).subarray(0, bytes);
    this.#drop(bytes);
    return taken;
  }

  /** What there is of the next bytes, at most so many; what the archive still has to have. */
  async piece(bytesMax: number): Promise<Buffer> {
    const held = await this.look(1);
    this.#last = held.subarray(0, bytesMax);
    this.#drop(this.#last.length);
    return this.#last;
  }

  /** The end of the last piece. */
  giveBack(bytes: number): void {
    if (bytes === 0) return;
    this.#held.unshift(this.#last.subarray(this.#last.length - bytes));
    this.#bytes += bytes;
  }

  async skip(bytes: number): Promise<void> {
    for (let left = bytes; left > 0;) left -= (await this.piece(left)).length;
  }

  async passOver(): Promise<void> {
    this.#held = [];
    while ((await this.#pieces.next()).done !== true);
  }

  #drop(bytes: number): void {
    this.#bytes -= bytes;
    for (let left = bytes; left > 0;) {
      const [first] = this.#held;
      const rest = first!.subarray(left);
      left -= first!.length;
      if (rest.length > 0) this.#held[0] = rest;
      else this.#held.shift();
    }
  }
}
