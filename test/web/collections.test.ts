import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { insert, makeDataDir, removeDir, startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { axeFindings } from './support/axe.ts';
import { dropFiles, launchBrowser, openPage, setLook } from './support/browser.ts';

let server: TestServer;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer({ dataDir: await makeDataDir() }), launchBrowser()]);
  const title = JSON.stringify({ title: 'People' });
  await fetch(`${server.url}/collections/hr`, { method: 'PUT', headers: { 'content-type': 'application/json' }, body: title });
  await insert(server.url, 'plain', { name: 'plain.txt', bytes: 'The plover stays in the first collection.' });
});

afterAll(async () => {
  await browser.close();
  await server.stop();
  await removeDir(server.dataDir);
});

it('the page is about one collection: what is uploaded, listed, searched and linked to is in it', async () => {
  const { page, incidents, close } = await openPage(browser, server.url);
  const names = (): Promise<string[]> => page.locator('.document-row .name').allTextContents();
  await page.getByLabel('Collection').selectOption('hr');
  await page.waitForFunction(() => (document.querySelector('.collection-switch') as HTMLSelectElement | null)?.value === 'hr');
  await dropFiles(page, [{ name: 'leave.txt', text: 'The plover takes its leave in autumn.' }]);
  await page.locator('.batch-head .primary').click();
  await page.locator('.upload-row.is-completed').waitFor();

  await page.getByRole('link', { name: 'Documents', exact: true }).click();
  await until('its own document is listed', async () => (await names()).join() === 'leave.txt');
  await page.goto(`${server.url}/#/search?q=plover`);
  await page.locator('.hit').first().waitFor();
  expect(await page.locator('.hit .name').allTextContents()).toEqual(['leave.txt']);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.locator('.hit').first().click();
  await page.getByRole('button', { name: 'Copy citation' }).click();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  const link = copied.split('\n').at(-1) ?? '';
  expect(link).toContain('c=hr');
  for (const theme of ['light', 'dark'] as const) {
    await setLook(page, { theme, language: 'en' });
    expect(await axeFindings(page)).toEqual([]);
  }

  await page.keyboard.press('Escape');
  await page.getByLabel('Collection').selectOption('default');
  await page.locator('#query').waitFor();
  await page.goto(`${server.url}/#/documents`);
  await until('the other one is listed', async () => (await names()).join() === 'plain.txt');
  expect(incidents).toEqual([]);
  await close();

  const other = await openPage(browser, link, { width: 360, height: 700, touch: true });
  await other.page.locator('.viewer .passage').first().waitFor();
  expect(await other.page.locator('.viewer h2').textContent()).toBe('leave.txt');
  expect(await other.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  await other.close();
});
