/** Scans that lie on a side or upside down, read by the OCR that comes with the program: pages of text drawn by Chromium. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDocumentParser } from '../../../src/parse/document-parser.ts';
import { readPng, writePgm } from '../../../src/parse/images/grey-picture.ts';
import type { Ocr } from '../../../src/parse/images/ocr.ts';
import { quarterTurned } from '../../../src/parse/images/picture-turns.ts';
import type { SeenText } from '../../../src/parse/images/seen-page.ts';
import { createWasmOcr } from '../../../src/parse/images/wasm-ocr.ts';
import { pdfOfPictures, scanOfLines, scanTexts } from '../../bench/ocr-pages.ts';
import { withNote } from '../../support/image-writer.ts';
import { parseBytes } from '../../support/parse.ts';
import { launchBrowser } from '../support/browser.ts';

let browser: Browser;
let ocr: Ocr;
const pages = new Map<string, Buffer>();

beforeAll(async () => {
  browser = await launchBrowser();
  ocr = createWasmOcr({ languages: '', timeoutMs: 300_000 })!;
  for (const text of Object.keys(scanTexts))
    pages.set(text, await scanOfLines(browser, linesOf(text), { dpi: 130, kind: 'clean' }));
});
afterAll(() => browser.close());

function linesOf(text: string): string[] {
  return scanTexts[text]!.slice(0, 3);
}

type Read = { readonly text: string; readonly seen: SeenText; readonly isDoubtful: boolean };

async function read(picture: Uint8Array): Promise<Read> {
  let seen: SeenText | null = null;
  let isDoubtful = false;
  const text = await ocr.read(
    picture,
    (places) => {
      seen = places;
    },
    () => {
      isDoubtful = true;
    },
  );
  return { text, seen: seen!, isDoubtful };
}

/** Drawn by Chromium onto a sheet that lies so. */
async function turnedTo(picture: Buffer, quarters: 0 | 1 | 2 | 3, kind: 'image/png' | 'image/jpeg'): Promise<Buffer> {
  const page = await browser.newPage();
  try {
    const url = await page.evaluate(
      async ({ source, turns, type }) => {
        const image = new Image();
        image.src = source;
        await image.decode();
        const canvas = document.createElement('canvas');
        const [across, down] = [image.width, image.height];
        [canvas.width, canvas.height] = turns % 2 === 0 ? [across, down] : [down, across];
        const context = canvas.getContext('2d')!;
        context.translate(canvas.width / 2, canvas.height / 2);
        context.rotate((turns * Math.PI) / 2);
        context.drawImage(image, -across / 2, -down / 2);
        return canvas.toDataURL(type, 0.95);
      },
      { source: `data:image/png;base64,${picture.toString('base64')}`, turns: quarters, type: kind },
    );
    return Buffer.from(url.slice(url.indexOf(',') + 1), 'base64');
  } finally {
    await page.close();
  }
}

describe('a scan', () => {
  it.each([
    { text: 'English', turns: [1, 2, 3] as const },
    { text: 'simplified Chinese', turns: [1] as const },
    { text: 'traditional Chinese', turns: [3] as const },
    { text: 'mixed', turns: [2] as const },
  ])('says the same on a side or upside down, each word in its place: $text, $turns', async ({ text, turns }) => {
    const page = readPng(pages.get(text)!)!;
    const upright = await read(writePgm(page));
    expect(upright.isDoubtful).toBe(false);
    expect(upright.text.length).toBeGreaterThan(80);
    const [, left, top, right, bottom] = upright.seen.texts[0]!;

    for (const turn of turns) {
      const shown = quarterTurned(page, turn);
      const { text: said, seen, isDoubtful } = await read(writePgm(shown));

      expect(said).toBe(upright.text);
      expect(isDoubtful).toBe(false);
      expect([seen.width, seen.height]).toEqual([shown.width, shown.height]);
      const first = {
        1: [page.height - bottom, left, page.height - top, right],
        2: [page.width - right, page.height - bottom, page.width - left, page.height - top],
        3: [top, page.width - right, bottom, page.width - left],
      }[turn];
      for (const [at, edge] of seen.texts[0]!.slice(1).entries()) expect(Math.abs(Number(edge) - first[at]!)).toBeLessThan(10);
    }
  });

  it('is read as its camera notes how it was held, and where that note is wrong or missing', async () => {
    const lying = await turnedTo(pages.get('English')!, 3, 'image/jpeg');
    const upsideDown = await turnedTo(pages.get('simplified Chinese')!, 2, 'image/jpeg');

    const [right, wrong, missing] = [await read(withNote(lying, 6)), await read(withNote(lying, 8)), await read(lying)];
    for (const { text } of [right, wrong, missing]) expect(text).toContain('names the person, the day and the reason');
    // Shown upright, upside down, and as it lies.
    expect(right.seen.height).toBeGreaterThan(right.seen.width);
    expect(right.seen.texts[0]![2]).toBeLessThan(right.seen.height / 2);
    expect(wrong.seen.height).toBeGreaterThan(wrong.seen.width);
    expect(wrong.seen.texts[0]![2]).toBeGreaterThan(wrong.seen.height / 2);
    expect(missing.seen.width).toBeGreaterThan(missing.seen.height);
    expect((await read(withNote(upsideDown, 3))).text).toContain('凡是要带出大楼的文件');
    expect((await read(upsideDown)).text).toContain('凡是要带出大楼的文件');
  });

  it('lies otherwise in a PDF than its neighbours, and each is read; a page of noise is named', async () => {
    const noise = await browser.newPage().then(async (page) => {
      await page.setContent(
        '<body style="margin:0"><svg width="794" height="1123"><filter id="n"><feTurbulence baseFrequency="0.2"/><feColorMatrix values="0 0 0 0 0  0 0 0 0 0  0 0 0 0 0  4 0 0 0 -1.6"/></filter><rect width="794" height="1123" fill="white"/><rect width="794" height="1123" filter="url(#n)"/></svg>',
      );
      return page.screenshot();
    });
    const pictures = [pages.get('English')!, await turnedTo(pages.get('simplified Chinese')!, 2, 'image/png'), noise];
    const parsed = await parseBytes(createDocumentParser({ ocr }), await pdfOfPictures(browser, pictures), {
      filename: 'book.pdf',
    });

    expect(parsed.markdown).toContain('names the person, the day and the reason');
    expect(parsed.markdown).toContain('凡是要带出大楼的文件');
    expect(parsed.looks?.map(({ page }) => page).slice(0, 2)).toEqual([1, 2]);
    expect(parsed.warnings).toEqual(['Pages that OCR could not read with any certainty, if at all: 3']);
  });
});
