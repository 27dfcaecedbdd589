/** What is done to data so that it packs better, and undone behind the unpacking. */
import { Damage } from './damage.ts';

/** Each byte was written as its difference from the one some bytes before. */
export async function* undoDelta(pieces: AsyncIterable<Buffer>, properties: Buffer): AsyncGenerator<Buffer> {
  if (properties.length !== 1) throw new Damage('delta');
  const before = Buffer.alloc(properties[0]! + 1);
  let place = 0;
  for await (const piece of pieces) {
    const out = Buffer.allocUnsafe(piece.length);
    for (let at = 0; at < piece.length; at++) {
      const byte = (piece[at]! + before[place]!) & 0xff;
      out[at] = before[place] = byte;
      place = place + 1 === before.length ? 0 : place + 1;
    }
    yield out;
  }
}

/** What jumps and calls of x86 programs stand before. */
const isEdge = (byte: number | undefined): boolean => byte === 0 || byte === 0xff;
/** By which of the last three bytes were such operations too, the last one lowest: whether this one may be, and how far back the first is. */
const mayFollow: readonly boolean[] = [true, true, true, false, true, false, false, false];
const firstBefore: readonly number[] = [0, 1, 2, 2, 3, 3, 3, 3];

/** Targets of jumps and calls were written as places from the beginning (the filter BCJ of x86, after the LZMA SDK's description of it). */
export async function* undoX86(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  const state = { position: 0, lastAt: -5, history: 0 };
  for await (const piece of pieces) {
    const bytes = Buffer.concat([rest, piece]);
    const done = convertX86(bytes, state);
    state.position += done;
    yield bytes.subarray(0, done);
    rest = bytes.subarray(done);
  }
  yield rest;
}

/** Converts in place; says how many bytes are as they will be: of the last four it may need what follows. */
function convertX86(bytes: Buffer, state: { readonly position: number; lastAt: number; history: number }): number {
  let at = 0;
  while (at < bytes.length - 4) {
    if ((bytes[at]! & 0xfe) !== 0xe8) {
      at += 1;
      continue;
    }
    const since = state.position + at - state.lastAt;
    state.lastAt = state.position + at;
    state.history = since > 3 ? 0 : (state.history << (since - 1)) & 7;
    const { history } = state;
    const isDoubtful = history !== 0 && (!mayFollow[history]! || isEdge(bytes[at + 4 - firstBefore[history]!]));
    if (isDoubtful || !isEdge(bytes[at + 4])) {
      state.history = ((history << 1) & 7) | 1;
      at += 1;
      continue;
    }
    const target = targetOf(bytes.readUInt32LE(at + 1), state.position + at + 5, history);
    bytes.writeUInt32LE(((target & 0x1ff_ffff) | ((target & 0x100_0000) === 0 ? 0 : 0xff00_0000)) >>> 0, at + 1);
    at += 5;
  }
  return at;
}

/** Where the byte that decides would stand for another such operation, all from there on was turned over. */
function targetOf(written: number, place: number, history: number): number {
  const target = written - place;
  if (history === 0) return target;
  const bits = firstBefore[history]! * 8;
  return isEdge((target >>> (24 - bits)) & 0xff) ? (target ^ ((1 << (32 - bits)) - 1)) - place : target;
}
