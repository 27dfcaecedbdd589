import { deflateSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPgm, readPng, straightened, withoutSpecks, writePgm } from '../../../src/parse/images/grey-picture.ts';

const picture = (width: number, rows: readonly string[]) => ({
  width,
  height: rows.length,
  points: Uint8Array.from(rows.join(''), (point) => (point === '#' ? 0 : 255)),
});
const drawn = ({ width, points }: { width: number; points: Uint8Array }): string[] =>
  Array.from({ length: points.length / width }, (_, y) =>
    [...points.subarray(y * width, (y + 1) * width)].map((point) => (point < 128 ? '#' : '.')).join(''),
  );

describe('a picture of grey points', () => {
  it('is the same after it was written and read', () => {
    const page = picture(3, ['#..', '.#.']);

    expect(readPgm(writePgm(page))).toEqual({ ...page, points: Buffer.from(page.points) });
    expect(readPgm(Buffer.from('P5\n3 3\n255\n'))).toBeNull();
  });

  it('loses specks of one or two points and keeps strokes, rings and crossings', () => {
    expect(drawn(withoutSpecks(picture(7, ['.......', '.#...#.', '.....#.', '.......', '.......'])))).toEqual(
      Array(5).fill('.......'),
    );
    const strokes = ['.......', '.#####.', '.#####.', '.......', '..###..', '..#.#..', '..###..', '.......'];
    const crossing = ['.......', '...#...', '..###..', '...#...', '.......'];
    expect(drawn(withoutSpecks(picture(7, [...strokes, ...crossing])))).toEqual([...strokes, ...crossing]);
  });

  it('is not changed itself when its specks are taken, also where a file is its points', () => {
    const rows = ['.......', '.#.#.#.', '.......', '.......'];
    const page = readPgm(writePgm(picture(7, rows)))!;

    expect(drawn(withoutSpecks(page))).toEqual(Array(4).fill('.......'));
    expect(drawn(page)).toEqual(rows);
  });

  it('is left alone where hardly a speck is on it: those are full stops', () => {
    const page = picture(
      100,
      Array.from({ length: 100 }, (_, y) => (y === 50 ? '#'.padStart(60, '.').padEnd(100, '.') : '.'.repeat(100))),
    );

    expect(withoutSpecks(page)).toBe(page);
  });

  it('is turned until its lines are level, and left alone where they are', () => {
    const lines = (degrees: number) => {
      const [width, height] = [600, 400];
      const slope = Math.tan((degrees * Math.PI) / 180);
      const points = new Uint8Array(width * height).fill(255);
      for (let x = 50; x < 550; x++)
        for (let line = 80; line < 330; line += 25)
          for (let y = 0; y < 8; y++) points[Math.round(line + y + (x - width / 2) * slope) * width + x] = 0;
      return { width, height, points };
    };
    const inkyRows = ({ width, points }: { width: number; points: Uint8Array }): number =>
      Array.from({ length: points.length / width }, (_, y) => points.subarray(y * width, (y + 1) * width)).filter((row) =>
        row.some((point) => point < 128),
      ).length;

    expect(inkyRows(lines(2))).toBeGreaterThan(200);
    expect(inkyRows(straightened(lines(2)))).toBeLessThan(120);
    expect(inkyRows(straightened(lines(-3)))).toBeLessThan(120);
    const level = lines(0);
    expect(straightened(level)).toBe(level);
  });

  it('is read from a PNG by every filter', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 4 }),
        fc.array(fc.uint8Array({ minLength: 5, maxLength: 5 }), { minLength: 2, maxLength: 6 }),
        (filter, rows) => {
          expect(readPng(greyPng(rows, filter))?.points).toEqual(Uint8Array.from(rows.flatMap((row) => Array.from(row))));
        },
      ),
    );
    expect(readPng(Buffer.from('no picture'))).toBeNull();
    const whole = greyPng([new Uint8Array(5), new Uint8Array(5)], 0);
    for (let length = 0; length < whole.length - 4; length++) expect(readPng(whole.subarray(0, length))).toBeNull();
  });
});

/** PNG (RFC 2083, section 6): each byte less what its filter foretells. */
function greyPng(rows: readonly Uint8Array[], filter: number): Buffer {
  const width = rows[0]!.length;
  const filtered = rows.map((row, y) =>
    Buffer.from([
      filter,
      ...row.map((point, x) => {
        const [left, above, corner] = [row[x - 1] ?? 0, rows[y - 1]?.[x] ?? 0, rows[y - 1]?.[x - 1] ?? 0];
        const guess = left + above - corner;
        const nearest = [left, above, corner].toSorted((a, b) => Math.abs(guess - a) - Math.abs(guess - b))[0]!;
        return point - [0, left, above, (left + above) >> 1, nearest][filter]!;
      }),
    ]),
  );
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(rows.length, 4);
  header[8] = 8;
  const part = (name: string, data: Buffer): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    return Buffer.concat([length, Buffer.from(name), data, Buffer.alloc(4)]);
  };
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    part('IHDR', header),
    part('IDAT', deflateSync(Buffer.concat(filtered))),
  ]);
}
