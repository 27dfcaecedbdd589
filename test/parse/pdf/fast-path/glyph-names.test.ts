import { describe, expect, it } from 'vitest';
import { characterOf, encodings } from '../../../../src/parse/pdf/fast-path/glyph-names.ts';

describe('characterOf', () => {
  it.each([
    ['A', 'A'],
    ['space', ' '],
    ['eacute', 'é'],
    ['Tcommaaccent', 'Ţ'],
    ['Euro', '€'],
    ['quotedblleft', '“'],
    ['afii10017', 'А'],
    ['afii10065', 'а'],
    ['alpha', 'α'],
    ['Adotbelow', 'Ạ'],
    ['lessequal', '≤'],
  ])('reads the name %s of the Adobe Glyph List', (name, text) => {
    expect(characterOf(name)).toBe(text);
  });

  it.each([
    ['dotlessj', 'ȷ'],
    ['visiblespace', '␣'],
    ['parenleftbig', '('],
    ['ceilingleftBigg', '⌈'],
    ['summationdisplay', '∑'],
    ['integraltext', '∫'],
    ['epsilon1', 'ϵ'],
    ['arrowright', '→'],
    ['lessmuch', '≪'],
    ['circlemultiply', '⊗'],
    ['negationslash', '\u0338'],
  ])('reads the name %s of the fonts of TeX', (name, text) => {
    expect(characterOf(name)).toBe(text);
  });

  it('reads ligatures as their letters', () => {
    expect(['fi', 'fl', 'ff', 'ffi', 'ffl', 'f_f_i', 'T_h'].map(characterOf)).toEqual([
      'fi',
      'fl',
      'ff',
      'ffi',
      'ffl',
      'ffi',
      'Th',
    ]);
  });

  it('reads variants as their character', () => {
    expect(['a.sc', 'one.oldstyle', 'oneoldstyle', 'Asmall', 'f_i.alt'].map(characterOf)).toEqual(['a', '1', '1', 'A', 'fi']);
  });

  it('reads names that spell code points', () => {
    expect(['uni20AC', 'uni004100420308', 'u1F600', 'u0041', 'u10FFFF'].map(characterOf)).toEqual([
      '€',
      'AB̈',
      '😀',
      'A',
      '\u{10ffff}',
    ]);
  });

  it('leaves out the unknown part of a name of several', () => {
    expect(characterOf('A_g12_B')).toBe('AB');
  });

  it.each(['parenlefttp', 'parenleftex', 'bracerightmid', 'arrowvertex'])(
    'reads no text from %s, a piece of a tall bracket',
    (name) => {
      expect(characterOf(name)).toBe('');
    },
  );

  it.each([
    '',
    '.notdef',
    '.null',
    'g12',
    'a23',
    'cid123',
    'C0001',
    'G41',
    'uniD800',
    'uni20ac',
    'uni004',
    'u110000',
    'uDFFF',
    'g1_g2',
  ])('reads nothing from the name "%s"', (name) => {
    expect(characterOf(name)).toBeUndefined();
  });
});

describe('encodings', () => {
  const at = (encoding: keyof typeof encodings, ...codes: number[]) => codes.map((code) => encodings[encoding][code]);

  it('gives 256 codes each', () => {
    expect(Object.values(encodings).map((codes) => codes.length)).toEqual([256, 256, 256]);
  });

  it('reads StandardEncoding', () => {
    expect(at('StandardEncoding', 0x1f, 0x27, 0x41, 0x60, 0xa9, 0xae, 0xb0, 0xc1, 0xd0, 0xe1, 0xf5, 0xfb, 0xff)).toEqual([
      undefined,
      '’',
      'A',
      '‘',
      "'",
      'fi',
      undefined,
      '`',
      '—',
      'Æ',
      'ı',
      'ß',
      undefined,
    ]);
  });

  it('reads WinAnsiEncoding, with bullets at its unused codes', () => {
    expect(at('WinAnsiEncoding', 0x1f, 0x27, 0x7f, 0x80, 0x81, 0x92, 0x9d, 0x9f, 0xa0, 0xad, 0xe9)).toEqual([
      undefined,
      "'",
      '•',
      '€',
      '•',
      '’',
      '•',
      'Ÿ',
      ' ',
      '-',
      'é',
    ]);
  });

  it('reads MacRomanEncoding', () => {
    expect(at('MacRomanEncoding', 0x41, 0x7f, 0x80, 0x8e, 0xca, 0xdb, 0xde, 0xdf, 0xf0, 0xff)).toEqual([
      'A',
      undefined,
      'Ä',
      'é',
      ' ',
      '¤',
      'fi',
      'fl',
      undefined,
      'ˇ',
    ]);
  });
});
