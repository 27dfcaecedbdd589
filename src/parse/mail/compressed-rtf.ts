/** The compressed RTF that Outlook keeps bodies in (MS-OXRTFCP). */

const headerBytes = 16;
const compressed = 0x75465a4c;
const plain = 0x414c454d;
const dictionaryBytes = 4096;
/** What every text of this kind may refer to from the start. */
const beginning = Buffer.from(
  '{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx',
  'latin1',
);

/** The RTF, at most `bytesMax` of it; null when it is neither kind. What is unpacked is at most nine times its packed size. */
export function unpackRtf(packed: Buffer, bytesMax: number): Buffer | null {
  if (packed.length < headerBytes) return null;
  const kind = packed.readUInt32LE(8);
  const end = Math.min(packed.length, packed.readUInt32LE(0) + 4);
  if (kind === plain) return packed.subarray(headerBytes, headerBytes + Math.min(bytesMax, packed.readUInt32LE(4)));
  return kind === compressed ? unpack(packed.subarray(headerBytes, end), Math.min(bytesMax, packed.length * 9)) : null;
}

function unpack(packed: Buffer, bytesMax: number): Buffer {
  const dictionary = Buffer.alloc(dictionaryBytes, 0x20);
  beginning.copy(dictionary);
  let write = beginning.length;
  const out = Buffer.alloc(bytesMax);
  let length = 0;
  const put = (byte: number): void => {
    if (length < bytesMax) out[length++] = byte;
    dictionary[write] = byte;
    write = (write + 1) % dictionaryBytes;
  };
  for (let at = 0; at < packed.length && length < bytesMax;) {
    const control = packed[at++]!;
    for (let bit = 0; bit < 8 && at < packed.length; bit++) {
      if ((control & (1 << bit)) === 0) {
        put(packed[at++]!);
        continue;
      }
      if (at + 2 > packed.length) return out.subarray(0, length);
      const reference = packed.readUInt16BE(at);
      at += 2;
      const from = reference >> 4;
      // A reference to where the next byte would be written is the end.
      if (from === write) return out.subarray(0, length);
      for (let count = (reference & 0x0f) + 2, index = 0; index < count; index++)
        put(dictionary[(from + index) % dictionaryBytes]!);
    }
  }
  return out.subarray(0, length);
}
