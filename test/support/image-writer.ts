/** Small pictures made by hand: headers of every kind, and a real bitmap with large black letters on white. */

/** 5 × 7 dots for each letter, a row as five bits. */
const letters: Readonly<Record<string, readonly number[]>> = {
  E: [31, 16, 16, 30, 16, 16, 31],
  F: [31, 16, 16, 30, 16, 16, 16],
  H: [17, 17, 17, 31, 17, 17, 17],
  I: [14, 4, 4, 4, 4, 4, 14],
  L: [16, 16, 16, 16, 16, 16, 31],
  T: [31, 4, 4, 4, 4, 4, 4],
};

/** A 24-bit BMP of one line of text, each dot `scale` pixels wide. */
export function bmpOfText(text: string, scale = 12): Uint8Array {
  const columns = text.length * 6 + 6;
  const rows = 7 + 8;
  const width = columns * scale;
  const height = rows * scale;
  const rowBytes = Math.ceil((width * 3) / 4) * 4;
  const bytes = Buffer.alloc(54 + rowBytes * height, 0xff);
  bytes.fill(0, 0, 54);
  bytes.write('BM');
  bytes.writeUInt32LE(bytes.length, 2);
  bytes.writeUInt32LE(54, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(width, 18);
  bytes.writeInt32LE(height, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(24, 28);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (isInk(text, Math.floor(x / scale) - 3, rows - 1 - Math.floor(y / scale) - 4))
        bytes.fill(0, 54 + y * rowBytes + x * 3, 54 + y * rowBytes + x * 3 + 3);
    }
  }
  return bytes;
}

function isInk(text: string, column: number, row: number): boolean {
  const dots = letters[text[Math.floor(column / 6)] ?? ''];
  const dot = column % 6;
  return column >= 0 && row >= 0 && row < 7 && dot < 5 && dots !== undefined && ((dots[row]! >> (4 - dot)) & 1) === 1;
}

/** The beginnings of pictures that declare this size, by format. */
export function imageHeaders(width: number, height: number): Readonly<Record<string, Uint8Array>> {
  const gif = Buffer.alloc(13);
  gif.write('GIF89a');
  gif.writeUInt16LE(width, 6);
  gif.writeUInt16LE(height, 8);
  const jpeg = Buffer.from('ffd8ffe000104a46494600010100000100010000ffc0001108000000000301220002110103110100', 'hex');
  jpeg.writeUInt16BE(height, 25);
  jpeg.writeUInt16BE(width, 27);
  const webp = Buffer.alloc(30);
  webp.write('RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0', 'latin1');
  webp.writeUIntLE(width - 1, 24, 3);
  webp.writeUIntLE(height - 1, 27, 3);
  const tiff = Buffer.alloc(8 + 2 + 24 + 4);
  tiff.write('II*\0', 'latin1');
  tiff.writeUInt32LE(8, 4);
  tiff.writeUInt16LE(2, 8);
  for (const [index, value] of [width, height].entries()) {
    tiff.writeUInt16LE(256 + index, 10 + index * 12);
    tiff.writeUInt16LE(4, 12 + index * 12);
    tiff.writeUInt32LE(1, 14 + index * 12);
    tiff.writeUInt32LE(value, 18 + index * 12);
  }
  return { gif, jpeg, webp, tiff };
}

/** The beginning of a picture whose camera notes that it is to be turned (Exif): as far as a reader of notes needs it. */
export function noted(kind: 'jpeg' | 'png' | 'webp', orientation: number, order: 'II' | 'MM' = 'MM'): Buffer {
  const note = exifNote(orientation, order);
  if (kind === 'jpeg') return withNote(Buffer.from('ffd8ffd9', 'hex'), orientation, order);
  const length = Buffer.alloc(4);
  if (kind === 'png') {
    length.writeUInt32BE(note.length);
    return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\x01IHDR?\0\0\0\0', 'latin1'), length, Buffer.from('eXIf'), note]);
  }
  length.writeUInt32LE(note.length);
  return Buffer.concat([Buffer.from('RIFF\x20\0\0\0WEBPVP8X\x01\0\0\0?\0EXIF', 'latin1'), length, note]);
}

/** A JPEG with a note of its camera before everything else. */
export function withNote(jpeg: Uint8Array, orientation: number, order: 'II' | 'MM' = 'MM'): Buffer {
  const data = Buffer.concat([Buffer.from('Exif\0\0'), exifNote(orientation, order)]);
  const head = Buffer.from('ffe10000', 'hex');
  head.writeUInt16BE(data.length + 2, 2);
  return Buffer.concat([jpeg.subarray(0, 2), head, data, jpeg.subarray(2)]);
}

function exifNote(orientation: number, order: 'II' | 'MM'): Buffer {
  const note = Buffer.alloc(26);
  note.write(order);
  const short = (value: number, at: number): unknown =>
    order === 'II' ? note.writeUInt16LE(value, at) : note.writeUInt16BE(value, at);
  const long = (value: number, at: number): unknown =>
    order === 'II' ? note.writeUInt32LE(value, at) : note.writeUInt32BE(value, at);
  short(42, 2);
  long(8, 4);
  short(1, 8);
  short(0x112, 10);
  short(3, 12);
  long(1, 14);
  short(orientation, 18);
  return note;
}
