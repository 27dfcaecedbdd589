import { describe, expect, it } from 'vitest';
import { createBudget, NotPlain } from '../../../../src/parse/pdf/fast-path/objects.ts';
import { readToUnicode } from '../../../../src/parse/pdf/fast-path/to-unicode.ts';

function read(map: string, valuesMax = 1000): [number, string][] {
  return [...readToUnicode(Buffer.from(map, 'latin1'), createBudget(valuesMax))];
}

const characters = (pairs: string) => `1 beginbfchar ${pairs} endbfchar`;
const ranges = (triples: string) => `1 beginbfrange ${triples} endbfrange`;

describe('readToUnicode', () => {
  it('reads a map as programs write it', () => {
    const map = `/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def % a comment
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <ffff>
endcodespacerange
2 beginbfchar
<0003> <0020>
<0024> <0041>
endbfchar
1 beginbfrange
<0044> <0046> <0061>
endbfrange
1 beginbfchar
<0100> <4e2d>
endbfchar
endcmap
CMapName currentdict /CMap defineresource pop
end
end`;
    expect(read(map)).toEqual([
      [3, ' '],
      [0x24, 'A'],
      [0x44, 'a'],
      [0x45, 'b'],
      [0x46, 'c'],
      [0x100, '中'],
    ]);
  });

  it('reads codes of one and of two bytes', () => {
    expect(read(characters('<41> <0042> <4142> <0043>'))).toEqual([
      [0x41, 'B'],
      [0x4142, 'C'],
    ]);
  });

  it('reads the letters of ligatures, and characters past the first 65,536', () => {
    expect(read(characters('<01> <006600660069> <02> <d83dde00>'))).toEqual([
      [1, 'ffi'],
      [2, '😀'],
    ]);
  });

  it('reads one byte alone as a character, and no bytes as no text', () => {
    expect(read(characters('<01> <41> <02> <>'))).toEqual([
      [1, 'A'],
      [2, ''],
    ]);
  });

  it('counts the last character of a range up', () => {
    expect(read(ranges('<01> <03> <00660069> <10> <11> <d83dde00>'))).toEqual([
      [1, 'fi'],
      [2, 'fj'],
      [3, 'fk'],
      [0x10, '😀'],
      [0x11, '😁'],
    ]);
  });

  it('reads ranges whose texts are listed', () => {
    expect(read(ranges('<05> <07> [<0041> <00420043> <0044>]'))).toEqual([
      [5, 'A'],
      [6, 'BC'],
      [7, 'D'],
    ]);
  });

  it('takes the later of two texts of one code', () => {
    expect(read(`${characters('<01> <0041>')} ${ranges('<01> <01> <0042>')}`)).toEqual([[1, 'B']]);
  });

  it('reads nothing from an empty map, and from ranges that end before they begin', () => {
    expect(read('')).toEqual([]);
    expect(read(ranges('<05> <04> <0041>'))).toEqual([]);
  });

  it.each([
    ['a map that goes on in another', '/Adobe-Japan1-UCS2 usecmap'],
    ['a code that is no string', characters('1 <0041>')],
    ['a text that is no string', characters('<01> /A')],
    ['a range that begins with a number', ranges('1 <02> <0041>')],
    ['a range that ends in a number', ranges('<01> 2 <0041>')],
    ['a range to a name', ranges('<01> <02> /A')],
    ['a range past the last character', ranges('<00> <01> <dbffdfff>')],
    ['a range of more codes than two bytes have', ranges('<000000> <010000> <0041>')],
    ['more than 10,000 values at once', characters('<01> <0041> '.repeat(5001))],
    ['a string without an end', characters('<01> <00')],
    ['a stray brace', '{'],
  ])('is not sure of %s', (_, map) => {
    expect(() => read(map, 100_000)).toThrow(NotPlain);
  });

  it('spends its budget on every code', () => {
    expect(read(ranges('<00> <63> <0041>'), 100)).toHaveLength(100);
    expect(() => read(ranges('<00> <63> <0041>'), 99)).toThrow(NotPlain);
    expect(() => read(characters('<01> <0041> '.repeat(10)), 9)).toThrow(NotPlain);
  });
});
