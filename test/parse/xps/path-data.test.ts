import { expect, it } from 'vitest';
import type { XmlNode } from '../../../src/parse/containers/xml.ts';
import { segmentsOf, segmentsOfGeometry } from '../../../src/parse/xps/path-data.ts';

it('gives the pieces of a path, relative or not, without letters again, closed where it says so, curves by their ends', () => {
  const square = [
    [1, 2, 11, 2],
    [11, 2, 11, 12],
    [11, 12, 1, 12],
    [1, 12, 1, 2],
  ];
  expect(segmentsOf('F1 M 1,2 L 11,2 11,12 1,12 Z')).toEqual(square);
  expect(segmentsOf('f 0m1,2h10v10H1z')).toEqual(square);
  expect(segmentsOf('M1-2 l 3.5.5 c 1,1,2,2,1e1,4 Q 0,0 5,6 A 1,1 0 0 1 8,9 S 1,1 7,7')).toEqual([
    [1, -2, 4.5, -1.5],
    [4.5, -1.5, 14.5, 2.5],
    [14.5, 2.5, 5, 6],
    [5, 6, 8, 9],
    [8, 9, 7, 7],
  ]);
});

it('reads the same where it is written as elements', () => {
  const segments: XmlNode[] = [
    { name: 'PolyLineSegment', attributes: { Points: '11,2 11,12' }, children: [] },
    { name: 'PolyBezierSegment', attributes: { Points: '0,0 0,0 1,12' }, children: [] },
    { name: 'ArcSegment', attributes: { Point: '1,5', Size: '1,1' }, children: [] },
  ];
  const figure: XmlNode = { name: 'PathFigure', attributes: { StartPoint: '1,2', IsClosed: 'true' }, children: segments };

  expect(segmentsOfGeometry({ name: 'PathGeometry', attributes: {}, children: [figure] })).toEqual([
    [1, 2, 11, 2],
    [11, 2, 11, 12],
    [11, 12, 1, 12],
    [1, 12, 1, 5],
    [1, 5, 1, 2],
  ]);
});

it('stops at what is no path, and leaves out pictures', () => {
  expect(segmentsOf('{StaticResource a}')).toEqual([]);
  expect(segmentsOf('M 0,0 L 1')).toEqual([]);
  for (const piece of [' L 1,1', ' 1 1', 'z', ' M 1,1 z']) {
    expect(segmentsOf(`M 0,0${piece.repeat(400)}`)).toHaveLength(400);
    expect(segmentsOf(`M 0,0${piece.repeat(401)}`)).toEqual([]);
  }
});
