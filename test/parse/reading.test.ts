import { describe, expect, it } from 'vitest';
import type { ParseLimits } from '../../src/parse/parser.ts';
import { readingOf, type ReadingSettings, readsOtherwise } from '../../src/parse/reading.ts';

const limits: ParseLimits = {
  unpackedBytesMax: 1,
  entriesMax: 2,
  ratioMax: 3,
  depthMax: 4,
  pagesMax: 5,
  cellsMax: 6,
  charactersMax: 7,
  pixelsMax: 8,
  pdfMemoryMb: 9,
  pageMs: 10,
};
const settings: ReadingSettings = { chunkTokensMax: 400, limits, ocrLanguages: ['eng'] };
const declared = { filename: 'report.pdf', declaredMediaType: 'application/pdf' };

describe('what a reading depends on', () => {
  it('is the same for the same, whatever the rest of the name and the order of the limits', () => {
    const before = readingOf('pdf', declared, settings);
    const turned = Object.fromEntries(Object.entries(limits).reverse()) as ParseLimits;

    expect(readsOtherwise(before, { ...declared, filename: '报告.PDF' }, { ...settings, limits: turned })).toBe(false);
  });

  it.each<[string, typeof declared, ReadingSettings]>([
    ['another ending of the name', { ...declared, filename: 'report.txt' }, settings],
    ['another declared type', { ...declared, declaredMediaType: 'text/plain' }, settings],
    ['a declared charset', { ...declared, declaredMediaType: 'application/pdf;charset=gbk' }, settings],
    ['another size of chunks', declared, { ...settings, chunkTokensMax: 100 }],
    ['an OCR that was not there', declared, { ...settings, ocrLanguages: ['eng', 'chi_sim'] }],
    ...Object.entries(limits).map(([name, value]): [string, typeof declared, ReadingSettings] => [
      `another ${name}`,
      declared,
      { ...settings, limits: { ...limits, [name]: value + 1 } },
    ]),
  ])('is not the same with %s', (_what, now, changed) => {
    expect(readsOtherwise(readingOf('pdf', declared, settings), now, changed)).toBe(true);
  });

  it('leaves OCR out where no picture is read, and counts it in mails, which may hold some', () => {
    const without = { ...settings, ocrLanguages: [] };

    expect(readsOtherwise(readingOf('csv', declared, settings), declared, without)).toBe(false);
    expect(readsOtherwise(readingOf('eml', declared, settings), declared, without)).toBe(true);
  });

  it('is not known of what version 0.1.0 has read, or of a format that is not read any more', () => {
    for (const before of [null, '', 'shared:0', 'wordperfect:0']) expect(readsOtherwise(before, declared, settings)).toBe(true);
  });
});
