/**
 * Files of records, one a line (NDJSON). A record ends at the byte `\n` and nowhere else: JSON leaves U+0085, U+2028 and U+2029 as
 * they are, and `node:readline` takes them for ends of lines.
 */
/** More than any record that is written here: a chunk of a whole document, each of its characters escaped. */
const recordBytesMax = 64 * 1024 * 1024;

const lineEnd = 0x0a;

/** The records of a file that is read in pieces, in order, empty ones left out. Memory: one record. @throws when one is larger than `bytesMax`. */
export async function* readRecords(file: AsyncIterable<Buffer>, bytesMax = recordBytesMax): AsyncGenerator<string> {
  const rest: Buffer[] = [];
  let restBytes = 0;

  function take(last: Buffer): string {
    const record = rest.length === 0 ? last.toString('utf8') : Buffer.concat([...rest, last]).toString('utf8');
    rest.length = 0;
    restBytes = 0;
    return record;
  }

  for await (const piece of file) {
    let from = 0;
    for (let end = piece.indexOf(lineEnd); end !== -1; end = piece.indexOf(lineEnd, from)) {
      const record = take(piece.subarray(from, end));
      from = end + 1;
      if (record !== '') yield record;
    }
    rest.push(piece.subarray(from));
    restBytes += piece.length - from;
    if (restBytes > bytesMax) throw new Error(`A file has a record of more than ${bytesMax} bytes`);
  }
  const record = take(Buffer.alloc(0));
  if (record !== '') yield record;
}
