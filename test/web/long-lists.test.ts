import type { Browser, CDPSession, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../support/until.ts';
import { launchBrowser, openPage } from './support/browser.ts';
import { aDocument, aTask, startStandIn, type StandIn } from './support/stand-in.ts';

let server: StandIn;
let browser: Browser;
const someTasks = Array.from({ length: 2000 }, (_, index) => aTask(1999 - index));

beforeAll(async () => {
  [server, browser] = await Promise.all([startStandIn(), launchBrowser()]);
});

beforeEach(() => {
  server.tasks = [];
  server.documents = [];
});

afterAll(async () => {
  await browser.close();
  await server.close();
});

const rowAtTop = (page: Page): Promise<{ name: string; top: number }> =>
  page.evaluate(() => {
    const rows = [...document.querySelectorAll('.row')].map((row) => ({ row, top: row.getBoundingClientRect().top }));
    const first = rows.filter(({ top }) => top >= 0).sort((a, b) => a.top - b.top)[0];
    return { name: first?.row.querySelector('.name')?.textContent ?? '', top: Math.round(first?.top ?? -1) };
  });

async function scrollTo(page: Page, row: number): Promise<void> {
  for (;;) {
    await page.mouse.wheel(0, 30_000);
    if (await page.evaluate((wanted) => document.querySelectorAll(`.row[aria-posinset="${wanted}"]`).length > 0, row)) break;
    const seen = await page.evaluate(() =>
      Math.max(...[...document.querySelectorAll('.row')].map((each) => Number(each.getAttribute('aria-posinset')))),
    );
    if (seen > row) break;
  }
  await page.evaluate((y) => window.scrollTo(0, y), row * 72);
  await page.waitForFunction((wanted) => document.querySelector(`.row[aria-posinset="${wanted}"]`) !== null, row);
}

describe('a long list that somebody reads', () => {
  it('stays where it is and as long as it was when a document is added elsewhere', async () => {
    server.documents = Array.from({ length: 1700 }, (_, index) => aDocument(index));
    const { page, incidents, close } = await openPage(browser, `${server.url}/#/documents`);
    await page.locator('.document-row').first().waitFor();
    await scrollTo(page, 1600);
    const before = await rowAtTop(page);

    server.documents = [aDocument(5000, { filename: 'added.txt' }), ...server.documents];
    await page.waitForFunction(() => document.querySelector('.row')?.getAttribute('aria-setsize') === '1701');

    expect(await rowAtTop(page)).toEqual(before);
    expect(incidents).toEqual([]);
    await close();
  });

  it('stays where it is when tasks are added above', async () => {
    server.tasks = someTasks;
    const { page, close } = await openPage(browser, `${server.url}/#/tasks`);
    await page.locator('.task-row').first().waitFor();
    await scrollTo(page, 600);
    const before = await rowAtTop(page);

    for (let index = 0; index < 5; index += 1) server.send(aTask(3000 + index));
    await page.waitForFunction(() => Number(document.querySelector('.row')?.getAttribute('aria-setsize')) % 50 === 5);

    expect(await rowAtTop(page)).toEqual(before);
    await close();
  });
});

describe('20,000 updates', () => {
  it('leave the heap as it was, and none is dropped', async () => {
    server.tasks = someTasks.slice(0, 100);
    const { page, close } = await openPage(browser, `${server.url}/#/tasks`);
    await page.locator('.task-row').first().waitFor();
    const client = await page.context().newCDPSession(page);
    await update(page, 2000, 0);
    const before = await heapBytes(client);

    await update(page, 20_000, 2000);

    // What an answer on its way or the browser's own caches hold for a while comes and goes; what is kept of updates would stay.
    await until('the heap is as it was', async () => (await heapBytes(client)) < before * 1.1);
    await close();
  });
});

/** Updates of the hundred tasks, one after the other; returns when the page shows the last one. */
async function update(page: Page, count: number, from: number): Promise<void> {
  for (let index = from; index < from + count; index += 1) {
    const at = new Date(Date.UTC(2026, 5, 1) + index * 1000).toISOString();
    const number = 1999 - (index % 100);
    server.send(
      aTask(number, { status: 'processing', stage: 'parsing', updated_at: at, error: `${index}`, filename: `update ${index}.pdf` }),
    );
    if (index % 500 === 499) await new Promise((resolve) => setImmediate(resolve));
  }
  const last = Math.floor((from + count - 1) / 100) * 100;
  await page
    .locator('.task-row')
    .filter({ hasText: `update ${last}.pdf` })
    .waitFor();
}

async function heapBytes(client: CDPSession): Promise<number> {
  for (let times = 0; times < 3; times += 1) await client.send('HeapProfiler.collectGarbage');
  const { usedSize } = (await client.send('Runtime.getHeapUsage')) as { usedSize: number };
  return usedSize;
}
