import { describe, expect, it } from 'vitest';
import { identity } from '../../../../src/parse/pdf/matrix.ts';
import { piecesMax } from '../../../../src/parse/pdf/layout/page-rules.ts';
import { createPaths } from '../../../../src/parse/pdf/fast-path/paths.ts';

describe('A path', () => {
  it('that is stroked has its straight pieces, the closing one too', () => {
    const paths = createPaths();
    paths.moveTo(identity, 0, 0);
    paths.lineTo(identity, 10, 0);
    paths.lineTo(identity, 10, 5);
    paths.close();
    expect(paths.paint(identity, 2)).toBe(true);
    expect(paths.painted).toEqual([
      {
        box: [-1, -1, 11, 6],
        lines: [
          [0, 0, 10, 0],
          [10, 0, 10, 5],
          [10, 5, 0, 0],
        ],
      },
    ]);
  });

  it('that is closed without end takes no more memory', () => {
    const paths = createPaths();
    paths.moveTo(identity, 0, 0);
    paths.lineTo(identity, 10, 0);
    for (let count = 0; count < 10_000; count++) paths.close();
    paths.paint(identity, 1);
    expect(paths.painted[0]!.lines.length).toBeLessThanOrEqual(piecesMax + 1);
  });

  it('of more pieces than a table has keeps its box alone', () => {
    const paths = createPaths();
    paths.moveTo(identity, 0, 0);
    for (let count = 0; count <= piecesMax; count++) paths.lineTo(identity, count, 0);
    paths.paint(identity, 1);
    expect(paths.painted[0]).toEqual({ box: [-0.5, -0.5, piecesMax + 0.5, 0.5], lines: [] });
  });

  it('that is forgotten, or never begun, is not painted', () => {
    const paths = createPaths();
    paths.lineTo(identity, 10, 0);
    paths.forget();
    expect(paths.paint(identity, 1)).toBe(false);
    expect(paths.painted).toEqual([]);
  });
});
