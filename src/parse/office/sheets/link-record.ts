/** Where a link of an XLS sheet leads: the `HLink` record (MS-XLS 2.4.140) and the hyperlink object inside of it (MS-OSHARED 2.3.7.1). */

/** The cells that it is for, and the class of what follows. */
const headBytes = 8 + 16;
const flags = { hasMoniker: 0x01, isPlainText: 0x100, hasFrame: 0x80, hasName: 0x10 } as const;
const classBytes = 16;
/** A URL moniker's class, 79EAC9E0-BAF9-11CE-8C82-00AA004BA90B, as it lies in a file. */
const urlClass = Buffer.from('e0c9ea79f9bace118c8200aa004ba90b', 'hex');

/** An address; null for files, for places in the workbook, and where the bytes end before it does. */
export function linkTarget(record: Buffer): string | null {
  if (record.length < headBytes + 8) return null;
  const has = record.readUInt32LE(headBytes + 4);
  if ((has & flags.hasMoniker) === 0) return null;
  let at = headBytes + 8;
  if ((has & flags.hasName) !== 0) at = pastText(record, at);
  if ((has & flags.hasFrame) !== 0) at = pastText(record, at);
  if ((has & flags.isPlainText) !== 0) return wideText(record, at + 4, lengthAt(record, at) * 2);
  if (!record.subarray(at, at + classBytes).equals(urlClass)) return null;
  return wideText(record, at + classBytes + 4, lengthAt(record, at + classBytes));
}

/** 0 where the record ends before it. */
function lengthAt(record: Buffer, at: number): number {
  return at + 4 <= record.length ? record.readUInt32LE(at) : 0;
}

function pastText(record: Buffer, at: number): number {
  return Math.min(record.length, at + 4 + lengthAt(record, at) * 2);
}

/** Up to its first NUL: behind that an address may have facts of its own. */
function wideText(record: Buffer, at: number, bytes: number): string | null {
  const [text = ''] = record.toString('utf16le', at, Math.min(record.length, at + bytes)).split('\0');
  return text === '' ? null : text;
}
