/** The lines of an NDJSON body (https://github.com/ndjson/ndjson-spec), cut at line feeds and nothing else, none of them held for longer than it must. */
import { isUtf8 } from 'node:buffer';

/** A line with something on it; `text` is null when it was longer than it may be, or is not UTF-8. */
export type NdjsonLine = {
  /** Counted from 1, empty lines too. */
  readonly number: number;
  readonly bytes: number;
  readonly text: string | null;
  readonly problem: 'too_long' | 'not_utf8' | null;
};

const lineFeed = 0x0a;
/** JSON has none, but what Windows programs write as UTF-8 often begins with it. */
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

/** Empty lines are passed over, and a byte order mark before the first. What is too long is read to its end and forgotten. Memory: one line. */
export async function* ndjsonLines(content: AsyncIterable<Buffer>, bytesMax: number): AsyncGenerator<NdjsonLine> {
  let pieces: Buffer[] = [];
  let bytes = 0;
  let number = 1;
  for await (const piece of content) {
    let start = 0;
    for (let end = piece.indexOf(lineFeed); end >= 0; end = piece.indexOf(lineFeed, start)) {
      keep(piece.subarray(start, end));
      const line = take();
      if (line !== null) yield line;
      number += 1;
      start = end + 1;
    }
    keep(piece.subarray(start));
  }
  const last = take();
  if (last !== null) yield last;

  function keep(part: Buffer): void {
    bytes += part.length;
    if (bytes > bytesMax) pieces = [];
    else if (part.length > 0) pieces.push(part);
  }

  function take(): NdjsonLine | null {
    const line = Buffer.concat(pieces);
    const length = bytes;
    pieces = [];
    bytes = 0;
    if (length > bytesMax) return { number, bytes: length, text: null, problem: 'too_long' };
    if (!isUtf8(line)) return { number, bytes: length, text: null, problem: 'not_utf8' };
    const text = line.toString('utf8', number === 1 && startsWithMark(line) ? byteOrderMark.length : 0);
    return text.trim() === '' ? null : { number, bytes: length, text, problem: null };
  }
}

function startsWithMark(line: Buffer): boolean {
  return line.subarray(0, byteOrderMark.length).equals(byteOrderMark);
}
