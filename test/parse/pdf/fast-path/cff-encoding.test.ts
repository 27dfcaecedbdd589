import { describe, expect, it } from 'vitest';
import { readCffEncoding } from '../../../../src/parse/pdf/fast-path/cff-encoding.ts';
import { NotPlain } from '../../../../src/parse/pdf/fast-path/objects.ts';

type Bytes = readonly number[];

type Program = {
  /** From 391 on. */ readonly strings?: readonly string[];
  /** Its bytes, or the number of a predefined one. */ readonly encoding?: Bytes | number;
  readonly charset?: Bytes | number;
  /** With `.notdef`. */ readonly glyphCount?: number;
  /** Operators before the others in the dictionary of the font. */ readonly top?: Bytes;
};

const [charset, encoding, charStrings] = [15, 16, 17];

/** A font program of glyphs without outlines. */
function makeCff({ strings = [], encoding: codes, charset: names, glyphCount = 4, top = [] }: Program): Buffer {
  const own = index(strings.map((text) => [...Buffer.from(text, 'latin1')]));
  const placeOf = (value: Bytes | number, start: number) => integer(typeof value === 'number' ? value : start);
  const dict = (starts: readonly number[]): Bytes => [
    ...top,
    ...(names === undefined ? [] : [...placeOf(names, starts[0]!), charset]),
    ...(codes === undefined ? [] : [...placeOf(codes, starts[1]!), encoding]),
    ...integer(starts[2]!),
    charStrings,
  ];
  const head = (starts: readonly number[]): Bytes => [1, 0, 4, 1, ...index([[65]]), ...index([dict(starts)]), ...own, ...index([])];
  const parts = [names ?? [], codes ?? [], index(Array.from({ length: glyphCount }, () => [14]))].map((part) =>
    typeof part === 'number' ? [] : part,
  );
  const start = head([0, 0, 0]).length;
  const starts = [start, start + parts[0]!.length, start + parts[0]!.length + parts[1]!.length];
  return Buffer.from([...head(starts), ...parts.flat()]);
}

/** Offsets are of two bytes. */
function index(items: readonly Bytes[]): Bytes {
  if (items.length === 0) return [0, 0];
  let end = 1;
  const ends = items.map((item) => (end += item.length));
  return [...short(items.length), 2, ...[1, ...ends].flatMap(short), ...items.flat()];
}

const short = (value: number): Bytes => [value >> 8, value & 255];
const integer = (value: number): Bytes => [29, value >> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255];

const read = (program: Program) => readCffEncoding(makeCff(program));

describe('readCffEncoding', () => {
  it('gives names of the standard strings and of its own by code', () => {
    const names = read({
      strings: ['alpha', 'parenleftbig'],
      charset: [0, ...short(34), ...short(391), ...short(392)],
      encoding: [0, 3, 65, 11, 0],
    });
    expect([...names!]).toEqual([
      [65, 'A'],
      [11, 'alpha'],
      [0, 'parenleftbig'],
    ]);
  });

  it('reads ranges of codes', () => {
    const names = read({
      glyphCount: 6,
      charset: [0, ...[34, 35, 36, 66, 67].flatMap(short)],
      encoding: [1, 2, 10, 2, 200, 1],
    });
    expect([...names!]).toEqual([
      [10, 'A'],
      [11, 'B'],
      [12, 'C'],
      [200, 'a'],
      [201, 'b'],
    ]);
  });

  it.each([
    ['bytes', [1, ...short(66), 2, ...short(391), 0]],
    ['two bytes', [2, ...short(66), 0, 2, ...short(391), 0, 0]],
  ])('reads ranges of names, counted in %s', (_, charset) => {
    const names = read({ strings: ['own'], glyphCount: 5, charset, encoding: [0, 4, 1, 2, 3, 4] });
    expect([...names!.values()]).toEqual(['a', 'b', 'c', 'own']);
  });

  it('takes the standard names where it has no charset', () => {
    expect([...read({ encoding: [0, 3, 7, 8, 9] })!.values()]).toEqual(['space', 'exclam', 'quotedbl']);
  });

  it('has no name for a glyph that is not there', () => {
    const names = read({ glyphCount: 2, charset: [0, ...short(34)], encoding: [0, 2, 1, 2] });
    expect([...names!.values()]).toEqual(['A', '.notdef']);
  });

  it('reads past every kind of number in the dictionary', () => {
    const top = [139, 0, 247, 1, 1, 251, 1, 2, 28, 1, 2, 3, 30, 0x1a, 0x5f, 4, 139, 139, 12, 7, ...integer(-5), 12, 8];
    expect([...read({ top, encoding: [0, 1, 9] })!]).toEqual([[9, 'space']]);
  });

  it('gives nothing for the standard encoding', () => {
    expect(read({})).toBeUndefined();
    expect(read({ encoding: 0 })).toBeUndefined();
  });

  it.each<[string, Program]>([
    ['an expert encoding', { encoding: 1 }],
    ['an expert charset', { charset: 1, encoding: [0, 1, 9] }],
    ['an encoding with a supplement', { encoding: [0x80, 1, 9, 1, 10, ...short(34)] }],
    ['glyphs without names', { top: [139, 139, 139, 12, 30], encoding: [0, 1, 9] }],
  ])('is not sure of %s', (_, program) => {
    expect(() => read(program)).toThrow(NotPlain);
  });

  it('is not sure of a program that is damaged', () => {
    const whole = makeCff({ charset: [0, ...short(34), ...short(35), ...short(36)], encoding: [0, 3, 1, 2, 3] });
    for (const length of [0, 3, 10, 20]) expect(() => readCffEncoding(whole.subarray(0, length))).toThrow(NotPlain);
    expect(() => readCffEncoding(Buffer.alloc(100))).toThrow(NotPlain);
    expect(() => readCffEncoding(Buffer.alloc(100, 255))).toThrow(NotPlain);
    expect(() => read({ encoding: 60_000 })).toThrow(NotPlain);
    expect(() => read({ charset: 60_000, encoding: [0, 1, 9] })).toThrow(NotPlain);
  });
});
