/** A file that is being made. */

export interface DiskFile {
  /** Appends all of `chunks`. */
  write(chunks: readonly Uint8Array[]): Promise<void>;
  /** The bytes survive a power cut when this returns (fdatasync). Never called again after it failed. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** What is left of `chunks` after so many bytes: `writev` may write less than it was given. */
export function afterBytes(chunks: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let left = bytes;
  for (const [position, chunk] of chunks.entries()) {
    if (left < chunk.byteLength) return [chunk.subarray(left), ...chunks.slice(position + 1)];
    left -= chunk.byteLength;
  }
  return [];
}
