/** The pages of a TIFF (TIFF 6.0, section 2: directories, each naming the next). */

export type TiffPage = { readonly width: number; readonly height: number; readonly directory: number; readonly nextAt: number };

/** So many are read. */
export const tiffPagesMax = 1000;
const [imageWidth, imageLength, shortType] = [256, 257, 3];

/** At most one more than are read, each directory once. @throws RangeError where the file ends inside one. */
export function tiffPages(bytes: Buffer): TiffPage[] {
  const { short, long } = reader(bytes);
  const pages = new Map<number, TiffPage>();
  for (let directory = long(4); directory !== 0 && !pages.has(directory) && pages.size <= tiffPagesMax;) {
    const entries = short(directory);
    let [width, height] = [0, 0];
    for (let entry = 0; entry < entries; entry++) {
      const at = directory + 2 + entry * 12;
      const value = short(at + 2) === shortType ? short(at + 8) : long(at + 8);
      if (short(at) === imageWidth) width = value;
      if (short(at) === imageLength) height = value;
    }
    const nextAt = directory + 2 + entries * 12;
    pages.set(directory, { width, height, directory, nextAt });
    directory = long(nextAt);
  }
  return [...pages.values()];
}

/** The same file with that page as its first and last: whoever reads one picture from it reads this one. Changes `bytes`. */
export function turnTo(bytes: Buffer, { directory, nextAt }: TiffPage): Buffer {
  const { writeLong } = reader(bytes);
  writeLong(directory, 4);
  writeLong(0, nextAt);
  return bytes;
}

function reader(bytes: Buffer): {
  readonly short: (at: number) => number;
  readonly long: (at: number) => number;
  readonly writeLong: (value: number, at: number) => void;
} {
  const little = bytes[0] === 0x49;
  return {
    short: (at) => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at)),
    long: (at) => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)),
    writeLong: (value, at) => void (little ? bytes.writeUInt32LE(value, at) : bytes.writeUInt32BE(value, at)),
  };
}
