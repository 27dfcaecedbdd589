/** Scans, pictures and OFD pages with the passage marked where it stands; and what is shown of those that were read before that was kept. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bmpOfText } from '../../support/image-writer.ts';
import { makeXps, xpsGlyphs, xpsLine } from '../../support/xps-writer.ts';
import { makeOfd, ofdLine, ofdText } from '../../support/ofd-writer.ts';
import { insert, makeDataDir, removeDir, startServer, type TestServer } from '../../support/server.ts';
import { until } from '../../support/until.ts';
import { axeFindings } from '../support/axe.ts';
import { launchBrowser, openPage } from '../support/browser.ts';

const words = 'FILE TITLE LEFT';
const picture = Buffer.from(bmpOfText(words));
/** Of the picture's width: its letters are six of its columns wide, behind three. */
const columns = words.length * 6 + 6;
const titlePlace = { left: (3 + 5 * 6) / columns, right: (3 + 10 * 6 - 1) / columns };
const markup = '<script>alert(1)</script><img src=x onerror=alert(2)>';

let server: TestServer;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer({ dataDir: await makeDataDir() }), launchBrowser()]);
  await insert(server.url, 'picture', { name: 'picture.bmp', bytes: picture });
  await insert(server.url, 'upside-down', { name: 'upside-down.bmp', bytes: turnedBmp(picture) });
  await insert(server.url, 'scan', { name: 'scan.pdf', bytes: pdfOf(picture) });
  const table = [ofdLine(20, 40, 120, 40), ofdLine(20, 40, 20, 80), ofdLine(20, 80, 120, 80), ofdLine(120, 40, 120, 80)].join('');
  await insert(server.url, 'print', {
    name: 'print.xps',
    bytes: makeXps({
      pages: [[`tide table ${markup}`], xpsGlyphs({ x: 96, y: 192, text: '潮水每天涨落', size: 24 }) + xpsLine(96, 200, 400, 200)],
    }),
  });
  await insert(server.url, 'form', {
    name: 'form.ofd',
    bytes: makeOfd({
      pages: [
        [`潮汐表 ${markup}`],
        { objects: `${table}${ofdText({ x: 20, y: 30, text: '灯塔每天晚上亮' })}${ofdText({ x: 150, y: 200, text: 'curlew' })}` },
      ],
    }),
  });
});

afterAll(async () => {
  await browser.close();
  await server.stop();
  await removeDir(server.dataDir);
});

it.each(['picture', 'scan'])('a word is marked where it stands on a %s', async (docId) => {
  const { page, incidents, close } = await openPage(browser, `${server.url}/#/search?q=title&doc=${docId}`);
  await page.locator('.hit').first().click();
  await page.locator('.mark-word').first().waitFor({ state: 'attached' });

  const { left, right, top, bottom } = await placeOf(page, '.mark-word');
  expect(left).toBeCloseTo(titlePlace.left, 1);
  expect(right).toBeCloseTo(titlePlace.right, 1);
  expect(top).toBeGreaterThan(0.1);
  expect(bottom).toBeLessThan(0.9);
  const passage = await placeOf(page, '.mark-passage');
  expect(passage.left).toBeLessThan(left);
  await until('it is said', async () =>
    (await page.locator('[aria-live]').allTextContents()).includes('The passage is marked on the page.'),
  );
  expect(await axeFindings(page)).toEqual([]);
  expect(incidents).toEqual([]);
  await close();
});

it('a word is marked where it stands on a picture that lies upside down, as it is shown', async () => {
  const { page, incidents, close } = await openPage(browser, `${server.url}/#/search?q=title&doc=upside-down`);
  await page.locator('.hit').first().click();
  await page.locator('.mark-word').first().waitFor({ state: 'attached' });

  const { left, right } = await placeOf(page, '.mark-word');
  expect(left).toBeCloseTo(1 - titlePlace.right, 1);
  expect(right).toBeCloseTo(1 - titlePlace.left, 1);
  expect(incidents).toEqual([]);
  await close();
});

it('an OFD page is drawn from its texts and lines, the passage marked, page by page; nothing in it runs [S76]', async () => {
  const { page, incidents, close } = await openPage(browser, `${server.url}/#/search?q=${encodeURIComponent('灯塔')}&doc=form`);
  await page.locator('.hit').first().click();
  await page.locator('.sheet svg text').first().waitFor();

  expect(await page.locator('.sheet svg text').allTextContents()).toEqual(['灯塔每天晚上亮', 'curlew']);
  expect((await page.locator('.sheet svg path').getAttribute('d'))?.match(/M/g)).toHaveLength(4);
  // Of 210 × 297 mm: type of 4 mm that stands on a line at 20, 30, each character 4 mm wide.
  const { left, right, top, bottom } = await placeOf(page, '.mark-word');
  expect([left * 210, right * 210].map(Math.round)).toEqual([20, 28]);
  expect(top * 297).toBeCloseTo(30 - 3.4, 0);
  expect(bottom * 297).toBeCloseTo(30 + 0.6, 0);

  await page.getByRole('button', { name: 'Previous page' }).click();
  await until('the first page is drawn', async () => (await page.locator('.sheet svg').textContent())?.includes('潮汐表') === true);
  expect(await page.locator('.sheet svg').textContent()).toContain('<script>');
  expect(await page.locator('.viewer script, .viewer img, .viewer [onerror]').count()).toBe(0);
  expect(await page.locator('.mark-word').count()).toBe(0);
  await page.getByRole('button', { name: 'Larger' }).click();
  await page.getByRole('button', { name: 'Show as text' }).click();
  await page.locator('.viewer .passage').first().waitFor();
  expect(await axeFindings(page)).toEqual([]);
  expect(incidents).toEqual([]);
  await close();
});

it('an XPS page is drawn as one of an OFD is [S76]', async () => {
  const { page, incidents, close } = await openPage(browser, `${server.url}/#/search?q=${encodeURIComponent('潮水')}&doc=print`);
  await page.locator('.hit').first().click();
  await page.locator('.sheet svg text').first().waitFor();

  expect(await page.locator('.sheet svg text').allTextContents()).toEqual(['潮水每天涨落']);
  // Of 794 × 1123 units: type of 24 from 96 on, each character 24 wide.
  const { left, right } = await placeOf(page, '.mark-word');
  expect([left * 794, right * 794].map(Math.round)).toEqual([96, 144]);
  await page.getByRole('button', { name: 'Previous page' }).click();
  await until(
    'the first page is drawn',
    async () => (await page.locator('.sheet svg').textContent())?.includes('<script>') === true,
  );
  expect(await page.locator('.viewer script, .viewer img, .viewer [onerror]').count()).toBe(0);
  expect(incidents).toEqual([]);
  await close();
});

it('what was read before places were kept is shown as ever: the text marked, the picture without marks', async () => {
  const documents = join(server.dataDir, 'documents');
  for (const path of await readdir(documents, { recursive: true }))
    if (path.endsWith('pages.ndjson')) await rm(join(documents, path));

  const { page, incidents, close } = await openPage(browser, `${server.url}/#/search?q=${encodeURIComponent('灯塔')}&doc=form`);
  await page.locator('.hit').first().click();
  await page.locator('.viewer .passage').first().waitFor();
  expect(await page.locator('.sheet svg').count()).toBe(0);
  await page.goto('about:blank');
  await page.goto(`${server.url}/#/search?q=title&doc=picture`);
  await page.locator('.hit').first().click();
  await page.locator('.viewer img').waitFor();
  await page.locator('.viewer .passage').first().waitFor();
  expect(await page.locator('.mark-word').count()).toBe(0);
  expect(incidents).toEqual([]);
  await close();
});

/** Of all marks of a kind together, as shares of their sheet. */
async function placeOf(page: Page, marks: string): Promise<{ left: number; right: number; top: number; bottom: number }> {
  return page.locator(marks).evaluateAll((all) => {
    const sheet = all[0]?.closest('.sheet')?.getBoundingClientRect() ?? new DOMRect();
    const boxes = all.map((mark) => mark.getBoundingClientRect());
    return {
      left: (Math.min(...boxes.map((box) => box.left)) - sheet.left) / sheet.width,
      right: (Math.max(...boxes.map((box) => box.right)) - sheet.left) / sheet.width,
      top: (Math.min(...boxes.map((box) => box.top)) - sheet.top) / sheet.height,
      bottom: (Math.max(...boxes.map((box) => box.bottom)) - sheet.top) / sheet.height,
    };
  });
}

/** A PDF of one page that is nothing but a 24-bit BMP, as a scanner makes. */
function pdfOf(bmp: Buffer): Buffer {
  const [width, height] = [bmp.readInt32LE(18), bmp.readInt32LE(22)];
  const rowBytes = Math.ceil((width * 3) / 4) * 4;
  const grey = Buffer.alloc(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) grey[y * width + x] = bmp[54 + (height - 1 - y) * rowBytes + x * 3]!;
  const [pageWidth, pageHeight] = [width / 2, height / 2];
  const content = `q ${pageWidth} 0 0 ${pageHeight} 0 0 cm /P Do Q`;
  const objects = [
    Buffer.from('<< /Type /Catalog /Pages 2 0 R >>'),
    Buffer.from('<< /Type /Pages /Kids [3 0 R] /Count 1 >>'),
    Buffer.from(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${pageWidth} ${pageHeight}] /Contents 4 0 R /Resources << /XObject << /P 5 0 R >> >> >>`,
    ),
    Buffer.from(`<< /Length ${content.length} >>\nstream\n${content}\nendstream`),
    Buffer.concat([
      Buffer.from(
        `<< /Type /XObject /Subtype /Image /Width ${width} /Height ${height} /ColorSpace /DeviceGray /BitsPerComponent 8 /Length ${grey.length} >>\nstream\n`,
      ),
      grey,
      Buffer.from('\nendstream'),
    ]),
  ];
  const parts = [Buffer.from('%PDF-1.4\n')];
  const offsets: number[] = [];
  for (const [index, object] of objects.entries()) {
    offsets.push(Buffer.concat(parts).length);
    parts.push(Buffer.from(`${index + 1} 0 obj\n`), object, Buffer.from('\nendobj\n'));
  }
  const rows = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  const start = Buffer.concat(parts).length;
  const size = objects.length + 1;
  parts.push(
    Buffer.from(
      `xref\n0 ${size}\n0000000000 65535 f \n${rows}trailer\n<< /Root 1 0 R /Size ${size} >>\nstartxref\n${start}\n%%EOF\n`,
    ),
  );
  return Buffer.concat(parts);
}

/** Half a turn: its points in the opposite order. Rows of the picture have no bytes besides. */
function turnedBmp(bmp: Buffer): Buffer {
  const turned = Buffer.from(bmp);
  const points = bmp.subarray(54);
  for (let at = 0; at < points.length; at += 3) points.copy(turned, turned.length - at - 3, at, at + 3);
  return turned;
}
