import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CharacterTable, type Collection, collections } from '../../../../src/parse/pdf/character-tables.ts';
import { readCharacterTable } from '../../../../src/parse/pdf/pdfium/character-table.ts';
import { loadPdfium, type Pdfium } from '../../../../src/parse/pdf/pdfium/pdfium.ts';
import { makePdf } from '../../../support/pdf-writer.ts';

let folder: string;
let pdfium: Pdfium;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'character-table-'));
  pdfium = await loadPdfium();
});
afterAll(() => rm(folder, { recursive: true }));

function said(table: CharacterTable, cids: readonly number[]): string {
  return cids.map((cid) => table[cid]).join('');
}

/** As pdftotext reads them, which has tables of its own. */
const known: readonly [Collection, readonly number[], string][] = [
  ['GB1', [34, 66, 1, 1875, 4162, 4559], 'Aa 国一中'],
  ['CNS1', [34, 66, 1, 595, 661, 2615], 'Aa 一中國'],
  ['Japan1', [34, 66, 1, 843, 926, 1125], 'Aa あア亜'],
  ['Korea1', [34, 66, 1, 1086, 3296], 'Aa 가한'],
];

describe('The characters of an Adobe collection', () => {
  it.each(known)('of Adobe-%s are known by their numbers', (collection, cids, text) => {
    expect(said(readCharacterTable(pdfium, collection), cids)).toBe(text);
  });

  it('are most of those that the collection has', () => {
    const counts = collections.map((each) => readCharacterTable(pdfium, each).filter((text) => text !== '').length);
    // GB1-5 has 30,284 glyphs, CNS1-4 19,088, Japan1-4 15,444, Korea1-2 18,352; some are ornaments.
    for (const [index, least] of [30_000, 17_000, 14_000, 18_000].entries()) expect(counts[index]).toBeGreaterThan(least);
  });

  it('include the letters of ligatures, and nothing that is no character', () => {
    const table = readCharacterTable(pdfium, 'Japan1');
    expect(said(table, [112, 113, 9358, 9359])).toBe('fiflffffi');
    expect([table[0], table[15_443]]).toEqual(['', '']);
    // PDFium says the number itself where it knows no character.
    expect([readCharacterTable(pdfium, 'Korea1')[8211], readCharacterTable(pdfium, 'CNS1')[14_000]]).toEqual(['', '']);
    for (const each of collections) {
      const odd = readCharacterTable(pdfium, each).filter((text) => !/^(?:[^\p{Cc}\ufffd]|f[filt]+|st)?$/u.test(text));
      expect(odd).toEqual([]);
    }
  });

  it('can be asked for while a document is open, which is read on', async () => {
    const path = join(folder, 'file.pdf');
    await writeFile(path, makePdf({ pages: [['One'], ['Two']] }));
    const file = pdfium.openDocument(path, 512, []);
    const before = pdfium.call.FPDF_GetPageCount(file.document);
    readCharacterTable(pdfium, 'GB1');
    expect([before, pdfium.call.FPDF_GetPageCount(file.document)]).toEqual([2, 2]);
    file.close();
    expect(pdfium.reusable).toBe(true);
  });

  // So often, since memory grows by whole pieces: what a document left behind showed itself after 80 times, its bytes after 120.
  it('leave nothing behind in memory', () => {
    readCharacterTable(pdfium, 'GB1');
    const before = pdfium.bytes.length;
    for (let times = 0; times < 130; times++) readCharacterTable(pdfium, 'GB1');
    expect(pdfium.bytes.length).toBe(before);
  });

  it('are refused with a sentence when PDFium has no memory left', async () => {
    const path = join(folder, 'small.pdf');
    await writeFile(path, makePdf({ pages: [['One']] }));
    const starved = await loadPdfium();
    starved.openDocument(path, 1, []).close();
    while (starved.call.malloc(65_536) !== 0);
    expect(() => readCharacterTable(starved, 'GB1')).toThrow(/needs more than 1 MB of memory/);
    expect(starved.reusable).toBe(false);
  });
});
