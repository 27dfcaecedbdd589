import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readFontFile } from '../../../src/parse/xps/font-file.ts';
import { hiddenFont, makeFont } from '../../support/xps-writer.ts';

const font = makeFont({ widths: { a: 500, 中: 1000, 𠮷: 900 }, bold: true });

it('tells widths, characters and look of a font, and of one that is hidden behind the name of its part', () => {
  const hidden = hiddenFont(font);
  for (const [name, bytes] of [['Fonts/a.ttf', font] as const, [hidden.name, hidden.data] as const]) {
    const read = readFontFile(name, bytes, 100)!;
    const glyphs = Array.from('a中𠮷', (character) => read.glyphOf(character.codePointAt(0)!));

    expect(glyphs).toEqual([1, 2, 3]);
    expect(glyphs.map((glyph) => [read.characterOf(glyph), read.advanceOf(glyph)])).toEqual([
      ['a', 0.5],
      ['中', 1],
      ['𠮷', 0.9],
    ]);
    expect([read.glyphOf(0x62), read.characterOf(99), read.look.bold]).toEqual([0, '', true]);
  }
});

it('ends on any bytes, and gives numbers', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: font.length - 1 }), fc.uint8Array({ minLength: 1, maxLength: 8 }), (at, bytes) => {
      const damaged = Buffer.from(font);
      damaged.set(bytes.subarray(0, damaged.length - at), at);
      const read = readFontFile('a.ttf', damaged, 100_000);

      if (read !== null) expect(Number.isFinite(read.advanceOf(read.glyphOf(0x61)))).toBe(true);
    }),
  );
});

it('reads no more characters than it may, whatever a few bytes claim', () => {
  const all = makeFont({ widths: { a: 500 }, stretches: [[0x100, 0x10_ffff, 2]] });

  expect([10, 1000, 100_000].map((most) => readFontFile('a.ttf', all, most)!.characterCount)).toEqual([10, 1000, 65_535]);
});
