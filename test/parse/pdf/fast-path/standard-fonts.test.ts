import { describe, expect, it } from 'vitest';
import { encodings } from '../../../../src/parse/pdf/fast-path/glyph-names.ts';
import { standardWidths } from '../../../../src/parse/pdf/fast-path/standard-fonts.ts';

const widthsIn = (font: string, text: string) => Array.from(text).map((character) => standardWidths(font)?.(character));

describe('standardWidths', () => {
  it.each([
    ['Helvetica', [667, 278, 278, 556, 1000, 611]],
    ['Helvetica-BoldOblique', [722, 278, 278, 556, 1000, 611]],
    ['Times-Roman', [722, 278, 250, 444, 1000, 500]],
    ['Times-Bold', [722, 278, 250, 444, 1000, 500]],
    ['Times-Italic', [611, 278, 250, 444, 889, 500]],
    ['Times-BoldItalic', [667, 278, 250, 444, 1000, 500]],
    ['Courier-Bold', [600, 600, 600, 600, 600, 600]],
  ])('reads the widths of %s', (font, widths) => {
    expect(widthsIn(font, 'Aì é—ø')).toEqual(widths);
  });

  it('reads every character of WinAnsiEncoding in every font', () => {
    const text = encodings.WinAnsiEncoding.filter((character) => character !== undefined).join('');
    for (const font of ['Helvetica', 'Helvetica-Bold', 'Times-Roman', 'Times-Bold', 'Times-Italic', 'Times-BoldItalic', 'Courier'])
      expect(widthsIn(font, text)).not.toContain(undefined);
  });

  it.each([
    ['Arial', 'Helvetica'],
    ['ArialMT', 'Helvetica'],
    ['Arial,Bold', 'Helvetica-Bold'],
    ['Arial-BoldMT', 'Helvetica-Bold'],
    ['Arial-BoldItalicMT', 'Helvetica-BoldOblique'],
    ['Arial,Italic', 'Helvetica-Oblique'],
    ['TimesNewRoman', 'Times-Roman'],
    ['Times New Roman', 'Times-Roman'],
    ['TimesNewRomanPSMT', 'Times-Roman'],
    ['TimesNewRomanPS-BoldMT', 'Times-Bold'],
    ['TimesNewRoman,Italic', 'Times-Italic'],
    ['TimesNewRomanPS-BoldItalicMT', 'Times-BoldItalic'],
    ['CourierNew', 'Courier'],
    ['CourierNewPS-BoldMT', 'Courier'],
    ['ABCDEF+Helvetica', 'Helvetica'],
  ])('reads %s as %s', (alias, font) => {
    expect(widthsIn(alias, 'AWfi.!?ä')).toEqual(widthsIn(font, 'AWfi.!?ä'));
  });

  it('reads ligatures, spaces and hyphens of other kinds', () => {
    const width = standardWidths('Helvetica')!;
    expect(['fi', 'ﬂ', '\u00a0', '\u00ad'].map(width)).toEqual([500, 500, 278, 333]);
  });

  it('reads nothing for a character that the font lacks', () => {
    expect(['я', '漢', '', '\u0301'].map(standardWidths('Times-Roman')!)).toEqual([undefined, undefined, undefined, undefined]);
  });

  it.each(['Symbol', 'ZapfDingbats', 'ArialNarrow', 'Arial-Black', 'HelveticaNeue', 'Calibri', 'Timesaver', ''])(
    'reads no widths of "%s"',
    (font) => {
      expect(standardWidths(font)).toBeUndefined();
    },
  );
});
