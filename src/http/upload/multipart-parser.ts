/**
 * A streaming multipart/form-data parser (RFC 7578, RFC 2046 §5.1). It takes the place of formidable's own, which holds part
 * headers of any size in memory (one client can end the process), spends 7–8 s of CPU on 9 MB of line ends, breaks names
 * that lie across two chunks, and takes a file part without a Content-Type for a text field.
 * Boundaries are found with `Buffer.indexOf`; memory is one chunk and one part header.
 */
import { AppError } from '../../errors.ts';
import { parseDisposition } from './content-disposition.ts';

export type PartHead = {
  readonly name: string | null;
  /** Decoded; null for a field, '' for a file part with an empty name. */
  readonly filename: string | null;
  readonly contentType: string | null;
};

export type MultipartEvents = {
  /** A part begins; its bytes follow once this has resolved. */
  part(head: PartHead): Promise<void> | void;
  data(bytes: Buffer): void;
  partEnd(): void;
};

export interface MultipartParser {
  /** @throws AppError `bad_request` when it is not well-formed, `headers_too_large`, `invalid_request` for too many parts. */
  write(chunk: Buffer): Promise<void>;
  /** @throws AppError `bad_request` when the closing boundary never came. */
  end(): void;
}

export const partHeaderBytesMax = 64 * 1024;
const partsMax = 50;
/** RFC 2046 §5.1.1. */
const boundaryCharactersMax = 70;
/** Before the first boundary and after the last one, where nothing belongs. */
const strayBytesMax = 64 * 1024;

const CRLF = Buffer.from('\r\n');
const headEnd = Buffer.from('\r\n\r\n');

/** The boundary that a Content-Type names. @throws AppError `bad_request` when it names none, or one that the RFC forbids. */
export function multipartBoundary(contentType: string): string {
  const [, quoted, token] = /;\s*boundary=(?:"([^"]*)"|([^\s;"]+))/i.exec(contentType) ?? [];
  const boundary = quoted ?? token ?? '';
  if (boundary === '' || boundary.length > boundaryCharactersMax)
    throw new AppError(
      'bad_request',
      `The Content-Type must have a boundary of 1 to ${boundaryCharactersMax} characters; let your HTTP library set this header.`,
    );
  return boundary;
}

export function createMultipartParser(boundary: string, events: MultipartEvents): MultipartParser {
  const delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
  // The first boundary may stand at the very start, without a line end before it.
  let rest: Buffer = CRLF;
  let state: 'preamble' | 'boundary' | 'head' | 'body' | 'done' = 'preamble';
  let parts = 0;
  let strayBytes = 0;

  return { write, end };

  async function write(chunk: Buffer): Promise<void> {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (await step());
  }

  function end(): void {
    if (state !== 'done') throw malformed('it ends before its closing boundary');
  }

  /** Takes one thing out of `rest`; false when more bytes are needed. */
  async function step(): Promise<boolean> {
    switch (state) {
      case 'preamble':
        return skipPreamble();
      case 'boundary':
        return readBoundaryEnd();
      case 'head':
        return readHead();
      case 'body':
        return readBody();
      case 'done':
        countStray(rest.length);
        rest = rest.subarray(rest.length);
        return false;
      default:
        return state satisfies never;
    }
  }

  function skipPreamble(): boolean {
    const at = rest.indexOf(delimiter);
    const skipped = at === -1 ? Math.max(0, rest.length - delimiter.length + 1) : at;
    countStray(skipped);
    if (at === -1) {
      rest = rest.subarray(skipped);
      return false;
    }
    rest = rest.subarray(at + delimiter.length);
    state = 'boundary';
    return true;
  }

  /** `--` closes the form; otherwise optional white space, and a line end. */
  function readBoundaryEnd(): boolean {
    if (rest.length < 2) return false;
    if (rest[0] === 0x2d && rest[1] === 0x2d) {
      state = 'done';
      rest = rest.subarray(2);
      return true;
    }
    const at = rest.indexOf(CRLF);
    if (at === -1 ? rest.length > 256 : !/^[ \t]*$/.test(rest.toString('latin1', 0, at)))
      throw malformed('a boundary is followed by something else on its line');
    if (at === -1) return false;
    // The line end stays: it is half of the empty line that ends a head without headers.
    rest = rest.subarray(at);
    state = 'head';
    return true;
  }

  async function readHead(): Promise<boolean> {
    const at = rest.indexOf(headEnd);
    if ((at === -1 ? rest.length : at) > partHeaderBytesMax)
      throw new AppError('headers_too_large', `The headers of a part are larger than ${partHeaderBytesMax} bytes.`);
    if (at === -1) return false;
    parts += 1;
    if (parts > partsMax) throw new AppError('invalid_request', `The form has more than ${partsMax} parts.`);
    const head = parseHead(rest.toString('latin1', CRLF.length, Math.max(CRLF.length, at)));
    rest = rest.subarray(at + headEnd.length);
    state = 'body';
    await events.part(head);
    return true;
  }

  function readBody(): boolean {
    const at = rest.indexOf(delimiter);
    const bodyEnd = at === -1 ? rest.length - delimiterBegun() : at;
    if (bodyEnd > 0) events.data(rest.subarray(0, bodyEnd));
    if (at === -1) {
      rest = rest.subarray(bodyEnd);
      return false;
    }
    rest = rest.subarray(at + delimiter.length);
    state = 'boundary';
    events.partEnd();
    return true;
  }

  /** How many of the last bytes may be the beginning of a delimiter. Usually none, so that the next chunk need not be copied. */
  function delimiterBegun(): number {
    const from = Math.max(0, rest.length - delimiter.length + 1);
    for (let at = rest.indexOf(0x0d, from); at !== -1; at = rest.indexOf(0x0d, at + 1))
      if (delimiter.subarray(0, rest.length - at).equals(rest.subarray(at))) return rest.length - at;
    return 0;
  }

  function countStray(bytes: number): void {
    strayBytes += bytes;
    if (strayBytes > strayBytesMax) throw malformed('there is too much data outside its parts');
  }
}

/** Headers as latin1 text, lines by CRLF; folded lines are joined, of a repeated header the first counts. */
function parseHead(text: string): PartHead {
  const headers = new Map<string, string>();
  for (const line of text.replace(/\r\n[ \t]+/g, ' ').split('\r\n')) {
    if (line === '') continue;
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    if (colon === -1 || !/^[\w!#$%&'*+.^`|~-]+$/.test(name)) throw malformed('a part has a malformed header');
    if (!headers.has(name)) headers.set(name, line.slice(colon + 1).trim());
  }
  if (!/^(?:7bit|8bit|binary|)$/i.test(headers.get('content-transfer-encoding') ?? ''))
    throw new AppError('unsupported_media_type', 'Send parts as they are, without a Content-Transfer-Encoding (RFC 7578 §4.7).');
  const { name, filename } = parseDisposition(headers.get('content-disposition') ?? '');
  return { name, filename, contentType: headers.get('content-type') ?? null };
}

function malformed(reason: string): AppError {
  return new AppError('bad_request', `The multipart body is malformed: ${reason}.`);
}
