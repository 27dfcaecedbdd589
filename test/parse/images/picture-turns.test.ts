import { describe, expect, it } from 'vitest';
import { asNoted, busiestPart, orientationOf, quarterTurned, turnedBack } from '../../../src/parse/images/picture-turns.ts';
import { noted } from '../../support/image-writer.ts';

const picture = (rows: readonly string[]) => ({
  width: rows[0]!.length,
  height: rows.length,
  points: Uint8Array.from(rows.join(''), (point) => point.charCodeAt(0)),
});
const rowsOf = ({ width, points }: { width: number; points: Uint8Array }): string[] =>
  Array.from({ length: points.length / width }, (_, y) => String.fromCharCode(...points.subarray(y * width, (y + 1) * width)));

describe('a picture that is turned', () => {
  it('goes clockwise, and back', () => {
    const page = picture(['abc', 'def']);

    expect(rowsOf(quarterTurned(page, 1))).toEqual(['da', 'eb', 'fc']);
    expect(rowsOf(quarterTurned(page, 2))).toEqual(['fed', 'cba']);
    expect(rowsOf(quarterTurned(page, 3))).toEqual(['cf', 'be', 'ad']);
    expect(quarterTurned(page, 0)).toBe(page);
  });

  it.each([1, 2, 3] as const)('has the places of its words taken back: %i', (turn) => {
    const page = picture(['......', '..ab..', '......']);
    const on = rowsOf(quarterTurned(page, turn));
    const row = on.findIndex((each) => /[ab]/.test(each));
    const last = on.findLastIndex((each) => /[ab]/.test(each));
    const [left, right] = [on[row]!.search(/[ab]/), on[row]!.search(/[ab](?![ab])/) + 1];
    const word = { line: '1', paragraph: '1', left, right, top: row, height: last - row + 1, sureness: 90, text: 'ab' };

    expect(turnedBack([word], turn, page)).toEqual([{ ...word, left: 2, right: 4, top: 1, height: 1 }]);
  });

  it('is shown as the note of its camera says', () => {
    const page = picture(['abc', 'def']);
    const shown = [1, 2, 3, 4, 5, 6, 7, 8].map((note) => rowsOf(asNoted(page, note)).join(' '));

    expect(shown).toEqual(['abc def', 'cba fed', 'fed cba', 'def abc', 'ad be cf', 'da eb fc', 'fc eb da', 'cf be ad']);
  });

  it('has its note in a JPEG, a PNG or a WebP, in either order of bytes', () => {
    for (const kind of ['jpeg', 'png', 'webp'] as const)
      for (const order of ['II', 'MM'] as const) expect(orientationOf(noted(kind, 6, order))).toBe(6);
    expect(orientationOf(noted('jpeg', 6, 'MM').subarray(0, 20))).toBe(1);
    expect(orientationOf(Buffer.from('P5\n1 1\n255\n0'))).toBe(1);
  });

  it('is tried by the part with most edges; a small one as a whole', () => {
    const [width, height] = [1500, 2000];
    const points = new Uint8Array(width * height).fill(255);
    for (let y = 1500; y < 1900; y += 2) points.fill(0, y * width + 900, y * width + 1400);
    const part = busiestPart({ width, height, points });

    expect([part.width, part.height]).toEqual([700, 700]);
    expect(part.points.filter((point) => point === 0)).toHaveLength(200 * 500);
    const small = picture(['abc']);
    expect(busiestPart(small)).toBe(small);
  });
});
