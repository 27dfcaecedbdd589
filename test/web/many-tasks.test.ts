import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeDataDir, removeDir, startServer, type TestServer } from '../support/server.ts';
import { launchBrowser, openPage } from './support/browser.ts';
import { writeEndedTasks } from './support/ended-tasks.ts';

const taskCount = 10_000;
let server: TestServer;
let browser: Browser;

beforeAll(async () => {
  const dataDir = await makeDataDir();
  await writeEndedTasks(dataDir, taskCount);
  [server, browser] = await Promise.all([startServer({ dataDir }), launchBrowser()]);
});

afterAll(async () => {
  await browser.close();
  await server.stop();
  await removeDir(server.dataDir);
});

describe(`${taskCount} tasks`, () => {
  it('show few at a time and scroll to the last one', async () => {
    const { page, incidents, close } = await openPage(browser, `${server.url}/#/tasks`);
    await page.locator('.task-row').first().waitFor();
    const firstRows = await page.locator('.task-row').count();

    const mostRows = await scrollToTheEnd();

    expect(await page.locator('.task-rows').evaluate((list) => Math.round(list.clientHeight / 72))).toBe(taskCount);
    expect(await page.locator('.row[aria-posinset="10000"] .name').textContent()).toMatch(/ 0\.pdf$/);
    // Sizes; the times are `npm run bench -- page`'s. A few dozen rows exist, whatever the list holds.
    expect(firstRows).toBeLessThan(40);
    expect(mostRows).toBeLessThan(60);
    expect(incidents).toEqual([]);
    await close();

    /** A wheel turned as fast as a person can, until the end; the most rows that existed at once. */
    async function scrollToTheEnd(): Promise<number> {
      let most = 0;
      for (;;) {
        await page.mouse.wheel(0, 20_000);
        const { rows, isEnd } = await page.evaluate(() => ({
          rows: document.querySelectorAll('.task-row').length,
          isEnd: document.querySelector('.row[aria-posinset="10000"]') !== null,
        }));
        most = Math.max(most, rows);
        if (isEnd) return most;
      }
    }
  });
});
