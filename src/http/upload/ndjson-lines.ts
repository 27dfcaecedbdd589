/** The lines of an NDJSON body (https://github.com/ndjson/ndjson-spec), cut at line feeds and nothing else, none of them held for longer than it must. */
import { isUtf8 } from 'node:buffer';

/** A line; `text` is null for what `problem` says. */
export type NdjsonLine = {
  /** Counted from 1. */
  readonly number: number;
  readonly bytes: number;
  readonly text: string | null;
  readonly problem: 'too_long' | 'not_utf8' | 'empty' | null;
};

const lineFeed = 0x0a;
/** What is too long is read to its end and forgotten. Nothing after the last line feed is no line. Memory: one line. */
export async function* ndjsonLines(content: AsyncIterable<Buffer>, bytesMax: number): AsyncGenerator<NdjsonLine> {
  let pieces: Buffer[] = [];
  let bytes = 0;
  let number = 1;
  for await (const piece of content) {
    let start = 0;
    for (let end = piece.indexOf(lineFeed); end >= 0; end = piece.indexOf(lineFeed, start)) {
      keep(piece.subarray(start, end));
      yield take();
      number += 1;
      start = end + 1;
    }
    keep(piece.subarray(start));
  }
  const last = take();
  if (last.problem !== 'empty') yield last;

  function keep(part: Buffer): void {
    bytes += part.length;
    if (bytes > bytesMax) pieces = [];
    else if (part.length > 0) pieces.push(part);
  }

  function take(): NdjsonLine {
    const line = Buffer.concat(pieces);
    const length = bytes;
    pieces = [];
    bytes = 0;
    if (length > bytesMax) return { number, bytes: length, text: null, problem: 'too_long' };
    if (!isUtf8(line)) return { number, bytes: length, text: null, problem: 'not_utf8' };
    const text = line.toString('utf8');
    return text.trim() === ''
      ? { number, bytes: length, text: null, problem: 'empty' }
      : { number, bytes: length, text, problem: null };
  }
}
