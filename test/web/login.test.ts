import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeDataDir, removeDir, startServer, type TestServer } from '../support/server.ts';
import { axeFindings } from './support/axe.ts';
import { launchBrowser, openPage } from './support/browser.ts';

const key = 'page-test-key-0123456789abcdef0123456789abcdef';
let server: TestServer;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer({ dataDir: await makeDataDir(), env: { API_KEYS: key } }), launchBrowser()]);
});

afterAll(async () => {
  await browser.close();
  await server.stop();
  await removeDir(server.dataDir);
});

it.each(['light', 'dark'] as const)('asks for a key, keeps no trace of it, and lets go again (%s)', async (theme) => {
  const { page, incidents, close } = await openPage(browser, server.url, { theme });
  await page.getByLabel('API key', { exact: true }).waitFor();
  expect(await axeFindings(page)).toEqual([]);
  expect(incidents).toEqual([]);

  await page.getByLabel('API key', { exact: true }).fill('not-the-key');
  await page.keyboard.press('Enter');
  await page.getByText('This API key is not valid.').waitFor();
  // The browser itself writes a refused request into the console.
  expect(incidents.filter((incident) => !incident.includes('401'))).toEqual([]);
  await page.getByLabel('API key', { exact: true }).fill(key);
  await page.keyboard.press('Enter');
  await page.locator('.drop').waitFor();
  await page.setInputFiles('#files', {
    name: `keyed ${theme}.txt`,
    mimeType: 'text/plain',
    buffer: Buffer.from(`Keyed in ${theme}.`),
  });
  await page.locator('.batch-head .primary').click();
  await page.locator('.upload-row.is-completed').waitFor();

  expect(page.url()).not.toContain(key);
  expect(await page.evaluate(() => `${document.cookie} ${JSON.stringify(localStorage)}`)).not.toContain(key);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('API key', { exact: true }).waitFor();
  await close();
});
