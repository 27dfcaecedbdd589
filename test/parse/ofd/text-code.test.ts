import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { placeCharacters } from '../../../src/parse/ofd/text-code.ts';

const plain = { x: 0, y: 0, deltaX: undefined, deltaY: undefined, size: 4, hScale: 1 };

/** Steps as numbers, and written with runs of equal ones as `g count value`. */
const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: -80, max: 80 })), { maxLength: 8 });

describe('placeCharacters', () => {
  it('means the same by repeated steps as by steps written out', () => {
    fc.assert(
      fc.property(steps, (runs) => {
        const short = runs.map(([count, value]) => (count === 1 ? `${value / 4}` : `g ${count} ${value / 4}`)).join(' ');
        const long = runs.flatMap(([count, value]) => Array.from({ length: count }, () => value / 4));
        const text = 'x'.repeat(long.length + 1);

        const placed = [...placeCharacters({ ...plain, text, deltaX: short }).characters];

        expect(placed.map(({ x }) => x)).toEqual(long.reduce<number[]>((places, step) => [...places, places.at(-1)! + step], [0]));
      }),
    );
  });

  it('gives each character once, in order, whatever the steps are', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 20 }),
        fc.string({ maxLength: 20 }),
        fc.string({ maxLength: 20 }),
        (text, deltaX, deltaY) => {
          const characters = [...placeCharacters({ ...plain, text, deltaX, deltaY }).characters];

          expect(characters.map((each) => each.text).join('')).toBe(text);
          expect(characters.every(({ x, y, advance }) => [x, y, advance].every(Number.isFinite))).toBe(true);
        },
      ),
    );
  });

  it('does not count out a count that is a lie', () => {
    const characters = [...placeCharacters({ ...plain, text: 'ab', deltaX: 'g 999999999999 2' }).characters];

    expect(characters.map(({ x }) => x)).toEqual([0, 2]);
  });
});
