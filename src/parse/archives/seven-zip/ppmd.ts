/**
 * What PPMd variant H packs: each byte by how often which bytes followed the last few, from the longest context that has been seen
 * (D. Shkarin, PPMd var. H, 2001; with the range coder of I. Pavlov's LZMA SDK; both in the public domain). Whatever is read, the model stays
 * whole: it is made of what has come out, never of places in the packed bytes.
 */
import { createPieceReader, type PieceReader } from '../piece-reader.ts';
import { Damage } from './damage.ts';
import { PpmdMemory } from './ppmd-memory.ts';

const pieceBytes = 64 * 1024;
const inputBytes = 64 * 1024;
/** Of packed bytes for one byte at most: two at a time in each of 64 contexts and more. */
const inputMin = 1024;

const orderMin = 2;
const orderMax = 64;
const memoryMin = 1 << 11;

/** Memory by the properties, an order and a size; null for others. */
export function ppmdMemoryBytes(properties: Buffer): number | null {
  if (properties.length < 5) return null;
  const [order, memory] = [properties[0]!, properties.readUInt32LE(1)];
  return order < orderMin || order > orderMax || memory < memoryMin ? null : memory;
}

/** @throws Damage */
export async function* unpackPpmd(packed: AsyncIterable<Buffer>, properties: Buffer, bytes: number): AsyncGenerator<Buffer> {
  const input = new PpmdInput(createPieceReader(packed));
  const model = new PpmdModel(properties[0]!, properties.readUInt32LE(1), input);
  await input.fill();
  input.begin();
  for (let left = bytes; left > 0;) {
    const out = Buffer.allocUnsafe(Math.min(left, pieceBytes));
    let filled = 0;
    let damage: unknown = null;
    try {
      for (; filled < out.length && input.isEnough; filled++) out[filled] = model.next();
    } catch (error) {
      damage = error;
    }
    if (filled > 0) yield out.subarray(0, filled);
    if (damage !== null) throw damage;
    left -= filled;
    await input.fill();
  }
}

/** 7z's range coder for PPMd. */
class PpmdInput {
  readonly #reader: PieceReader;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #isAll = false;
  #range = 0;
  #code = 0;

  constructor(reader: PieceReader) {
    this.#reader = reader;
  }

  /** Whether the next byte can be read, or ends where the packed bytes do. */
  get isEnough(): boolean {
    return this.#isAll || this.#bytes.length - this.#at >= inputMin;
  }

  async fill(): Promise<void> {
    if (this.isEnough) return;
    const more = await this.#reader.take(inputBytes);
    this.#isAll = more.length < inputBytes;
    this.#bytes = Buffer.concat([this.#bytes.subarray(this.#at), more]);
    this.#at = 0;
  }

  begin(): void {
    if (this.#byte() !== 0) throw new Damage('range coder');
    this.#range = 0xffff_ffff;
    for (let count = 0; count < 4; count++) this.#code = ((this.#code << 8) | this.#byte()) >>> 0;
  }

  /** In which of so many equal parts the code is. */
  part(of: number): number {
    this.#range = Math.floor(this.#range / of);
    return Math.floor(this.#code / this.#range);
  }

  take(start: number, size: number): void {
    this.#code -= start * this.#range;
    this.#range *= size;
    this.#normalize();
  }

  bit(zeros: number): 0 | 1 {
    const bound = (this.#range >>> 14) * zeros;
    const isOne = this.#code >= bound;
    if (isOne) {
      this.#code -= bound;
      this.#range -= bound;
    } else this.#range = bound;
    this.#normalize();
    return isOne ? 1 : 0;
  }

  #normalize(): void {
    while (this.#range < 0x100_0000) {
      this.#range = (this.#range << 8) >>> 0;
      this.#code = ((this.#code << 8) | this.#byte()) >>> 0;
      if (this.#range === 0) throw new Damage('range');
    }
  }

  #byte(): number {
    if (this.#at === this.#bytes.length) throw new Damage('end');
    return this.#bytes[this.#at++]!;
  }
}

const frequencyMax = 124;
const binaryEscapes: readonly number[] = [0x3cdd, 0x1f3f, 0x59bf, 0x48f3, 0x64a1, 0x5abc, 0x6632, 0x6051];
const firstEscapes: readonly number[] = [25, 14, 9, 7, 5, 5, 4, 4, 4, 3, 3, 3, 2, 2, 2, 2];

/** How sure an escape is, learnt over contexts that are alike. */
type Escape = { sum: number; shift: number; count: number };

/** Classes of how many symbols a context has: for binary contexts, and for escapes. */
const binaryClass = Uint8Array.from({ length: 256 }, (_, at) => (at === 0 ? 0 : at === 1 ? 2 : at < 11 ? 4 : 6));
const escapeClass = escapeClasses();

function escapeClasses(): Uint8Array {
  const classes = new Uint8Array(256);
  for (let at = 0, group = 0, left = 1; at < 256; at++) {
    classes[at] = group;
    if (at < 3) group = at + 1;
    else if (--left === 0) left = ++group - 2;
  }
  return classes;
}

const highClass = (symbol: number): number => (symbol < 0x40 ? 0 : 8);

/**
 * A context: how many symbols, the sum of their frequencies, their list, and the context that is shorter by one (2, 2, 4, 4 bytes). The symbol
 * of one that has only one stands in place of sum and list. A symbol: itself, its frequency, and its successor in two halves (1, 1, 2, 2 bytes):
 * the context that is longer by it, or the place in the text where that one would begin.
 */
class PpmdModel {
  readonly #order: number;
  readonly #memory: PpmdMemory;
  readonly #bytes: Uint8Array;
  readonly #words: Uint16Array;
  readonly #longs: Uint32Array;
  readonly #input: PpmdInput;

  readonly #binary = new Uint16Array(128 * 64);
  readonly #escapes: readonly Escape[] = Array.from({ length: 25 * 16 }, () => ({ sum: 0, shift: 0, count: 0 }));
  /** Of the context of all bytes, from which nothing escapes. */
  readonly #noEscape: Escape = { sum: 0, shift: 7, count: 64 };
  /** The symbols that were escaped from, by the number of the byte that is being read. */
  readonly #masked = new Uint32Array(256);
  #reading = 0;
  readonly #unmasked = new Uint32Array(256);

  #context = 0;
  #longest = 0;
  /** The symbol that was read. */
  #found = 0;
  #orderFall = 0;
  #initialEscape = 0;
  #wasLikely = 0;
  #runLength = 0;
  #initialRunLength = 0;
  #highBits = 0;

  constructor(order: number, memoryBytes: number, input: PpmdInput) {
    this.#order = order;
    this.#memory = new PpmdMemory(memoryBytes);
    this.#bytes = this.#memory.bytes;
    this.#words = this.#memory.words;
    this.#longs = this.#memory.longs;
    this.#input = input;
    this.#restart();
  }

  /** The next byte. */
  next(): number {
    this.#reading += 1;
    const found = this.#count(this.#context) === 1 ? this.#readBinary() : this.#readOne();
    return found ?? this.#readMasked();
  }

  #restart(): void {
    this.#memory.empty();
    this.#orderFall = this.#order;
    this.#runLength = this.#initialRunLength = -Math.min(this.#order, 12) - 1;
    this.#wasLikely = 0;
    const context = this.#memory.context();
    const list = this.#memory.units(128);
    this.#context = this.#longest = context;
    this.#found = list;
    this.#setCount(context, 256);
    this.#setSum(context, 257);
    this.#setList(context, list);
    this.#setSuffix(context, 0);
    for (let symbol = 0; symbol < 256; symbol++) this.#setState(list + 6 * symbol, { symbol, frequency: 1, successor: 0 });
    for (let at = 0; at < this.#binary.length; at++)
      this.#binary[at] = 16_384 - Math.floor(binaryEscapes[at & 7]! / ((at >> 6) + 2));
    for (const [at, escape] of this.#escapes.entries()) {
      escape.shift = 3;
      escape.sum = (5 * (at >> 4) + 10) << 3;
      escape.count = 4;
    }
  }

  /* Reading: from a context with one symbol, from one with several, and from shorter ones without what was escaped from. */

  #readBinary(): number | null {
    const context = this.#context;
    const state = context + 2;
    const symbol = this.#bytes[state]!;
    this.#highBits = highClass(this.#bytes[this.#found]!);
    const at =
      (this.#bytes[state + 1]! - 1) * 64 +
      this.#wasLikely +
      binaryClass[this.#count(this.#suffix(context)) - 1]! +
      this.#highBits +
      2 * highClass(symbol) +
      ((this.#runLength >> 26) & 0x20);
    const probability = this.#binary[at]!;
    const mean = (probability + 32) >> 7;
    if (this.#input.bit(probability) === 0) {
      this.#binary[at] = probability + 128 - mean;
      this.#found = state;
      if (this.#bytes[state + 1]! < 128) this.#bytes[state + 1]! += 1;
      this.#wasLikely = 1;
      this.#runLength += 1;
      this.#goOn();
      return symbol;
    }
    this.#binary[at] = probability - mean;
    this.#initialEscape = firstEscapes[(probability - mean) >> 10]!;
    this.#masked[symbol] = this.#reading;
    this.#wasLikely = 0;
    return null;
  }

  #readOne(): number | null {
    const context = this.#context;
    const [list, count, sum] = [this.#list(context), this.#count(context), this.#sum(context)];
    const part = this.#input.part(sum);
    let high = this.#bytes[list + 1]!;
    if (part < high) {
      this.#input.take(0, high);
      return this.#foundFirst(list);
    }
    this.#wasLikely = 0;
    for (let state = list + 6, end = list + 6 * count; state < end; state += 6) {
      const frequency = this.#bytes[state + 1]!;
      high += frequency;
      if (high <= part) continue;
      this.#input.take(high - frequency, frequency);
      return this.#foundLater(state);
    }
    if (part >= sum) throw new Damage('code');
    this.#highBits = highClass(this.#bytes[this.#found]!);
    this.#input.take(high, sum - high);
    for (let at = 0; at < count; at++) this.#masked[this.#bytes[list + 6 * at]!] = this.#reading;
    return null;
  }

  #readMasked(): number {
    for (;;) {
      const maskedCount = this.#count(this.#context);
      do {
        this.#orderFall += 1;
        this.#context = this.#suffix(this.#context);
        if (this.#context === 0) throw new Damage('end of data');
      } while (this.#count(this.#context) === maskedCount);
      const { high, count } = this.#unmaskedStates();
      const escape = this.#escapeOf(maskedCount);
      const total = high + this.#escapeFrequency(escape);
      const part = this.#input.part(total);
      if (part < high) return this.#foundUnmasked(part, escape);
      if (part >= total) throw new Damage('code');
      this.#input.take(high, total - high);
      escape.sum = (escape.sum + total) & 0xffff;
      for (let at = 0; at < count; at++) this.#masked[this.#bytes[this.#unmasked[at]!]!] = this.#reading;
    }
  }

  #unmaskedStates(): { readonly high: number; readonly count: number } {
    const list = this.#list(this.#context);
    const end = list + 6 * this.#count(this.#context);
    let [high, count] = [0, 0];
    for (let state = list; state < end; state += 6) {
      if (this.#masked[this.#bytes[state]!] === this.#reading) continue;
      high += this.#bytes[state + 1]!;
      this.#unmasked[count++] = state;
    }
    return { high, count };
  }

  #escapeOf(maskedCount: number): Escape {
    const context = this.#context;
    const count = this.#count(context);
    if (count === 256) return this.#noEscape;
    const unmaskedCount = count - maskedCount;
    const at =
      16 * escapeClass[unmaskedCount - 1]! +
      (unmaskedCount < this.#count(this.#suffix(context)) - count ? 1 : 0) +
      (this.#sum(context) < 11 * count ? 2 : 0) +
      (maskedCount > unmaskedCount ? 4 : 0) +
      this.#highBits;
    return this.#escapes[at]!;
  }

  #escapeFrequency(escape: Escape): number {
    if (escape === this.#noEscape) return 1;
    const mean = escape.sum >> escape.shift;
    escape.sum = (escape.sum - mean) & 0xffff;
    return mean === 0 ? 1 : mean;
  }

  /* What was found becomes likelier. */

  #foundFirst(state: number): number {
    const symbol = this.#bytes[state]!;
    this.#found = state;
    this.#wasLikely = 2 * this.#bytes[state + 1]! > this.#sum(this.#context) ? 1 : 0;
    this.#runLength += this.#wasLikely;
    this.#strengthen(state);
    this.#goOn();
    return symbol;
  }

  #foundLater(state: number): number {
    const symbol = this.#bytes[state]!;
    this.#setSum(this.#context, this.#sum(this.#context) + 4);
    this.#bytes[state + 1]! += 4;
    this.#found = state;
    if (this.#bytes[state + 1]! > this.#bytes[state - 5]!) {
      this.#exchange(state, state - 6);
      this.#found = state - 6;
      if (this.#bytes[state - 5]! > frequencyMax) this.#rescale();
    }
    this.#goOn();
    return symbol;
  }

  #foundUnmasked(part: number, escape: Escape): number {
    let at = 0;
    let high = this.#bytes[this.#unmasked[0]! + 1]!;
    while (high <= part) high += this.#bytes[this.#unmasked[++at]! + 1]!;
    const state = this.#unmasked[at]!;
    const [symbol, frequency] = [this.#bytes[state]!, this.#bytes[state + 1]!];
    this.#input.take(high - frequency, frequency);
    if (escape.shift < 7 && --escape.count === 0) {
      escape.sum = (escape.sum << 1) & 0xffff;
      escape.count = (3 << escape.shift) & 0xff;
      escape.shift += 1;
    }
    this.#found = state;
    this.#strengthen(state);
    this.#runLength = this.#initialRunLength;
    this.#update();
    return symbol;
  }

  #strengthen(state: number): void {
    this.#setSum(this.#context, this.#sum(this.#context) + 4);
    this.#bytes[state + 1]! += 4;
    if (this.#bytes[state + 1]! > frequencyMax) this.#rescale();
  }

  #goOn(): void {
    const next = this.#successor(this.#found);
    if (this.#orderFall === 0 && next > this.#memory.text) this.#context = this.#longest = next;
    else this.#update();
  }

  /** Halves the frequencies of a context, puts them in order, and forgets what has none left. */
  #rescale(): void {
    const context = this.#context;
    const [list, count] = [this.#list(context), this.#count(context)];
    const bytes = this.#bytes;
    for (let state = this.#found; state !== list; state -= 6) this.#exchange(state, state - 6);
    const adder = this.#orderFall === 0 ? 0 : 1;
    let escape = this.#sum(context) - bytes[list + 1]!;
    bytes[list + 1] = (bytes[list + 1]! + 4 + adder) >> 1;
    let sum = bytes[list + 1]!;
    const last = list + 6 * (count - 1);
    for (let state = list + 6; state <= last; state += 6) {
      escape -= bytes[state + 1]!;
      bytes[state + 1] = (bytes[state + 1]! + adder) >> 1;
      sum += bytes[state + 1]!;
      for (let at = state; at !== list && bytes[at + 1]! > bytes[at - 5]!; at -= 6) this.#exchange(at, at - 6);
    }
    if (bytes[last + 1] === 0) {
      let gone = 1;
      while (bytes[last - 6 * gone + 1] === 0) gone += 1;
      escape += gone;
      this.#setCount(context, count - gone);
      if (count - gone === 1) {
        this.#leaveOne(context, { list, count, escape });
        return;
      }
      const [units, unitsNow] = [(count + 1) >> 1, (count - gone + 1) >> 1];
      if (units !== unitsNow) this.#setList(context, this.#memory.shrunk(list, units, unitsNow));
    }
    this.#setSum(context, sum + escape - (escape >> 1));
    this.#found = this.#list(context);
  }

  #leaveOne(
    context: number,
    { list, count, escape }: { readonly list: number; readonly count: number; readonly escape: number },
  ): void {
    const state = this.#state(list);
    let { frequency } = state;
    let left = escape;
    do {
      frequency -= frequency >> 1;
      left >>= 1;
    } while (left > 1);
    this.#memory.release(list, (count + 1) >> 1);
    this.#setState(context + 2, { ...state, frequency });
    this.#found = context + 2;
  }

  /* What was found is put into the longer contexts that did not have it. */

  #update(): void {
    const found = this.#state(this.#found);
    if (found.frequency < frequencyMax / 4 && this.#suffix(this.#context) !== 0) this.#strengthenBelow(found.symbol);
    if (!this.#insert(found)) this.#restart();
  }

  /** The same symbol in the context that is shorter by one. */
  #strengthenBelow(symbol: number): void {
    const context = this.#suffix(this.#context);
    const bytes = this.#bytes;
    if (this.#count(context) === 1) {
      if (bytes[context + 3]! < 32) bytes[context + 3]! += 1;
      return;
    }
    let state = this.#find(context, symbol);
    if (state !== this.#list(context) && bytes[state + 1]! >= bytes[state - 5]!) {
      this.#exchange(state, state - 6);
      state -= 6;
    }
    if (bytes[state + 1]! >= frequencyMax - 9) return;
    bytes[state + 1]! += 2;
    this.#setSum(context, this.#sum(context) + 2);
  }

  /** False where the memory is full. */
  #insert({ symbol, frequency, successor }: State): boolean {
    const memory = this.#memory;
    if (this.#orderFall === 0) {
      this.#context = this.#longest = this.#lengthened(false);
      if (this.#context !== 0) this.#setSuccessor(this.#found, this.#context);
      return this.#context !== 0;
    }
    this.#bytes[memory.text++] = symbol;
    let place = memory.text;
    if (place >= memory.unitsStart) return false;
    let next = successor;
    if (next === 0) {
      this.#setSuccessor(this.#found, place);
      next = this.#context;
    } else {
      if (next <= place) next = this.#lengthened(true);
      if (next === 0) return false;
      this.#orderFall -= 1;
      if (this.#orderFall === 0) {
        place = next;
        if (this.#longest !== this.#context) memory.text -= 1;
      }
    }
    const count = this.#count(this.#context);
    const rest = this.#sum(this.#context) - count - (frequency - 1);
    for (let context = this.#longest; context !== this.#context; context = this.#suffix(context)) {
      if (!this.#add(context, { symbol, frequency, successor: place }, { count, rest })) return false;
    }
    this.#longest = this.#context = next;
    return true;
  }

  /** A symbol more for a context; `count` and `rest` are those of the context that had it. False where the memory is full. */
  #add(context: number, state: State, { count, rest }: { readonly count: number; readonly rest: number }): boolean {
    const own = this.#count(context);
    if (!this.#makeRoom(context, count)) return false;
    const sum = this.#sum(context);
    const share = 2 * state.frequency * (sum + 6);
    const whole = rest + sum;
    const frequency =
      share < 6 * whole
        ? 1 + (share > whole ? 1 : 0) + (share >= 4 * whole ? 1 : 0)
        : 4 + (share >= 9 * whole ? 1 : 0) + (share >= 12 * whole ? 1 : 0) + (share >= 15 * whole ? 1 : 0);
    this.#setSum(context, sum + (share < 6 * whole ? 3 : frequency));
    this.#setState(this.#list(context) + 6 * own, { ...state, frequency });
    this.#setCount(context, own + 1);
    return true;
  }

  #makeRoom(context: number, countBelow: number): boolean {
    const own = this.#count(context);
    if (own === 1) return this.#makeList(context, countBelow);
    if ((own & 1) === 0) {
      const list = this.#memory.grown(this.#list(context), own >> 1);
      if (list === 0) return false;
      this.#setList(context, list);
    }
    const sum = this.#sum(context);
    const isRare = 4 * own <= countBelow && sum <= 8 * own;
    this.#setSum(context, sum + (2 * own < countBelow ? 1 : 0) + (isRare ? 2 : 0));
    return true;
  }

  #makeList(context: number, countBelow: number): boolean {
    const list = this.#memory.units(1);
    if (list === 0) return false;
    const state = this.#state(context + 2);
    const frequency = state.frequency < frequencyMax / 4 - 1 ? 2 * state.frequency : frequencyMax - 4;
    this.#setState(list, { ...state, frequency });
    this.#setList(context, list);
    this.#setSum(context, frequency + this.#initialEscape + (countBelow > 3 ? 1 : 0));
    return true;
  }

  /**
   * Contexts that are longer by the symbol that was found, for all contexts that have it and end in the same place; the longest of them, or 0
   * where the memory is full.
   */
  #lengthened(isOwnToo: boolean): number {
    const branch = this.#successor(this.#found);
    const symbol = this.#bytes[this.#found]!;
    const states = isOwnToo ? [this.#found] : [];
    let context = this.#context;
    while (this.#suffix(context) !== 0) {
      context = this.#suffix(context);
      const state = this.#count(context) === 1 ? context + 2 : this.#find(context, symbol);
      const successor = this.#successor(state);
      if (successor !== branch) {
        context = successor;
        if (states.length === 0) return context;
        break;
      }
      states.push(state);
    }
    const first = { symbol: this.#bytes[branch]!, frequency: 0, successor: branch + 1 };
    first.frequency = this.#inherited(context, first.symbol);
    while (states.length > 0) {
      const longer = this.#memory.context();
      if (longer === 0) return 0;
      this.#setCount(longer, 1);
      this.#setState(longer + 2, first);
      this.#setSuffix(longer, context);
      this.#setSuccessor(states.pop()!, longer);
      context = longer;
    }
    return context;
  }

  #inherited(context: number, symbol: number): number {
    if (this.#count(context) === 1) return this.#bytes[context + 3]!;
    const frequency = this.#bytes[this.#find(context, symbol) + 1]! - 1;
    const rest = this.#sum(context) - this.#count(context) - frequency;
    if (2 * frequency <= rest) return 5 * frequency > rest ? 2 : 1;
    return 1 + Math.floor((2 * frequency + 3 * rest - 1) / (2 * rest));
  }

  /** The symbol in a context that has several, this one among them. */
  #find(context: number, symbol: number): number {
    const list = this.#list(context);
    const end = list + 6 * this.#count(context);
    for (let state = list; state < end; state += 6) if (this.#bytes[state] === symbol) return state;
    throw new Damage('model');
  }

  /* Contexts and symbols in memory. */

  #count(context: number): number {
    return this.#words[context >> 1]!;
  }

  #setCount(context: number, count: number): void {
    this.#words[context >> 1] = count;
  }

  #sum(context: number): number {
    return this.#words[(context >> 1) + 1]!;
  }

  #setSum(context: number, sum: number): void {
    this.#words[(context >> 1) + 1] = sum;
  }

  #list(context: number): number {
    return this.#longs[(context >> 2) + 1]!;
  }

  #setList(context: number, list: number): void {
    this.#longs[(context >> 2) + 1] = list;
  }

  #suffix(context: number): number {
    return this.#longs[(context >> 2) + 2]!;
  }

  #setSuffix(context: number, suffix: number): void {
    this.#longs[(context >> 2) + 2] = suffix;
  }

  #successor(state: number): number {
    return this.#words[(state >> 1) + 1]! + this.#words[(state >> 1) + 2]! * 0x10000;
  }

  #setSuccessor(state: number, successor: number): void {
    this.#words[(state >> 1) + 1] = successor & 0xffff;
    this.#words[(state >> 1) + 2] = successor >>> 16;
  }

  #state(at: number): State {
    return { symbol: this.#bytes[at]!, frequency: this.#bytes[at + 1]!, successor: this.#successor(at) };
  }

  #setState(at: number, { symbol, frequency, successor }: State): void {
    this.#bytes[at] = symbol;
    this.#bytes[at + 1] = frequency;
    this.#setSuccessor(at, successor);
  }

  #exchange(one: number, other: number): void {
    for (let half = 0; half < 3; half++) {
      const word = this.#words[(one >> 1) + half]!;
      this.#words[(one >> 1) + half] = this.#words[(other >> 1) + half]!;
      this.#words[(other >> 1) + half] = word;
    }
  }
}

type State = { readonly symbol: number; readonly frequency: number; readonly successor: number };
