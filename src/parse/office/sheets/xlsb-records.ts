/** The records of XLSB parts (MS-XLSB 2.1.4), whose numbers and lengths are one byte or more, and the texts inside of them. */

export type XlsbRecord = { readonly type: number; readonly data: Buffer };

export function* readXlsbRecords(part: Buffer): Generator<XlsbRecord> {
  for (let at = 0; at < part.length;) {
    let type = part[at++]!;
    if ((type & 0x80) !== 0) type = (type & 0x7f) | ((part[at++] ?? 0) << 7);
    let length = 0;
    for (let shift = 0; shift < 28 && at < part.length; shift += 7) {
      const byte = part[at++]!;
      length |= (byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) break;
    }
    yield { type, data: part.subarray(at, at + length) };
    at += length;
  }
}

/** A text with its length in four bytes before it, and where it ends. Nothing where the record is too short. */
export function wideTextAt(data: Buffer, at: number): { readonly text: string; readonly end: number } {
  if (at + 4 > data.length) return { text: '', end: data.length };
  const length = data.readUInt32LE(at);
  // No text at all.
  if (length === 0xffff_ffff) return { text: '', end: at + 4 };
  const end = Math.min(data.length, at + 4 + length * 2);
  return { text: data.toString('utf16le', at + 4, end), end };
}

/** A text with fonts and furigana, which are left out. */
export function richTextAt(data: Buffer, at: number): string {
  return wideTextAt(data, at + 1).text;
}
