/** Packs by LZMA and LZMA2 for tests: whatever symbols it is told to write, so that every way through a decoder can be gone. */

/** A byte, a stretch from `distance` bytes back, one from as far back as one of the last four, or one byte from as far as the last. */
export type LzmaSymbol =
  | { readonly byte: number }
  | { readonly distance: number; readonly length: number }
  | { readonly repeat: 0 | 1 | 2 | 3; readonly length: number }
  | 'again';

export type LzmaSettings = { readonly lc: number; readonly lp: number; readonly pb: number };

export const usualSettings: LzmaSettings = { lc: 3, lp: 0, pb: 2 };

export type LzmaEncoder = {
  write(symbol: LzmaSymbol): void;
  /** The mark of the end. */
  end(): void;
  resetState(): void;
  /** What was packed since the last time. */
  flush(): Buffer;
  /** All that has been written, unpacked. */
  readonly unpacked: readonly number[];
};

export function propertiesByte({ lc, lp, pb }: LzmaSettings): number {
  return (pb * 5 + lp) * 9 + lc;
}

export function createLzmaEncoder({ lc, lp, pb }: LzmaSettings): LzmaEncoder {
  const unpacked: number[] = [];
  let coder = rangeEncoder();
  let probs = new Map<string, { value: number }>();
  let state = 0;
  let distances = [1, 1, 1, 1];

  const prob = (name: string): { value: number } => {
    const known = probs.get(name) ?? { value: 1024 };
    probs.set(name, known);
    return known;
  };
  const bit = (name: string, value: number): void => coder.bit(prob(name), value);
  const place = (): number => unpacked.length & ((1 << pb) - 1);

  function tree(name: string, value: number, bits: number): void {
    for (let node = 1, at = bits - 1; at >= 0; at--) {
      bit(`${name} ${node}`, (value >> at) & 1);
      node = (node << 1) | ((value >> at) & 1);
    }
  }

  function reverseTree(name: string, value: number, bits: number): void {
    for (let node = 1, at = 0; at < bits; at++) {
      bit(`${name} ${node}`, (value >> at) & 1);
      node = (node << 1) | ((value >> at) & 1);
    }
  }

  function literal(byte: number): void {
    const before = unpacked.at(-1) ?? 0;
    const context = `literal ${((unpacked.length & ((1 << lp) - 1)) << lc) + (before >> (8 - lc))}`;
    const matched = state < 7 ? null : unpacked.at(-distances[0]!)!;
    let isSame = matched !== null;
    for (let node = 1, at = 7; at >= 0; at--) {
      const value = (byte >> at) & 1;
      const expected = matched === null ? 0 : (matched >> at) & 1;
      bit(`${context} ${isSame ? expected : '-'} ${node}`, value);
      isSame &&= value === expected;
      node = (node << 1) | value;
    }
    unpacked.push(byte);
    state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
  }

  function length(name: string, value: number): void {
    const from = place();
    bit(`${name} choice`, value < 10 ? 0 : 1);
    if (value < 10) return tree(`${name} low ${from}`, value - 2, 3);
    bit(`${name} choice2`, value < 18 ? 0 : 1);
    if (value < 18) tree(`${name} mid ${from}`, value - 10, 3);
    else tree(`${name} high`, value - 18, 8);
  }

  function distance(value: number, count: number): void {
    const bits = 32 - Math.clz32(value);
    const slot = value < 4 ? value : (bits - 1) * 2 + ((value >>> (bits - 2)) & 1);
    tree(`slot ${Math.min(count - 2, 3)}`, slot, 6);
    if (slot < 4) return;
    const rest = (slot >> 1) - 1;
    const low = value - (2 | (slot & 1)) * 2 ** rest;
    if (slot < 14) return reverseTree(`special ${slot}`, low, rest);
    for (let at = rest - 1; at >= 4; at--) coder.direct(Math.floor(low / 2 ** at) & 1);
    reverseTree('align', low & 15, 4);
  }

  function copy(count: number): void {
    for (let left = count; left > 0; left--) unpacked.push(unpacked.at(-distances[0]!)!);
  }

  function match(back: number, count: number): void {
    bit(`isRep ${state}`, 0);
    length('match', count);
    distance(back - 1, count);
    distances = [back, ...distances.slice(0, 3)];
    state = state < 7 ? 7 : 10;
  }

  function repeat(which: number, count: number | null): void {
    bit(`isRep ${state}`, 1);
    bit(`isRepG0 ${state}`, which === 0 ? 0 : 1);
    if (which === 0) bit(`isRep0Long ${state} ${place()}`, count === null ? 0 : 1);
    if (which > 0) bit(`isRepG1 ${state}`, which === 1 ? 0 : 1);
    if (which > 1) bit(`isRepG2 ${state}`, which - 2);
    distances = [distances[which]!, ...distances.filter((_, index) => index !== which)];
    if (count !== null) length('rep', count);
    state = count === null ? (state < 7 ? 9 : 11) : state < 7 ? 8 : 11;
    copy(count ?? 1);
  }

  return {
    unpacked,
    write(symbol) {
      const isByte = symbol !== 'again' && 'byte' in symbol;
      bit(`isMatch ${state} ${place()}`, isByte ? 0 : 1);
      if (symbol === 'again') repeat(0, null);
      else if ('byte' in symbol) literal(symbol.byte);
      else if ('repeat' in symbol) repeat(symbol.repeat, symbol.length);
      else {
        match(symbol.distance, symbol.length);
        copy(symbol.length);
      }
    },
    end() {
      bit(`isMatch ${state} ${place()}`, 1);
      match(2 ** 32, 2);
    },
    resetState() {
      probs = new Map();
      state = 0;
      distances = [1, 1, 1, 1];
    },
    flush() {
      const packed = coder.flush();
      coder = rangeEncoder();
      return packed;
    },
  };
}

function rangeEncoder(): {
  bit(prob: { value: number }, value: number): void;
  direct(value: number): void;
  flush(): Buffer;
} {
  const out: number[] = [];
  let low = 0n;
  let range = 0xffff_ffff;
  let held = 0;
  let heldCount = 1;

  function shift(): void {
    if (low < 0xff00_0000n || low >= 1n << 32n) {
      const carry = Number(low >> 32n);
      for (; heldCount > 0; heldCount--) {
        out.push((held + carry) & 0xff);
        held = 0xff;
      }
      held = Number((low >> 24n) & 0xffn);
    }
    heldCount += 1;
    low = (low & 0x00ff_ffffn) << 8n;
  }
  function normalize(): void {
    if (range >= 2 ** 24) return;
    range = (range * 256) % 2 ** 32;
    shift();
  }
  return {
    bit(prob, value) {
      const bound = Math.floor(range / 2048) * prob.value;
      if (value === 0) range = bound;
      else {
        low += BigInt(bound);
        range -= bound;
      }
      prob.value += value === 0 ? (2048 - prob.value) >> 5 : -(prob.value >> 5);
      normalize();
    },
    direct(value) {
      range = Math.floor(range / 2);
      if (value === 1) low += BigInt(range);
      normalize();
    },
    flush() {
      for (let count = 0; count < 5; count++) shift();
      return Buffer.from(out);
    },
  };
}

/**
 * Greedy: the longest stretch since the last place with the same three bytes, `reachMax` back at most; from as far back as before where that does; forgets how
 * far that was once `chunkBytes` are full.
 */
function symbolsOf(data: Uint8Array, chunkBytes = Infinity): LzmaSymbol[] {
  const symbols: LzmaSymbol[] = [];
  const last = new Map<number, number>();
  let [distance, from] = [0, 0];
  for (let at = 0; at < data.length;) {
    if (at - from >= chunkBytes) [distance, from] = [0, at];
    const key = data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16);
    const place = at + 2 < data.length ? last.get(key) : undefined;
    const before = place !== undefined && at - place <= reachMax ? place : undefined;
    last.set(key, at);
    const again = distance === 0 ? 0 : sameBytes(data, at - distance, at);
    const found = before === undefined ? 0 : sameBytes(data, before, at);
    if (again >= 2 && again >= found) symbols.push({ repeat: 0, length: again });
    else if (found >= 3) {
      distance = at - before!;
      symbols.push({ distance, length: found });
    } else symbols.push(again === 1 ? 'again' : { byte: data[at]! });
    at += Math.max(again >= 2 || found >= 3 ? Math.max(again, found) : 1, 1);
  }
  return symbols;
}

function sameBytes(data: Uint8Array, one: number, other: number): number {
  let length = 0;
  while (length < 273 && other + length < data.length && data[one + length] === data[other + length]) length += 1;
  return length;
}

/** As LZMA packs it, without the end mark. */
export function packLzma(data: Uint8Array, settings: LzmaSettings = usualSettings): Buffer {
  const encoder = createLzmaEncoder(settings);
  for (const symbol of symbolsOf(data)) encoder.write(symbol);
  return encoder.flush();
}

const chunkBytes = 20_000;
const reachMax = 60_000;

/** In chunks that keep the state or begin it anew, and one that is stored. */
export function packLzma2(data: Uint8Array, settings: LzmaSettings = usualSettings): Buffer {
  const encoder = createLzmaEncoder(settings);
  const chunks: Buffer[] = [];
  let from = 0;
  const close = (): void => {
    const bytes = encoder.unpacked.length - from;
    const kind = [0xe0, 0x80, 0xa0, 0xc0][chunks.length === 0 ? 0 : 1 + ((chunks.length - 1) % 3)]!;
    chunks.push(lzma2Chunk(kind, { bytes, packed: encoder.flush() }, settings));
    from = encoder.unpacked.length;
    // What the next chunk will say.
    if ((chunks.length - 1) % 3 !== 0) encoder.resetState();
  };
  for (const symbol of symbolsOf(data, chunkBytes)) {
    encoder.write(symbol);
    if (encoder.unpacked.length - from >= chunkBytes) close();
  }
  if (encoder.unpacked.length > from) close();
  return Buffer.concat([...chunks, Buffer.from([0])]);
}

/** `kind`: 0x80, and what is begun anew in the bits below. */
export function lzma2Chunk(
  kind: number,
  { bytes, packed }: { readonly bytes: number; readonly packed: Buffer },
  settings: LzmaSettings = usualSettings,
): Buffer {
  const head = Buffer.alloc(kind >= 0xc0 ? 6 : 5);
  head.writeUInt8(kind | ((bytes - 1) >> 16));
  head.writeUInt16BE((bytes - 1) & 0xffff, 1);
  head.writeUInt16BE(packed.length - 1, 3);
  if (kind >= 0xc0) head.writeUInt8(propertiesByte(settings), 5);
  return Buffer.concat([head, packed]);
}
