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
