import type { Browser } from 'playwright-core';
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { launchBrowser, openPage } from './support/browser.ts';
import { aDocument, aTask, startStandIn, type StandIn } from './support/stand-in.ts';

let server: StandIn;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([startStandIn(), launchBrowser()]);
});

beforeEach(() => {
  server.instead = null;
  server.tasks = [aTask(1)];
  server.documents = [aDocument(1)];
});

afterAll(async () => {
  await browser.close();
  await server.close();
});

describe('a server that is frozen', () => {
  it('is said on every view before the first answer that is owed for 5 s could come, and no longer when it goes on', async () => {
    const { page, close } = await openPage(browser, `${server.url}/#/tasks`);
    await page.getByText('Live', { exact: true }).waitFor();
    const views = ['Documents', 'Search', 'System', 'Upload', 'Tasks'];
    for (const view of views) await page.getByRole('link', { name: view, exact: true }).click();
    await page.locator('.task-row').waitFor();

    const owed: ServerResponse[] = [];
    server.instead = (_req, res) => {
      owed.push(res);
      // A clock of the page's own: whoever is owed an answer for 5 s has the sentence by then.
      return true;
    };
    const saidAfterMs = await page.evaluate(async () => {
      const startMs = performance.now();
      while (!document.body.innerText.includes('The server does not answer.'))
        await new Promise((resolve) => requestAnimationFrame(resolve));
      return performance.now() - startMs;
    });
    console.log(`a frozen server is said after ${Math.round(saidAfterMs)} ms`);
    for (const view of views) {
      await page.getByRole('link', { name: view, exact: true }).click();
      expect(await page.locator('.banner').textContent()).toContain('The server does not answer.');
      expect(await page.locator('.line-text').textContent()).toBe('Disconnected');
    }

    server.instead = null;
    for (const res of owed) res.destroy();
    await page.getByText('Live', { exact: true }).waitFor();
    await page.waitForFunction(() => document.querySelector('.banner') === null);
    await close();
  });
});

describe('a script that does not come', () => {
  it('is said: the first one by the page as it was sent, a later one by the page itself', async () => {
    server.instead = (_req, res, path) => {
      if (!/index-.*\.js$/.test(path)) return false;
      res.writeHead(503).end();
      return true;
    };
    const blank = await browser.newPage();
    await blank.goto(server.url);
    await blank.getByText('the page could not be loaded completely').waitFor({ state: 'visible' });
    await blank.close();

    server.instead = (_req, res, path) => {
      if (!/system-view-.*\.js$/.test(path)) return false;
      res.writeHead(503).end();
      return true;
    };
    const { page, close } = await openPage(browser, server.url);
    await page.getByRole('link', { name: 'System' }).click();
    await page.getByRole('button', { name: 'Load the page again' }).waitFor();
    server.instead = null;
    await page.getByRole('button', { name: 'Load the page again' }).click();
    await page.locator('.facts').waitFor();
    await close();
  });
});

describe('on paper', () => {
  it.each(['light', 'dark'] as const)('text is dark on white and the frame is left out (%s)', async (theme) => {
    const { page, close } = await openPage(browser, `${server.url}/#/documents?text=doc-000001`, { theme });
    await page.locator('.block').first().waitFor();
    await page.emulateMedia({ media: 'print', colorScheme: theme });

    const colours = await page.evaluate(() => ({
      text: getComputedStyle(document.querySelector('.block') ?? document.body).color,
      paper: getComputedStyle(document.querySelector('.paper') ?? document.body).backgroundColor,
    }));

    expect(colours).toEqual({ text: 'rgb(27, 29, 31)', paper: 'rgb(255, 255, 255)' });
    expect(await page.locator('nav').isVisible()).toBe(false);
    await close();
  });
});
