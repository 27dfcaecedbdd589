/** Takes stretches of any length from bytes that come in pieces. */

export type PieceReader = {
  /** Passes over the next `bytes`, fewer at the end, and gives the first `kept` of them. */
  take(bytes: number, kept?: number): Promise<Buffer>;
  /** Nothing more is wanted: whoever makes the pieces lets go of what it holds. */
  close(): Promise<void>;
};

/** A piece that is given whole is not copied. */
export function createPieceReader(source: AsyncIterable<Buffer>): PieceReader {
  const pieces = source[Symbol.asyncIterator]();
  let rest = Buffer.alloc(0);
  return {
    async take(bytes, kept = bytes) {
      const parts: Buffer[] = [];
      let left = bytes;
      let room = kept;
      while (left > 0) {
        if (rest.length === 0) {
          const next = await pieces.next();
          if (next.done === true) break;
          rest = next.value as Buffer<ArrayBuffer>;
          continue;
        }
        const part = rest.subarray(0, Math.min(left, rest.length));
        rest = rest.subarray(part.length);
        left -= part.length;
        const wanted = part.subarray(0, room);
        room -= wanted.length;
        if (wanted.length > 0) parts.push(wanted);
      }
      return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    },
    async close() {
      await pieces.return?.();
    },
  };
}
