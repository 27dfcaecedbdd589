import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePdf } from '../../../support/pdf-writer.ts';
import { linesOf, readByPdfium } from '../../../support/plain-pdf.ts';
import { pageLines } from '../../../support/prose.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pdfium-source-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('A file that PDFium reads', () => {
  it('is read whole when its parts lie megabytes apart, and over the edges of what is read at once', async () => {
    const path = join(folder, 'large.pdf');
    const pages = Array.from({ length: 150 }, (_, page) => pageLines(page, 40));
    await writeFile(path, makePdf({ pages, padToBytes: 3_000_000 }));
    const read = await readByPdfium(path);
    expect(read.pages.map((page) => linesOf(page))).toEqual(pages);
  });
});
