/**
 * Posting lists as they are quickest to go through: two bytes a posting, whose rows can be looked up without going through those before
 * them. Made of the lists that are asked for again, up to so many bytes in all: a few common words are most of what questions cost.
 */
import { ByteReader, type PostingList, type PostingPlace, PostingWriter } from './posting-blocks.ts';

/**
 * Of each posting: how many rows after the one before it, times 16, plus its count. Where more than 4095 rows lie between two, the way is
 * cut by postings whose count is 0.
 */
export type UnpackedList = {
  readonly postings: Uint16Array;
  /** The row before each 64th posting, from the first one on. */
  readonly rowsBefore: Uint32Array;
};

export const stridePostings = 64;
/** For the lists of one index, in each thread or process that searches: the hundred commonest words of a million chunks. Where there is less, less is taken. */
export const unpackedBytesMax: number = 128 * 1024 * 1024;
const gapMax = 4095;
/** Shorter lists cost next to nothing as they are. */
export const unpackedRowsMin = 256;
/** Lists that were asked for once lately. */
const askedOnceMax = 4096;

export class UnpackedLists {
  readonly #bytesMax: number;
  readonly #lists = new Map<string, UnpackedList>();
  readonly #askedOnce = new Set<string>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Of the lists that it holds. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The list that `key` stands for, or null: it is short, or was not asked for lately. Of a list that is asked for again: 5 ns a posting. */
  get(key: string, list: PostingList): UnpackedList | null {
    if (list.rows < unpackedRowsMin) return null;
    return this.kept(key) ?? (this.#isAskedAgain(key) ? this.#keep(key, unpack(list)) : null);
  }

  /** The list that `key` stands for, if it is there. */
  kept(key: string): UnpackedList | null {
    const known = this.#lists.get(key);
    if (known === undefined) return null;
    this.#lists.delete(key);
    this.#lists.set(key, known);
    return known;
  }

  #isAskedAgain(key: string): boolean {
    if (this.#askedOnce.delete(key)) return true;
    this.#askedOnce.add(key);
    if (this.#askedOnce.size > askedOnceMax) this.#askedOnce.delete(this.#askedOnce.values().next().value!);
    return false;
  }

  #keep(key: string, list: UnpackedList): UnpackedList {
    this.#lists.set(key, list);
    this.#bytes += bytesOf(list);
    for (const [oldest, other] of this.#lists) {
      if (this.#bytes <= this.#bytesMax) break;
      this.#lists.delete(oldest);
      this.#bytes -= bytesOf(other);
    }
    return list;
  }
}

function bytesOf({ postings, rowsBefore }: UnpackedList): number {
  return postings.byteLength + rowsBefore.byteLength;
}

/** A list that is there unpacked: nothing is read for it, and whoever has it keeps it. */
export class KeptList implements PostingList {
  readonly rows: number;
  readonly lastRow: number;
  readonly unpacked: UnpackedList;
  #bytes: Uint8Array | null = null;

  constructor({ rows, lastRow }: Pick<PostingPlace, 'rows' | 'lastRow'>, unpacked: UnpackedList) {
    this.rows = rows;
    this.lastRow = lastRow;
    this.unpacked = unpacked;
  }

  /** Whether it has a row: about 60 ns, whatever its length. */
  has(row: number): boolean {
    const { postings, rowsBefore } = this.unpacked;
    let [low, high] = [0, rowsBefore.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (rowsBefore[middle]! < row) low = middle;
      else high = middle - 1;
    }
    let at = low * stridePostings;
    for (let before = rowsBefore[low] ?? 0; at < postings.length; at++) {
      before += postings[at]! >>> 4;
      if (before >= row && (postings[at]! & 15) > 0) return before === row;
    }
    return false;
  }

  /** Packed when first asked for, about 20 ns a posting: for the few who go through the bytes. */
  get bytes(): Uint8Array {
    return (this.#bytes ??= this.#pack());
  }

  #pack(): Uint8Array {
    const writer = new PostingWriter();
    eachPosting(this, (row, count) => writer.add(row, count));
    return writer.list().bytes;
  }
}

/** Goes through a list, rows ascending: 10 ns a posting where it is packed, 2 where it is not. */
export function eachPosting(list: PostingList, take: (row: number, count: number) => void): void {
  let row = 0;
  if (list instanceof KeptList) {
    for (const posting of list.unpacked.postings) {
      row += posting >>> 4;
      if ((posting & 15) > 0) take(row, posting & 15);
    }
    return;
  }
  const reader = new ByteReader(list.bytes);
  while (!reader.done()) {
    const value = reader.varint();
    row += Math.floor(value / 16);
    take(row, value % 16);
  }
}

export function unpack({ bytes, rows, lastRow }: PostingList): UnpackedList {
  const postings = new Uint16Array(rows + Math.ceil(lastRow / gapMax));
  const rowsBefore = new Uint32Array(Math.ceil(postings.length / stridePostings));
  let [at, count, row] = [0, 0, 0];
  const put = (gap: number, times: number): void => {
    if (count % stridePostings === 0) rowsBefore[count / stridePostings] = row;
    postings[count++] = (gap << 4) | times;
    row += gap;
  };
  while (at < bytes.length) {
    let byte = bytes[at++]!;
    let value = byte & 127;
    for (let scale = 128; byte > 127; scale *= 128) {
      byte = bytes[at++]!;
      value += (byte & 127) * scale;
    }
    let gap = Math.floor(value / 16);
    for (; gap > gapMax; gap -= gapMax) put(gapMax, 0);
    put(gap, value % 16);
  }
  return { postings: postings.slice(0, count), rowsBefore: rowsBefore.slice(0, Math.ceil(count / stridePostings)) };
}
