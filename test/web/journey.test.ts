import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import { makeDataDir, removeDir, startServer, type TestServer } from '../support/server.ts';
import { launchBrowser, openPage } from './support/browser.ts';
import { chinesePdf, cmapPdf, englishPdf, otherPdf, type Sample } from './support/documents.ts';

let server: TestServer;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer({ dataDir: await makeDataDir() }), launchBrowser()]);
});

afterAll(async () => {
  await browser.close();
  await server.stop();
  await removeDir(server.dataDir);
});

/** Presses Tab until the focus is on what is wanted. */
async function tabTo(page: Page, name: string | RegExp): Promise<void> {
  const wanted = page.getByRole('button', { name }).or(page.getByRole('link', { name })).first();
  for (let presses = 0; presses < 40; presses += 1) {
    await page.keyboard.press('Tab');
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
  }
  throw new Error(`Tab never reached ${String(name)}`);
}

const focusedText = (page: Page): Promise<string> => page.evaluate(() => document.activeElement?.textContent ?? '');

describe('with the keyboard alone', () => {
  it.each([
    { language: 'en' as const, sample: englishPdf, choose: 'Choose files', done: /Completed/, pageOf: 'Page 2 of 3' },
    { language: 'zh' as const, sample: chinesePdf, choose: '选择文件', done: /已完成/, pageOf: '第 2 / 2 页' },
  ])('a file goes in and the page that answers comes out ($language)', async ({ language, sample, choose, done, pageOf }) => {
    const { page, incidents, close } = await openPage(browser, server.url, { language, width: 1440, height: 900 });
    // Early: from here on the browser hands choosers to the test.
    const chooser = page.waitForEvent('filechooser');

    await tabTo(page, choose);
    await page.keyboard.press('Enter');
    await (await chooser).setFiles({ name: sample.name, mimeType: 'application/pdf', buffer: sample.bytes });
    // The button that sends has the focus by now.
    await page.locator('.batch-head .primary:focus').waitFor();
    await page.keyboard.press('Enter');
    await page.locator('.upload-row').filter({ hasText: sample.name }).filter({ hasText: done }).waitFor();

    await page.keyboard.press('/');
    await page.locator('#query:focus').waitFor();
    await page.keyboard.type(sample.query, { delay: 20 });
    await page.locator('.hit').first().waitFor();
    await page.keyboard.press('ArrowDown');
    expect(await focusedText(page)).toContain(sample.name);
    await page.keyboard.press('Enter');
    await page.locator('.mark-word').first().waitFor();

    expect(await page.locator('.page-number').last().textContent()).toBe(pageOf);
    expect(await markedText(page, '.mark-passage')).toContain(sample.passage.replace(/\s/g, ''));
    expect(await inkOf(page)).toBeGreaterThan(500);

    await page.keyboard.press('Escape');
    await page.locator('.hit:focus').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('#query:focus').waitFor();
    await page.keyboard.press('Escape');
    expect(await page.locator('#query').inputValue()).toBe('');
    expect(incidents).toEqual([]);
    await close();
  });
});

describe('a PDF hit', () => {
  it('is drawn offline even when its font and CMap are only named, with the passage marked', async () => {
    const { page, incidents, close } = await openPage(browser, server.url, { language: 'zh' });
    await uploadAndOpen(page, cmapPdf);

    expect(await markedText(page, '.mark-passage')).toContain(cmapPdf.passage);
    expect(await inkOf(page)).toBeGreaterThan(200);
    expect(incidents).toEqual([]);
    await close();
  });

  it('keeps its marks on the words when the page is drawn larger', async () => {
    const { page, close } = await openPage(browser, server.url);
    await uploadAndOpen(page, otherPdf);
    const before = await page.locator('.sheet').evaluate((sheet) => sheet.clientWidth);

    await page.getByRole('button', { name: 'Larger' }).click();
    await page.waitForFunction((width) => (document.querySelector('.sheet')?.clientWidth ?? 0) > width, before);
    await page.locator('.mark-word').first().waitFor();

    expect(await markedText(page, '.mark-word')).toMatch(/^anchorchain$/i);
    await close();
  });
});

async function uploadAndOpen(page: Page, sample: Sample): Promise<void> {
  await page.setInputFiles('#files', { name: sample.name, mimeType: 'application/pdf', buffer: sample.bytes });
  await page.locator('.batch-head .primary').click();
  await page.locator('.upload-row.is-completed').filter({ hasText: sample.name }).waitFor();
  await page.goto(`${new URL(page.url()).origin}/#/search?q=${encodeURIComponent(sample.query)}`);
  await page.locator('.hit').filter({ hasText: sample.name }).first().click();
  await page.locator('.mark-passage').first().waitFor();
}

/** The text of the page's text layer that lies under the marks, without blanks: what a reader sees as marked. */
async function markedText(page: Page, marks: string): Promise<string> {
  return page.evaluate((selector) => {
    const boxes = [...document.querySelectorAll(selector)].map((mark) => mark.getBoundingClientRect());
    const walker = document.createTreeWalker(document.querySelector('.textLayer') as Node, NodeFilter.SHOW_TEXT);
    let text = '';
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      for (let at = 0; at < (node.textContent ?? '').length; at += 1) {
        const range = document.createRange();
        range.setStart(node, at);
        range.setEnd(node, at + 1);
        const letter = range.getBoundingClientRect();
        const x = letter.left + letter.width / 2;
        const y = letter.top + letter.height / 2;
        const isMarked = boxes.some((box) => x >= box.left && x <= box.right && y >= box.top && y <= box.bottom);
        if (isMarked) text += range.toString();
      }
    }
    return text.replace(/\s/g, '');
  }, marks);
}

/** Dark pixels of the drawn page. */
function inkOf(page: Page): Promise<number> {
  return page.locator('.sheet canvas').evaluate((element) => {
    const canvas = element as HTMLCanvasElement;
    const pixels = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
    let dark = 0;
    for (let at = 0; at < pixels.length; at += 4) if ((pixels[at] ?? 255) < 128) dark += 1;
    return dark;
  });
}
