/** Counts what really comes out of packed data, whatever its headers claim. */
import { DocumentError } from '../../errors.ts';
import type { Inside, ParseInput, ParseLimits } from '../parser.ts';

export type UnpackLimits = Pick<ParseLimits, 'unpackedBytesMax' | 'ratioMax'>;

export type UnpackMeter = {
  /**
   * A counter for something that was packed into so many bytes, to be told of every piece that comes out of it.
   * @param name of a part; null for a file as a whole
   * @throws DocumentError (the counter) `limit_exceeded` naming the setting
   */
  of(name: string | null, packedBytes: number): (bytes: number) => void;
};

const mebibyte = 1024 * 1024;

/** Counts over all that a file holds together, for each part against what it was packed into, and for the files around this one. */
export function createUnpackMeter(limits: UnpackLimits, inside: Pick<ParseInput, 'inside'>['inside']): UnpackMeter {
  const around: Pick<Inside['left'], 'unpackedBytes'> | undefined = inside?.left;
  let total = 0;
  return {
    of(name, packedBytes) {
      let own = 0;
      return (bytes) => {
        total += bytes;
        own += bytes;
        if (around !== undefined) around.unpackedBytes -= bytes;
        if (total > limits.unpackedBytesMax) {
          throw new DocumentError(
            'limit_exceeded',
            `The file unpacks to more than ${limits.unpackedBytesMax} bytes (MAX_UNPACKED_BYTES)`,
          );
        }
        if (own > mebibyte && own > packedBytes * limits.ratioMax) throw tooTight(name, limits.ratioMax);
      };
    },
  };
}

function tooTight(name: string | null, ratioMax: number): DocumentError {
  return new DocumentError(
    'limit_exceeded',
    name === null
      ? `The file unpacks to more than ${ratioMax} times its packed size (MAX_UNPACK_RATIO)`
      : `The part ${name} unpacks to more than ${ratioMax} times its packed size (MAX_UNPACK_RATIO)`,
  );
}
