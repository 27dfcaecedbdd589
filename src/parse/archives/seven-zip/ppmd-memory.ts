/**
 * The memory of PPMd variant H: contexts and lists of symbols in units of twelve bytes, in one stretch of a size that the archive names.
 * What of it is free decides when the model is begun anew, so it is given out and taken back exactly as the packer did
 * (D. Shkarin, PPMd var. H, 2001; I. Pavlov, LZMA SDK; both in the public domain).
 */

const unitBytes = 12;

/** Sizes that are given out: by one unit up to four, then by two, by three, and by four up to 128. */
const smallSizes = [1, 2, 3, 4, 6, 8, 10, 12, 15, 18, 21, 24];
const unitsOf: readonly number[] = [...smallSizes, ...Array.from({ length: 26 }, (_, at) => 28 + 4 * at)];
/** By a number of units, the smallest of those sizes that holds them. */
const sizeOf = Uint8Array.from({ length: 129 }, (_, units) => unitsOf.findIndex((each) => each >= units));
const largest = unitsOf.length - 1;

/** Places are offsets; 0 is none. Text grows from the beginning, units come from behind. */
export class PpmdMemory {
  readonly bytes: Uint8Array;
  readonly words: Uint16Array;
  readonly longs: Uint32Array;
  readonly #size: number;
  readonly #begin: number;
  readonly #free = new Uint32Array(unitsOf.length);
  /** Where the next byte of text goes. */
  text = 0;
  /** Units stand from here on. */
  unitsStart = 0;
  #low = 0;
  #high = 0;
  #glueCount = 0;

  constructor(size: number) {
    this.#size = size;
    // Units end at a multiple of four.
    this.#begin = 4 - (size & 3);
    const whole = this.#begin + size + unitBytes;
    const buffer = new ArrayBuffer(whole + ((4 - (whole & 3)) & 3));
    this.bytes = new Uint8Array(buffer);
    this.words = new Uint16Array(buffer);
    this.longs = new Uint32Array(buffer);
  }

  empty(): void {
    this.#free.fill(0);
    this.text = this.#begin;
    this.#high = this.text + this.#size;
    this.#low = this.unitsStart = this.#high - Math.floor(this.#size / 8 / unitBytes) * 7 * unitBytes;
    this.#glueCount = 0;
  }

  /** Room for one context; 0 where there is none. */
  context(): number {
    if (this.#high !== this.#low) return (this.#high -= unitBytes);
    return this.#free[0] === 0 ? this.#rare(0) : this.#taken(0);
  }

  /** Room for so many units; 0 where there is none. */
  units(count: number): number {
    const size = sizeOf[count]!;
    if (this.#free[size] !== 0) return this.#taken(size);
    const bytes = unitsOf[size]! * unitBytes;
    if (bytes > this.#high - this.#low) return this.#rare(size);
    this.#low += bytes;
    return this.#low - bytes;
  }

  release(place: number, count: number): void {
    this.#give(place, sizeOf[count]!);
  }

  /** A list that has become longer by one unit; its place, another one only where it did not fit; 0 where there is no room. */
  grown(place: number, count: number): number {
    const size = sizeOf[count]!;
    if (size === sizeOf[count + 1]) return place;
    const other = this.units(unitsOf[size + 1]!);
    if (other === 0) return 0;
    this.bytes.copyWithin(other, place, place + count * unitBytes);
    this.#give(place, size);
    return other;
  }

  /** A list that has become shorter. */
  shrunk(place: number, count: number, countNow: number): number {
    const [size, sizeNow] = [sizeOf[count]!, sizeOf[countNow]!];
    if (size === sizeNow) return place;
    if (this.#free[sizeNow] === 0) {
      this.#split(place, size, sizeNow);
      return place;
    }
    const other = this.#taken(sizeNow);
    this.bytes.copyWithin(other, place, place + countNow * unitBytes);
    this.#give(place, size);
    return other;
  }

  #give(place: number, size: number): void {
    this.longs[place >> 2] = this.#free[size]!;
    this.#free[size] = place;
  }

  #taken(size: number): number {
    const place = this.#free[size]!;
    this.#free[size] = this.longs[place >> 2]!;
    return place;
  }

  /** Gives back what of a piece is not wanted, as one piece or two. */
  #split(place: number, size: number, wanted: number): void {
    this.#giveUnits(place + unitsOf[wanted]! * unitBytes, unitsOf[size]! - unitsOf[wanted]!);
  }

  #giveUnits(place: number, count: number): void {
    let size = sizeOf[count]!;
    if (unitsOf[size] !== count) {
      size -= 1;
      const first = unitsOf[size]!;
      this.#give(place + first * unitBytes, count - first - 1);
    }
    this.#give(place, size);
  }

  /** From a larger piece, or from between text and units. */
  #rare(size: number): number {
    if (this.#glueCount === 0) {
      this.#glue();
      if (this.#free[size] !== 0) return this.#taken(size);
    }
    for (let larger = size + 1; larger <= largest; larger++) {
      if (this.#free[larger] === 0) continue;
      const place = this.#taken(larger);
      this.#split(place, larger, size);
      return place;
    }
    this.#glueCount -= 1;
    const bytes = unitsOf[size]! * unitBytes;
    if (this.unitsStart - this.text <= bytes) return 0;
    this.unitsStart -= bytes;
    return this.unitsStart;
  }

  /** Makes one piece of free ones that stand beside each other. A free one: a mark of 0, its units, the next and the one before. */
  #glue(): void {
    this.#glueCount = 255;
    const { words, longs } = this;
    const head = this.#begin + this.#size;
    const [next, before] = [(place: number): number => (place >> 2) + 1, (place: number): number => (place >> 2) + 2];
    let last = head;
    for (let size = 0; size <= largest; size++) {
      let place = this.#free[size]!;
      this.#free[size] = 0;
      while (place !== 0) {
        const following = longs[place >> 2]!;
        longs[next(place)] = last;
        longs[before(last)] = place;
        last = place;
        words[place >> 1] = 0;
        words[(place >> 1) + 1] = unitsOf[size]!;
        place = following;
      }
    }
    words[head >> 1] = 1;
    longs[next(head)] = last;
    longs[before(last)] = head;
    if (this.#low !== this.#high) words[this.#low >> 1] = 1;
    for (let place = last; place !== head; place = longs[next(place)]!) {
      let count = words[(place >> 1) + 1]!;
      for (;;) {
        const beside = place + count * unitBytes;
        count += words[(beside >> 1) + 1]!;
        if (words[beside >> 1] !== 0 || count >= 0x10000) break;
        longs[next(longs[before(beside)]!)] = longs[next(beside)]!;
        longs[before(longs[next(beside)]!)] = longs[before(beside)]!;
        words[(place >> 1) + 1] = count;
      }
    }
    for (let place = longs[next(head)]!; place !== head;) {
      const following = longs[next(place)]!;
      let count = words[(place >> 1) + 1]!;
      let at = place;
      for (; count > 128; count -= 128, at += 128 * unitBytes) this.#give(at, largest);
      this.#giveUnits(at, count);
      place = following;
    }
  }
}
