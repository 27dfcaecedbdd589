import type { Browser, Page } from 'playwright-core';
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { launchBrowser, openPage } from './support/browser.ts';
import { aDocument, aHit, startStandIn, type StandIn } from './support/stand-in.ts';

let server: StandIn;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([startStandIn(), launchBrowser()]);
});

beforeEach(() => {
  server.instead = null;
  server.asked.length = 0;
  server.documents = ['one', 'two'].map((id, index) =>
    aDocument(index, { doc_id: id, filename: `${id}.txt`, media_type: 'text/plain' }),
  );
  server.hits = [...Array.from({ length: 30 }, (_, index) => aHit('one', index)), aHit('two', 1)];
});

afterAll(async () => {
  await browser.close();
  await server.close();
});

const hits = (page: Page): Promise<string[]> => page.locator('.hit .snippet').allTextContents();

describe('a search', () => {
  it('that failed can be tried again, and is tried again by itself when the server is back', async () => {
    let fails = true;
    server.instead = (req, res, path) => {
      if (path !== '/search' || !fails) return false;
      if (req.headers['x-break'] === undefined) res.writeHead(503, { 'content-type': 'application/problem+json' });
      res.end(JSON.stringify({ status: 503, code: 'unavailable', detail: 'RAG service is not ready.' }));
      return true;
    };
    const { page, close } = await openPage(browser, `${server.url}/#/search?q=passage`);
    await page.getByText('RAG service is not ready.').waitFor();

    fails = false;
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.locator('.hit').first().waitFor();

    fails = true;
    await page.locator('#query').fill('another');
    await page.getByText('RAG service is not ready.').waitFor();
    fails = false;
    await page.evaluate(() => window.dispatchEvent(new Event('online')));
    await page.locator('#query').fill('another ');
    await page.locator('.hit').first().waitFor();
    expect(await page.getByText('RAG service is not ready.').count()).toBe(0);
    await close();
  });

  it('says that it is busy while old passages are still there, and keeps the passage that is open', async () => {
    const held: ServerResponse[] = [];
    const { page, close } = await openPage(browser, `${server.url}/#/search?q=passage`, { width: 1440 });
    await page.locator('.hit').first().click();
    await page.locator('.viewer .block').first().waitFor();
    server.instead = (req, res, path) => {
      if (path !== '/search') return false;
      req.resume();
      held.push(res);
      return true;
    };

    await page.locator('#query').fill('other words');
    await page.getByText('Searching for “other words”…').waitFor();
    expect(await page.locator('.hits').getAttribute('aria-busy')).toBe('true');
    server.instead = null;
    server.hits = [aHit('two', 5)];
    await page.locator('#query').fill('other words again');
    await page.waitForFunction(() => document.querySelectorAll('.hit').length === 1);

    expect(await page.locator('.viewer h2').textContent()).toBe('one.txt');
    for (const res of held) res.destroy();
    await close();
  });

  it('waits for the end of a composition: pinyin is not searched half typed', async () => {
    const { page, close } = await openPage(browser, `${server.url}/#/search`);
    const client = await page.context().newCDPSession(page);
    await page.locator('#query').focus();
    for (const text of ['n', 'ni', 'nih', 'niha', 'nihao'])
      await client.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length });
    expect(page.url()).not.toContain('q=');

    await client.send('Input.insertText', { text: '你好' });
    await page.locator('.hit').first().waitFor();

    expect(await page.locator('#query').inputValue()).toBe('你好');
    expect(server.asked.filter((line) => line === 'POST /search')).toHaveLength(1);
    expect(decodeURIComponent(page.url())).toContain('q=你好');
    await close();
  });

  it('shows more on request with the true total, one card for each document', async () => {
    const { page, close } = await openPage(browser, `${server.url}/#/search?q=passage`);
    await page.locator('.found').filter({ hasText: '20 of 31 passages' }).waitFor();
    expect(await page.locator('.group').count()).toBe(1);

    await page.getByRole('button', { name: '19 more passages in this document' }).click();
    expect((await hits(page)).length).toBe(20);
    await page.getByRole('button', { name: 'Show more', exact: true }).click();
    await page
      .locator('.found')
      .filter({ hasText: /^31 passages in/ })
      .waitFor();

    expect(await page.locator('.group').count()).toBe(2);
    expect(await page.getByRole('button', { name: 'Show more', exact: true }).count()).toBe(0);
    await close();
  });
});

describe('a link to a passage', () => {
  it('opens it whatever is searched, and though no search has found it', async () => {
    for (const address of ['#/search?read=one&at=2-11', '#/search?q=nothing%20of%20it&read=one&at=2-11']) {
      const { page, incidents, close } = await openPage(browser, `${server.url}/${address}`);
      await page.locator('.viewer .passage').first().waitFor();

      expect(await page.locator('.viewer h2').textContent()).toBe('one.txt');
      expect((await page.locator('.viewer .passage').allTextContents()).join('')).toBe('Some text');
      expect(incidents).toEqual([]);
      await close();
    }
  });

  it('is part of the citation that is copied, and the passages of one document follow each other', async () => {
    const { page, close } = await openPage(browser, `${server.url}/#/search?q=passage`);
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.locator('.hit').first().click();
    await page.getByText('Passage 1 of 30').waitFor();

    await page.getByRole('button', { name: 'Next passage' }).click();
    await page.getByText('Passage 2 of 30').waitFor();
    await page.getByRole('button', { name: 'Copy citation' }).click();

    const copied = await page.evaluate(() => navigator.clipboard.readText());
    expect(copied).toContain('one.txt');
    expect(copied).toContain(`${server.url}/#/search?read=one&at=100-`);
    await close();
  });

  it('has its head in sight, however low the window is', async () => {
    const { page, close } = await openPage(browser, `${server.url}/#/search?q=passage&read=one&at=2-11`, {
      width: 1024,
      height: 600,
    });
    for (const [width, height] of [
      [1280, 800],
      [1024, 600],
      [360, 640],
    ] as const) {
      await page.setViewportSize({ width, height });
      await page.locator('.viewer .passage').first().scrollIntoViewIfNeeded();
      await page.mouse.wheel(0, 5000);
      const box = await page.getByRole('button', { name: 'Close', exact: true }).boundingBox();
      expect(box?.y, `${width}`).toBeGreaterThanOrEqual(0);
      expect((box?.y ?? height) + (box?.height ?? 0), `${width}`).toBeLessThan(height);
    }
    await close();
  });
});
