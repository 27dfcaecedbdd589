import { describe, expect, it } from 'vitest';
import { mixedSource } from '../../../src/parse/pdf/mixed-source.ts';
import type { PdfSource } from '../../../src/parse/pdf/pdf-source.ts';

const bounds = { glyphsMax: 1000, charactersMax: 1000, checkTime: () => undefined, isLate: () => false };
const box = { left: 0, top: 0, right: 9, bottom: 9 };

/** Says who read which page; refuses the pages that `refuses` names. */
function source(name: string, log: string[], refuses: (page: number) => boolean = () => false): PdfSource {
  return {
    pageCount: 20,
    title: () => name,
    author: () => '',
    language: () => '',
    attachments: () => [],
    bookmarks: () => [],
    fonts: { teachers: () => [], outdated: () => [] },
    async readPage(number) {
      log.push(`${name} ${number}`);
      if (refuses(number)) throw new Error('not plain');
      return {
        text: { frames: [], glyphCount: 0, unmappedCount: 0, garbledCount: 0 },
        repairedCount: 0,
        pictureShare: 0,
        pictures: [],
        box,
        objectCount: 0,
        drawn: [],
      };
    },
  };
}

async function readAll(refuses: (page: number) => boolean): Promise<{ log: string[]; opened: number }> {
  const log: string[] = [];
  let opened = 0;
  const mixed = mixedSource(source('plain', log, refuses), async () => {
    opened++;
    return source('PDFium', log);
  });
  for (let page = 1; page <= mixed.pageCount; page++) await mixed.readPage(page, bounds, () => []);
  return { log, opened };
}

describe('A file of plain and other pages', () => {
  it('is read without PDFium when all are plain', async () => {
    const { log, opened } = await readAll(() => false);
    expect(opened).toBe(0);
    expect(log).toHaveLength(20);
  });

  it('has only its other pages read by PDFium, which is opened once', async () => {
    const { log, opened } = await readAll((page) => page % 5 === 0);
    expect(opened).toBe(1);
    expect(log.filter((line) => line.startsWith('PDFium'))).toEqual(['PDFium 5', 'PDFium 10', 'PDFium 15', 'PDFium 20']);
  });

  it('is left to PDFium when its first pages are not plain', async () => {
    const { log } = await readAll(() => true);
    expect(log.filter((line) => line.startsWith('plain'))).toEqual(['plain 1', 'plain 2', 'plain 3', 'plain 4']);
    expect(log.filter((line) => line.startsWith('PDFium'))).toHaveLength(20);
  });

  it('has its attached files unpacked by PDFium, though its pages are read without', async () => {
    const log: string[] = [];
    const note = { name: 'note.txt', bytes: () => Buffer.from('a note') };
    const plain: PdfSource = {
      ...source('plain', log),
      attachments() {
        throw new Error('not plain');
      },
    };
    const mixed = mixedSource(plain, () => Promise.resolve({ ...source('PDFium', log), attachments: () => [note] }));
    await mixed.readPage(1, bounds, () => []);

    expect(await mixed.attachments()).toEqual([note]);
    expect(log).toEqual(['plain 1']);
  });
});
