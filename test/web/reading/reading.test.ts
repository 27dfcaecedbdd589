import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeOfd } from '../../support/ofd-writer.ts';
import { makePptx, makeXlsx } from '../../support/office-writer.ts';
import { insert, makeDataDir, removeDir, search, startServer, type TestServer } from '../../support/server.ts';
import { until } from '../../support/until.ts';
import { axeFindings } from '../support/axe.ts';
import { launchBrowser, openPage } from '../support/browser.ts';
import { englishPdf } from '../support/documents.ts';

let server: TestServer;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer({ dataDir: await makeDataDir() }), launchBrowser()]);
  const filler = Array.from({ length: 200 }, (_, index) => `<p>Paragraph ${index} about nothing in particular.`).join('');
  await insert(server.url, 'tariffs', {
    name: 'tariffs.html',
    bytes: `<h1>Harbour tariffs</h1><h2>Berths</h2>${filler}<h2>Fees</h2><table><tr><th>berth</th><th>fee</th></tr><tr><td>the a|b berth</td><td>120</td></tr></table><ul><li>paid at dusk<li>in coin</ul>`,
  });
  await insert(server.url, 'ledger', {
    name: 'ledger.xlsx',
    bytes: makeXlsx({
      sheets: [
        {
          name: 'North',
          rows: [
            ['ship', 'tons'],
            ['Curlew', 120],
          ],
        },
        {
          name: 'South',
          rows: [
            ['ship', 'tons'],
            ['Whimbrel', 90],
          ],
        },
      ],
    }),
  });
  await insert(server.url, 'slides', {
    name: 'slides.pptx',
    bytes: makePptx({ slides: ['plover', 'dunlin', 'knot'].map((bird) => ({ lines: [bird] })) }),
  });
  await insert(server.url, 'form', {
    name: 'form.ofd',
    bytes: makeOfd({ pages: [['潮汐表'], ['灯塔']] }),
  });
  await insert(server.url, englishPdf.name, { name: englishPdf.name, bytes: englishPdf.bytes });
});

afterAll(async () => {
  await browser.close();
  await server.stop();
  await removeDir(server.dataDir);
});

it('a web page is read as headings, lists and tables, without a mark of Markdown, and its contents lead to its parts', async () => {
  const { page, incidents, close } = await openPage(browser, `${server.url}/#/documents?text=tariffs`);
  await page.getByRole('heading', { name: 'Harbour tariffs', exact: true }).waitFor();

  await page.getByText('Contents').click();
  await page.getByRole('button', { name: 'Fees' }).click();
  const table = page.locator('.block-table');
  await table.waitFor();

  expect(await table.locator('th').allTextContents()).toEqual(['berth', 'fee']);
  expect(await table.locator('td').allTextContents()).toEqual(['the a|b berth', '120']);
  expect(await page.locator('.item-text').allTextContents()).toEqual(['paid at dusk', 'in coin']);
  expect(await axeFindings(page)).toEqual([]);
  expect(incidents).toEqual([]);
  await close();
});

it('a passage in a table is marked cell by cell, where its offsets say', async () => {
  const [hit] = await search(server.url, '"the a|b berth"');
  const { page, close } = await openPage(browser, `${server.url}/#/search?q=${encodeURIComponent('berth fee')}`);
  await page.locator('.hit').first().click();
  await page.locator('.viewer td .passage').first().waitFor();

  const letters = (text: string): string => text.replace(/\\\||[|\-\s#]/g, '');
  const marked = (await page.locator('.viewer .passage').allTextContents()).join('');
  expect(letters(hit?.text ?? '')).toContain(letters(marked).slice(0, 20));
  expect(letters(marked)).toContain('theabberth');
  await close();
});

it('a workbook is read as a grid for each sheet, with its tab', async () => {
  const { page, close } = await openPage(browser, `${server.url}/#/documents?text=ledger`);
  await page.getByRole('button', { name: 'South' }).waitFor();

  await page.getByRole('button', { name: 'South' }).click();
  await until('the sheet is there', async () => (await page.locator('.block-table td').allTextContents()).join() === 'Whimbrel,90');

  expect(await page.locator('.block-table .is-figure').textContent()).toBe('90');
  await close();
});

it('a PDF is turned, and its small pages lead to the large ones', async () => {
  const { page, incidents, close } = await openPage(browser, `${server.url}/#/search?q=${encodeURIComponent(englishPdf.query)}`, {
    width: 1440,
  });
  await page.locator('.hit').first().click();
  await page.locator('.mark-word').first().waitFor();
  const shape = (): Promise<boolean> => page.locator('.sheet').evaluate((sheet) => sheet.clientWidth > sheet.clientHeight);
  expect(await shape()).toBe(false);

  await page.getByRole('button', { name: 'Rotate' }).click();
  await until('it lies on its side, with its marks', async () => (await shape()) && (await page.locator('.mark-word').count()) > 0);
  await page.getByRole('button', { name: 'Pages', exact: true }).click();
  await page.locator('.thumbnail canvas').nth(2).waitFor();
  await page.locator('.thumbnail').nth(2).click();
  await page.locator('.page-number').filter({ hasText: 'Page 3 of 3' }).waitFor();

  expect(await axeFindings(page)).toEqual([]);
  expect(incidents).toEqual([]);
  await close();
});

it('slides, and pages that are read as text, are told apart by their numbers', async () => {
  const { page, incidents, close } = await openPage(browser, `${server.url}/#/documents?text=slides`);
  await page.locator('.page-start').nth(2).waitFor();
  expect((await page.locator('.text').innerText()).replace(/\s+/g, ' ').trim()).toBe('Page 1 plover Page 2 dunlin Page 3 knot');

  await page.goto(`${server.url}/#/search?q=${encodeURIComponent('灯塔')}&doc=form`);
  await page.locator('.hit').first().click();
  // Its pages are drawn; the text is a press away.
  await page.getByRole('button', { name: 'Show as text' }).click();
  await page.locator('.viewer .page-start').nth(1).waitFor();
  expect((await page.locator('.viewer .text').innerText()).replace(/\s+/g, ' ').trim()).toBe('Page 1 潮汐表 Page 2 灯塔');
  expect(await axeFindings(page)).toEqual([]);
  expect(incidents).toEqual([]);
  await close();
});
