/**
 * A plain PDF file: its cross-reference table or streams, and its objects (ISO 32000-1, 7.5). Nothing is repaired: a table that does
 * not lead to its objects, a stream without its end, an encrypted file are `NotPlain`.
 */
import { decodeStream } from './filters.ts';
import { type Budget, createBudget, createLexer, type Dict, Name, NotPlain, Ref, Stream, type Value, Word } from './objects.ts';

/** Files read from a buffer; an object is made when it is first asked for, and kept. */
export type PlainFile = {
  readonly trailer: Dict;
  /** References followed. */
  resolve(value: Value | undefined): Value;
  /** `dict[key]`, references followed; null when it is not there. */
  get(dict: Dict, key: string): Value;
  /** The decoded bytes of a stream. @throws NotPlain when they are too many, alone or with those before them. */
  bytesOf(stream: Stream): Buffer;
  /** For everything that is made out of the file and kept. */
  readonly budget: Budget;
};

/** Bytes that one stream, and all that were decoded and come of it, may have: a plain file's text is far smaller. */
const streamBytesMax = 32 * 1024 * 1024;
const allBytesMax = 512 * 1024 * 1024;
const objectsMax = 1_000_000;
/** Kept at once; a value takes up to 100 bytes. */
const valuesMax = 2_000_000;
const tablesMax = 100;

type Place = { readonly offset: number } | { readonly container: number; readonly index: number };

/** @throws NotPlain */
export function openPlainFile(bytes: Buffer): PlainFile {
  const places = new Map<number, Place | null>();
  const objects = new Map<number, Value>();
  const containers = new Map<number, readonly Value[]>();
  const opening = new Set<number>();
  const budget = createBudget(valuesMax);
  let bytesLeft = allBytesMax;
  /** One for all: objects are read one after the other, and there are thousands. */
  const lexer = createLexer(bytes, budget, true);

  const file = {
    budget,
    resolve(value: Value | undefined): Value {
      let current = value ?? null;
      for (let hops = 0; current instanceof Ref; hops++) {
        if (hops > 16) throw new NotPlain('a reference without an end');
        current = objectAt(current.number);
      }
      return current;
    },
    get: (dict: Dict, key: string): Value => file.resolve(dict.get(key)),
    bytesOf(stream: Stream): Buffer {
      const raw = rawBytes(stream);
      const decoded = decodeStream(raw, stream.dict, file.get, streamBytesMax);
      // What it is made of too: much may be made into little, again and again.
      bytesLeft -= raw.length + decoded.length;
      if (bytesLeft < 0) throw new NotPlain('too much data');
      return decoded;
    },
  };

  function rawBytes({ dict, start }: Stream): Buffer {
    const length = file.get(dict, 'Length');
    if (typeof length !== 'number' || length < 0 || start + length > bytes.length) throw new NotPlain('a stream of no length');
    const after = bytes.toString('latin1', start + length, start + length + 12);
    if (!/^\s{0,2}endstream/.test(after)) throw new NotPlain('a stream of another length');
    return bytes.subarray(start, start + length);
  }

  function objectAt(number: number): Value {
    const known = objects.get(number);
    if (known !== undefined) return known;
    const place = places.get(number) ?? null;
    if (place === null) return null;
    if (opening.has(number)) throw new NotPlain('an object inside itself');
    opening.add(number);
    const value = 'offset' in place ? objectFrom(place.offset, number) : containerAt(place.container)[place.index];
    opening.delete(number);
    if (value === undefined) throw new NotPlain('an object that is not where it should be');
    objects.set(number, value);
    return value;
  }

  function objectFrom(offset: number, number?: number): Value {
    lexer.position = offset;
    const head = [lexer.next(), lexer.next(), lexer.next()];
    const isHead = typeof head[0] === 'number' && typeof head[1] === 'number' && head[2] instanceof Word && head[2].text === 'obj';
    if (!isHead || (number !== undefined && head[0] !== number)) throw new NotPlain('an object that is not where it should be');
    const value = lexer.next();
    if (value instanceof Word) {
      if (value.text === 'null' || value.text === 'endobj') return null;
      throw new NotPlain('an object that is a word');
    }
    if (value === undefined) throw new NotPlain('an object without an end');
    if (!(value instanceof Map)) return value;
    const after = lexer.next();
    if (!(after instanceof Word) || after.text !== 'stream') return value;
    let start = lexer.position;
    if (bytes[start] === 13) start++;
    if (bytes[start] === 10) start++;
    return new Stream(value, start);
  }

  /** The objects of an object stream, in its order. */
  function containerAt(number: number): readonly Value[] {
    const known = containers.get(number);
    if (known !== undefined) return known;
    const stream = objectAt(number);
    if (!(stream instanceof Stream)) throw new NotPlain('an object stream that is none');
    const count = file.get(stream.dict, 'N');
    const first = file.get(stream.dict, 'First');
    if (typeof count !== 'number' || typeof first !== 'number' || count > objectsMax) throw new NotPlain('an odd object stream');
    const decoded = file.bytesOf(stream);
    const inside = createLexer(decoded, budget, true);
    const offsets: number[] = [];
    budget.spend(count);
    for (let index = 0; index < count; index++) {
      const [, offset] = [inside.next(), inside.next()];
      if (typeof offset !== 'number') throw new NotPlain('an odd object stream');
      offsets.push(first + offset);
    }
    const values = offsets.map((offset): Value => {
      inside.position = offset;
      const value = inside.next();
      if (value instanceof Word && value.text === 'null') return null;
      if (value === undefined || value instanceof Word) throw new NotPlain('an odd object stream');
      return value;
    });
    containers.set(number, values);
    return values;
  }

  /* The newest table first: what it says of an object holds. */

  function readTables(): Dict {
    const tail = bytes.toString('latin1', Math.max(0, bytes.length - 1024));
    const found = /startxref\s+(\d+)\s+%%EOF\s*$/.exec(tail);
    if (found === null) throw new NotPlain('no startxref at the end');
    let newest: Dict | undefined;
    const seen = new Set<number>();
    for (let offset: Value = Number(found[1]); typeof offset === 'number';) {
      if (seen.has(offset) || seen.size > tablesMax) throw new NotPlain('tables in a circle');
      seen.add(offset);
      const trailer = readTable(offset);
      newest ??= trailer;
      offset = trailer.get('Prev') ?? null;
    }
    return newest!;
  }

  function readTable(offset: number): Dict {
    lexer.position = offset;
    const word = lexer.next();
    if (!(word instanceof Word)) return readTableStream(offset);
    if (word.text !== 'xref') throw new NotPlain('no table where one should be');
    const { trailer, entries } = readEntries();
    // What lies in object streams is free in the table, for readers that do not know of them.
    const hybrid = trailer.get('XRefStm');
    if (typeof hybrid === 'number') readTableStream(hybrid);
    for (const [number, place] of entries) setPlace(number, place);
    return trailer;
  }

  function readEntries(): { trailer: Dict; entries: [number, Place | null][] } {
    const entries: [number, Place | null][] = [];
    for (;;) {
      const first = lexer.next();
      if (first instanceof Word && first.text === 'trailer') {
        const trailer = lexer.next();
        if (!(trailer instanceof Map)) throw new NotPlain('no trailer');
        return { trailer, entries };
      }
      const count = lexer.next();
      if (typeof first !== 'number' || typeof count !== 'number' || first + count > objectsMax) throw new NotPlain('an odd table');
      for (let number = first; number < first + count; number++) {
        const [offset, , kind] = [lexer.next(), lexer.next(), lexer.next()];
        if (typeof offset !== 'number' || !(kind instanceof Word)) throw new NotPlain('an odd table');
        budget.spend(1);
        entries.push([number, kind.text === 'n' ? { offset } : null]);
      }
    }
  }

  function readTableStream(offset: number): Dict {
    const stream = objectFrom(offset);
    if (!(stream instanceof Stream)) throw new NotPlain('no table where one should be');
    const type = stream.dict.get('Type');
    const widths = stream.dict.get('W');
    const size = stream.dict.get('Size');
    if (!(type instanceof Name) || type.text !== 'XRef' || !isNumbers(widths) || widths.length !== 3 || typeof size !== 'number')
      throw new NotPlain('an odd table');
    const index = stream.dict.get('Index') ?? [0, size];
    if (!isNumbers(index) || widths.some((width) => width < 0 || width > 6)) throw new NotPlain('an odd table');
    const data = file.bytesOf(stream);
    const [typeBytes, secondBytes, thirdBytes] = widths as [number, number, number];
    let at = 0;
    const field = (width: number, otherwise: number): number => {
      if (width === 0) return otherwise;
      at += width;
      if (at > data.length) throw new NotPlain('a table cut short');
      return data.readUIntBE(at - width, width);
    };
    for (let part = 0; part + 1 < index.length; part += 2) {
      const [first, count] = [index[part]!, index[part + 1]!];
      if (first + count > objectsMax) throw new NotPlain('an odd table');
      budget.spend(count);
      for (let number = first; number < first + count; number++) {
        const kind = field(typeBytes, 1);
        const [second, third] = [field(secondBytes, 0), field(thirdBytes, 0)];
        setPlace(number, kind === 1 ? { offset: second } : kind === 2 ? { container: second, index: third } : null);
      }
    }
    return stream.dict;
  }

  function setPlace(number: number, place: Place | null): void {
    if (!places.has(number)) places.set(number, place);
  }

  const trailer = readTables();
  if (trailer.has('Encrypt')) throw new NotPlain('an encrypted file');
  return { ...file, trailer };
}

function isNumbers(value: Value | undefined): value is readonly number[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'number');
}
