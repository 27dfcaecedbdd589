/**
 * Answers that are lists: their JSON is made a little at a time, since one JSON.stringify over all of it would hold the event loop
 * as long as it takes, and V8 makes no string of more than half a gigabyte.
 */
import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Context } from 'koa';

/** Bytes of a page of a list after which it ends, however many records were asked for: the rest comes with `next_cursor`. */
export const pageBytesMax = 4 * 1024 * 1024;
/** Records that are read and written at once. */
export const recordsAtOnce = 100;

/** Bytes between two turns of the event loop, and bytes of an answer that goes out in one piece. */
const turnBytes = 256 * 1024;

export class JsonList {
  readonly #pieces: Buffer[] = [];
  #bytes = 0;
  #sinceTurn = 0;

  /** Of what was added. */
  get bytes(): number {
    return this.#bytes;
  }

  async add(items: readonly object[]): Promise<void> {
    for (const item of items) {
      const piece = Buffer.from(`${this.#pieces.length === 0 ? '' : ','}${JSON.stringify(item)}`);
      this.#pieces.push(piece);
      this.#bytes += piece.length;
      this.#sinceTurn += piece.length;
      if (this.#sinceTurn < turnBytes) continue;
      this.#sinceTurn = 0;
      await nextTurn();
    }
  }

  /** Answers with `head` and, as its last member `name`, the list. */
  answer(ctx: Context, name: string, head: object): void {
    const start = JSON.stringify({ ...head, [name]: [] }).slice(0, -2);
    const pieces = [Buffer.from(start), ...this.#pieces, Buffer.from(']}')];
    const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
    ctx.type = 'json';
    ctx.body = bytes <= turnBytes ? Buffer.concat(pieces) : Readable.from(pieces, { objectMode: false });
    ctx.length = bytes;
  }
}
