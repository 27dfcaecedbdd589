/**
 * Arrays of zeros that are used again. A new one of a large segment costs as many faults of pages as it has, and calls the garbage collector sooner than
 * all else that a question makes.
 */

/** Shorter ones cost next to nothing as they are made. */
const leastRows = 1024;
/** Those that wait to be used again, together. */
const keptBytesMax = 32 * 1024 * 1024;

export class ScoreArrays {
  readonly #waiting: ArrayBuffer[] = [];
  #bytes = 0;

  /** Bytes that wait to be used again. */
  get bytes(): number {
    return this.#bytes;
  }

  /** So many zeros. */
  take(rows: number): Float32Array {
    const bytes = rows * Float32Array.BYTES_PER_ELEMENT;
    const at = rows < leastRows ? -1 : this.#smallestFrom(bytes);
    if (at < 0) return new Float32Array(rows);
    const [buffer] = this.#waiting.splice(at, 1);
    this.#bytes -= buffer!.byteLength;
    return new Float32Array(buffer!, 0, rows);
  }

  /** Must be zeros again, all of it, and not be looked at any more. */
  giveBack({ buffer, length }: Float32Array): void {
    if (length < leastRows || !(buffer instanceof ArrayBuffer) || this.#bytes + buffer.byteLength > keptBytesMax) return;
    this.#waiting.push(buffer);
    this.#bytes += buffer.byteLength;
  }

  #smallestFrom(bytes: number): number {
    let best = -1;
    for (const [at, { byteLength }] of this.#waiting.entries())
      if (byteLength >= bytes && (best < 0 || byteLength < this.#waiting[best]!.byteLength)) best = at;
    return best;
  }
}
