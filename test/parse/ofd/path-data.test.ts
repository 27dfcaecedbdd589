import { expect, it } from 'vitest';
import { segmentsOf } from '../../../src/parse/ofd/path-data.ts';

it('gives the pieces of a path, closed where it says so, curves by their ends', () => {
  expect(segmentsOf('M 0 0 L 70 0 L 70 30 C')).toEqual([
    [0, 0, 70, 0],
    [70, 0, 70, 30],
    [70, 30, 0, 0],
  ]);
  expect(segmentsOf('M1 2B 0 0 9 9 3 4Q 5 5 6 7 A 1 1 0 0 1 8 9')).toEqual([
    [1, 2, 3, 4],
    [3, 4, 6, 7],
    [6, 7, 8, 9],
  ]);
});

it('stops at what is no path, and leaves out pictures', () => {
  expect(segmentsOf('M 0 0 L 1 x L 2 2')).toEqual([]);
  expect(segmentsOf(`M 0 0${' L 1 1'.repeat(1000)}`)).toEqual([]);
});
