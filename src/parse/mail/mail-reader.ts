/**
 * postal-mime, given a mail in larger pieces. It keeps an object for each line of a body (200 KB of line ends took 540 MB), 100 KB for
 * each quoted-printable part, and some kilobytes for each part and header. So bodies come to it as pieces of many lines and are decoded
 * here, and what no honest mail has is left out.
 */
import PostalMime, { type Email } from 'postal-mime';

const pieceBytesMax = 64 * 1024;
/** Parts of one mail that are read. */
const partsMax = 5000;
/** Lines of the headers of one part, and bytes of one header with the lines it is folded into. */
const headerLinesMax = 5000;
const headerBytesMax = 64 * 1024;

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const dash = 0x2d;
const equals = 0x3d;

/** What this needs to know of postal-mime's own state of a part. */
type Part = {
  readonly state: string;
  /** Called behind the headers. */
  setupContentDecoder: (transferEncoding: string) => void;
  contentDecoder: { update(piece: Uint8Array): void; finalize(): Promise<ArrayBuffer> } | null;
};

type Piece = { readonly bytes: Uint8Array; readonly done: boolean };

export type ReadMail = { readonly email: Email; readonly hasMoreParts: boolean };

/** Reads one mail. @throws Error as postal-mime does, for parts nested deeper than `nestingMax`. */
export async function readWholeMail(bytes: Uint8Array, nestingMax: number): Promise<ReadMail> {
  const reader = new PieceReader({ forceRfc822Attachments: true, maxNestingDepth: nestingMax });
  const email = await reader.parse(bytes);
  return { email, hasMoreParts: reader.hasMoreParts };
}

class PieceReader extends PostalMime {
  /** postal-mime's own: the mail, how far it is read, the part that is being read. */
  declare readonly av: Uint8Array;
  declare readPos: number;
  declare readonly currentNode: Part;
  hasMoreParts = false;
  #part: Part | null = null;
  #parts = 0;
  #headerLines = 0;
  #headerBytes = 0;

  /** Called by postal-mime for each line until the mail is read; its end of line is left out. */
  readLine(): Piece {
    this.#enter(this.currentNode);
    if (this.hasMoreParts) {
      this.readPos = this.av.length;
      return this.#piece(this.readPos, this.readPos);
    }
    return this.currentNode.state === 'header' ? this.#headerLine() : this.#bodyPiece();
  }

  #enter(part: Part): void {
    if (part !== this.#part) {
      this.#part = part;
      part.setupContentDecoder = (encoding) => void (part.contentDecoder = new BodyBytes(decoderOf(encoding)));
      this.#headerLines = 0;
      this.#headerBytes = 0;
      if (++this.#parts > partsMax) this.hasMoreParts = true;
    }
  }

  /** A line of a header as far as it is kept; lines that are not are passed over. */
  #headerLine(): Piece {
    for (;;) {
      const start = this.readPos;
      const end = this.#toNextLine();
      const isFolded = this.av[start] === 0x20 || this.av[start] === 0x09;
      if (!isFolded) this.#headerBytes = 0;
      const room = headerBytesMax - this.#headerBytes;
      this.#headerBytes += end - start;
      this.#headerLines += 1;
      const isKept = end === start || (room > 0 && this.#headerLines <= headerLinesMax);
      if (isKept || this.readPos >= this.av.length) return this.#piece(start, isKept ? Math.min(end, start + room) : start);
    }
  }

  /** Lines up to one that may begin or end a part, or enough of them. */
  #bodyPiece(): Piece {
    const start = this.readPos;
    let end = this.#toNextLine();
    const isJoined = !(this.av[start] === dash && this.av[start + 1] === dash);
    while (isJoined && this.readPos < this.av.length && this.readPos - start < pieceBytesMax) {
      if (this.av[this.readPos] === dash && this.av[this.readPos + 1] === dash) break;
      end = this.#toNextLine();
    }
    return this.#piece(start, end);
  }

  /** Moves on to the next line. Returns where this one ends, without its line feed and what carriage returns stand before it. */
  #toNextLine(): number {
    const next = this.av.indexOf(lineFeed, this.readPos);
    let end = next === -1 ? this.av.length : next;
    const start = this.readPos;
    this.readPos = next === -1 ? this.av.length : next + 1;
    while (end > start && this.av[end - 1] === carriageReturn) end--;
    return end;
  }

  #piece(start: number, end: number): Piece {
    return { bytes: this.av.subarray(start, end), done: this.readPos >= this.av.length };
  }
}

type Decode = (encoded: Buffer) => Buffer;

function decoderOf(encoding: string): Decode {
  if (/base64/i.test(encoding)) return decodeBase64;
  return /quoted-printable/i.test(encoding) ? decodeQuoted : (plain) => plain;
}

/** The bytes of a body in a few large pieces, decoded at the end. */
class BodyBytes {
  readonly #decode: Decode;
  #bytes = Buffer.alloc(0);
  #length = 0;

  constructor(decode: Decode) {
    this.#decode = decode;
  }

  update(piece: Uint8Array): void {
    this.#reserve(piece.length + 1);
    let at = this.#length;
    let returns = 0;
    for (const byte of piece) {
      if (byte === carriageReturn) {
        returns += 1;
        continue;
      }
      // Those before a line feed are part of it.
      if (byte !== lineFeed) {
        this.#bytes.fill(carriageReturn, at, at + returns);
        at += returns;
      }
      returns = 0;
      this.#bytes[at++] = byte;
    }
    this.#bytes[at++] = lineFeed;
    this.#length = at;
  }

  async finalize(): Promise<ArrayBuffer> {
    const decoded = this.#decode(this.#bytes.subarray(0, this.#length));
    return new Uint8Array(decoded).buffer;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const larger = Buffer.alloc(Math.max(this.#length + bytes, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

/** Units of base64 end with `=`; some mailers end each line with them (RFC 4648, 3.3 lets the rest be passed over). */
function decodeBase64(encoded: Buffer): Buffer<ArrayBuffer> {
  const text = encoded.toString('latin1').replace(/[^A-Za-z0-9+/=]+/g, '');
  const decoded = Buffer.alloc(text.length);
  let length = 0;
  for (let at = 0; at < text.length;) {
    const sign = text.indexOf('=', at);
    const end = sign === -1 ? text.length : sign;
    if (end > at) length += decoded.write(text.slice(at, end), length, 'base64');
    at = end + 1;
  }
  return decoded.subarray(0, length);
}

/** RFC 2045, 6.7: `=` and two digits are a byte, `=` at the end of a line takes the end away; what is neither stays. In place. */
function decodeQuoted(encoded: Buffer): Buffer {
  let length = 0;
  for (let at = 0; at < encoded.length; at++) {
    const isEqualsSign = encoded[at] === equals;
    if (isEqualsSign && encoded[at + 1] === lineFeed) at += 1;
    else if (isEqualsSign && isHexDigit(encoded[at + 1]) && isHexDigit(encoded[at + 2])) {
      encoded[length++] = Number.parseInt(encoded.toString('latin1', at + 1, at + 3), 16);
      at += 2;
    } else encoded[length++] = encoded[at]!;
  }
  return encoded.subarray(0, length);
}

function isHexDigit(byte = 0): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66);
}
