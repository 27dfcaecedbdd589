/**
 * LZMA, the part that LZMA and LZMA2 share: a range coder whose bits say whether a byte follows, or a stretch of what came before
 * (I. Pavlov, "LZMA specification", 2015, public domain). It trusts nothing: a stretch from before the beginning ends it.
 */
import { Damage } from './damage.ts';

/** What is missing here is put behind the last bytes, so that no symbol, of 20 bytes at most, is read past the end. */
export const slackBytes = 32;

/* Where the probabilities of each kind stand in one table. */
const isMatch = 0;
const isRep = isMatch + 12 * 16;
const isRepG0 = isRep + 12;
const isRepG1 = isRepG0 + 12;
const isRepG2 = isRepG1 + 12;
const isRep0Long = isRepG2 + 12;
const slots = isRep0Long + 12 * 16;
const special = slots + 4 * 64;
const align = special + 128;
const matchLength = align + 16;
const lengthTable = 2 + 2 * 16 * 8 + 256;
const repLength = matchLength + lengthTable;
const literals = repLength + lengthTable;

const literalStates = 7;
const endOfStream = -1;
/** Positions are counted below this, beyond what any window holds; their lowest bits are what is asked for. */
const positionMax = 2 ** 30;

/** Decodes into a window, as far as it is told, and is emptied in between. */
export class LzmaDecoder {
  readonly #window: Buffer;
  /** Where the next byte goes in the window, and up to where it was drained. */
  #at = 0;
  #drained = 0;
  /** Bytes since the dictionary was emptied. */
  #position = 0;

  #input: Uint8Array = Buffer.alloc(0);
  #inputAt = 0;
  /** Unsigned numbers of 32 bits, kept as signed ones: those need no memory of their own. */
  #range = 0;
  #code = 0;

  #probs = new Uint16Array(0);
  #literalContext = 0;
  #literalMask = 0;
  #positionMask = 0;
  #state = 0;
  #rep0 = 0;
  #rep1 = 0;
  #rep2 = 0;
  #rep3 = 0;
  /** Of a stretch that did not fit. */
  #copyLeft = 0;
  #isEnded = false;

  /** @param windowBytes how far back stretches may lie; memory is taken as it is filled */
  constructor(windowBytes: number) {
    this.#window = Buffer.alloc(Math.max(windowBytes, 64 * 1024));
  }

  /** Whether the end mark was read. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Of the input, the byte to be read next. */
  get inputAt(): number {
    return this.#inputAt;
  }

  /** What has come out since the last time. */
  drain(): Buffer {
    const out = Buffer.from(this.#window.subarray(this.#drained, this.#at));
    if (this.#at === this.#window.length) this.#at = 0;
    this.#drained = this.#at;
    return out;
  }

  /** Forgets what came before. */
  emptyDictionary(): void {
    this.#position = 0;
  }

  /** `lc`, `lp`, `pb` of the specification, in its byte. */
  setProperties(byte: number): void {
    if (byte >= 9 * 5 * 5) throw new Damage('properties');
    const [context, positions] = [byte % 9, Math.floor(byte / 9) % 5];
    this.#literalContext = context;
    this.#literalMask = (1 << positions) - 1;
    this.#positionMask = (1 << Math.floor(byte / 45)) - 1;
    this.#probs = new Uint16Array(literals + (0x300 << (context + positions)));
  }

  resetState(): void {
    this.#probs.fill(1024);
    this.#state = 0;
    this.#rep0 = this.#rep1 = this.#rep2 = this.#rep3 = 0;
    this.#copyLeft = 0;
  }

  /** Begins the range coder with its first five bytes. */
  begin(input: Uint8Array, at: number): void {
    if (input[at] !== 0) throw new Damage('range coder');
    this.#code = (input[at + 1]! << 24) | (input[at + 2]! << 16) | (input[at + 3]! << 8) | input[at + 4]!;
    this.#range = -1;
    this.continueWith(input, at + 5);
  }

  continueWith(input: Uint8Array, at: number): void {
    this.#input = input;
    this.#inputAt = at;
  }

  /** Reads what the range coder has left at the end of its data; whether that is nothing, as it must be. */
  finish(): boolean {
    this.#normalize();
    return this.#code === 0 && this.#copyLeft === 0;
  }

  /** Takes bytes as they are, as many as the window has room for until it is drained; says how many. */
  append(bytes: Uint8Array): number {
    const taken = bytes.subarray(0, this.#window.length - this.#at);
    this.#window.set(taken, this.#at);
    this.#at += taken.length;
    this.#advance(taken.length);
    return taken.length;
  }

  /**
   * Decodes until `bytesMax` have come out, the window has to be drained, the stream has ended, or a symbol would begin behind
   * `inputEnd`. The input must go on for `slackBytes` from there. @throws Damage
   */
  run(bytesMax: number, inputEnd: number): void {
    const end = Math.min(this.#window.length, this.#at + bytesMax);
    if (this.#copyLeft > 0) this.#copy(this.#copyLeft, end);
    while (this.#at < end && this.#inputAt <= inputEnd && !this.#isEnded) {
      const place = this.#position & this.#positionMask;
      if (this.#bit(isMatch + (this.#state << 4) + place) === 0) {
        this.#window[this.#at] = this.#literal();
        this.#at += 1;
        this.#advance(1);
        continue;
      }
      const length = this.#match(place);
      if (length === endOfStream) this.#isEnded = true;
      else this.#copy(length, end);
    }
  }

  #advance(bytes: number): void {
    this.#position += bytes;
    if (this.#position >= positionMax) this.#position -= positionMax / 2;
  }

  /** A byte `distance` + 1 back. */
  #byteBefore(distance: number): number {
    const at = this.#at - distance - 1;
    return this.#window[at < 0 ? at + this.#window.length : at]!;
  }

  #copy(length: number, end: number): void {
    const count = Math.min(length, end - this.#at);
    this.#copyLeft = length - count;
    const window = this.#window;
    let [to, from] = [this.#at, this.#at - this.#rep0 - 1];
    if (from < 0) from += window.length;
    this.#at += count;
    this.#advance(count);
    for (; to < this.#at; to++) {
      window[to] = window[from++]!;
      if (from === window.length) from = 0;
    }
  }

  /* What a symbol is, and how the kinds of the last few symbols, the state, go on. */

  #literal(): number {
    const before = this.#position === 0 ? 0 : this.#byteBefore(0);
    const context = ((this.#position & this.#literalMask) << this.#literalContext) + (before >>> (8 - this.#literalContext));
    const from = literals + 0x300 * context;
    const state = this.#state;
    this.#state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
    return state < literalStates ? this.#tree(from, 8) : this.#literalAfterMatch(from, this.#byteBefore(this.#rep0));
  }

  /** The byte that would have followed the last stretch is likely not it: its bits are looked at beside. */
  #literalAfterMatch(from: number, matched: number): number {
    let symbol = 1;
    let expected = matched;
    do {
      const expectedBit = (expected >>> 7) & 1;
      expected <<= 1;
      const bit = this.#bit(from + ((1 + expectedBit) << 8) + symbol);
      symbol = (symbol << 1) | bit;
      if (bit !== expectedBit) break;
    } while (symbol < 0x100);
    while (symbol < 0x100) symbol = (symbol << 1) | this.#bit(from + symbol);
    return symbol & 0xff;
  }

  /** The length of the stretch that lies `#rep0` + 1 back, now. */
  #match(place: number): number {
    const length = this.#bit(isRep + this.#state) === 0 ? this.#newMatch(place) : this.#oldMatch(place);
    const reach = Math.min(this.#position, this.#window.length);
    if (length !== endOfStream && this.#rep0 >>> 0 >= reach) throw new Damage('distance');
    return length;
  }

  #newMatch(place: number): number {
    const length = this.#length(matchLength, place);
    this.#rep3 = this.#rep2;
    this.#rep2 = this.#rep1;
    this.#rep1 = this.#rep0;
    this.#rep0 = this.#distance(Math.min(length - 2, 3));
    this.#state = this.#state < literalStates ? 7 : 10;
    return this.#rep0 === -1 ? endOfStream : length;
  }

  /** From as far back as one of the last four. */
  #oldMatch(place: number): number {
    const state = this.#state;
    if (this.#bit(isRepG0 + state) === 1) this.#bringForward(state);
    else if (this.#bit(isRep0Long + (state << 4) + place) === 0) {
      this.#state = state < literalStates ? 9 : 11;
      return 1;
    }
    this.#state = state < literalStates ? 8 : 11;
    return this.#length(repLength, place);
  }

  #bringForward(state: number): void {
    let distance = this.#rep1;
    if (this.#bit(isRepG1 + state) === 1) {
      distance = this.#rep2;
      if (this.#bit(isRepG2 + state) === 1) {
        distance = this.#rep3;
        this.#rep3 = this.#rep2;
      }
      this.#rep2 = this.#rep1;
    }
    this.#rep1 = this.#rep0;
    this.#rep0 = distance;
  }

  #length(table: number, place: number): number {
    if (this.#bit(table) === 0) return 2 + this.#tree(table + 2 + (place << 3), 3);
    if (this.#bit(table + 1) === 0) return 10 + this.#tree(table + 130 + (place << 3), 3);
    return 18 + this.#tree(table + 258, 8);
  }

  #distance(lengthClass: number): number {
    const slot = this.#tree(slots + (lengthClass << 6), 6);
    if (slot < 4) return slot;
    const bits = (slot >>> 1) - 1;
    const high = (2 | (slot & 1)) << bits;
    if (slot < 14) return high + this.#reverseTree(special + high - slot, bits);
    return (high + (this.#direct(bits - 4) << 4) + this.#reverseTree(align, 4)) | 0;
  }

  /* The range coder. */

  #normalize(): void {
    if (this.#range >>> 24 !== 0) return;
    this.#range <<= 8;
    this.#code = (this.#code << 8) | this.#input[this.#inputAt++]!;
  }

  #bit(index: number): number {
    this.#normalize();
    const prob = this.#probs[index]!;
    const bound = Math.imul(this.#range >>> 11, prob);
    if (this.#code >>> 0 < bound >>> 0) {
      this.#range = bound;
      this.#probs[index] = prob + ((2048 - prob) >>> 5);
      return 0;
    }
    this.#range = (this.#range - bound) | 0;
    this.#code = (this.#code - bound) | 0;
    this.#probs[index] = prob - (prob >>> 5);
    return 1;
  }

  #tree(from: number, bits: number): number {
    let symbol = 1;
    for (let count = bits; count > 0; count--) symbol = (symbol << 1) | this.#bit(from + symbol);
    return symbol - (1 << bits);
  }

  /** The lowest bit first. */
  #reverseTree(from: number, bits: number): number {
    let node = 1;
    let symbol = 0;
    for (let count = 0; count < bits; count++) {
      const bit = this.#bit(from + node);
      node = (node << 1) | bit;
      symbol |= bit << count;
    }
    return symbol;
  }

  /** Bits that are as likely 0 as 1. */
  #direct(bits: number): number {
    let value = 0;
    for (let count = bits; count > 0; count--) {
      this.#normalize();
      this.#range >>>= 1;
      const isOne = this.#code >>> 0 >= this.#range >>> 0;
      if (isOne) this.#code = (this.#code - this.#range) | 0;
      value = (value << 1) | (isOne ? 1 : 0);
    }
    return value;
  }
}
