/** Keys on the page: made, shown once, good at once, revoked; by those who may, with what the server refuses said where it was asked. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeDataDir, removeDir, startServer, type TestServer } from '../support/server.ts';
import { axeFindings } from './support/axe.ts';
import { launchBrowser, openPage, setLook } from './support/browser.ts';

const bossKey = 'boss-key-0123456789abcdef';
let server: TestServer;
let browser: Browser;
let file: string;

beforeAll(async () => {
  const dataDir = await makeDataDir();
  file = join(dataDir, 'keys');
  await writeFile(file, `boss:admin:${bossKey}\n`);
  const env = { API_KEYS_FILE: file, API_KEYS: 'reader:read:reader-key-0123456789' };
  [server, browser] = await Promise.all([startServer({ dataDir, env }), launchBrowser()]);
  await fetch(`${server.url}/collections/hr`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${bossKey}` },
    body: JSON.stringify({ title: '人事' }),
  });
});

afterAll(async () => {
  await browser.close();
  await server.stop();
  await removeDir(server.dataDir);
});

async function signedIn(key: string): ReturnType<typeof openPage> {
  const opened = await openPage(browser, `${server.url}/#/system`);
  await opened.page.getByLabel('API key', { exact: true }).fill(key);
  await opened.page.keyboard.press('Enter');
  await opened.page.getByRole('heading', { level: 1, name: 'System' }).waitFor();
  return opened;
}

it('an admin makes a key for one collection, copies it this once, and revokes it', async () => {
  const { page, incidents, close } = await signedIn(bossKey);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  const row = page.locator('.plain-row').filter({ hasText: 'clerk' });
  await page.getByRole('button', { name: 'Manage keys' }).click();
  await page.locator('.plain-row').filter({ hasText: 'reader' }).getByText('set in API_KEYS').waitFor();
  expect(await page.getByRole('button', { name: 'Revoke reader' }).count()).toBe(0);

  await page.getByRole('button', { name: 'New key' }).click();
  await page.getByLabel('Name', { exact: false }).first().fill('boss');
  await page.getByLabel('May').selectOption('read');
  await page.getByLabel('Has access to').selectOption('these');
  expect(await page.getByRole('button', { name: 'Create key' }).isDisabled()).toBe(true);
  await page.getByRole('checkbox', { name: '人事' }).check();
  await page.getByRole('button', { name: 'Create key' }).click();
  await page.locator('dialog .problem').filter({ hasText: 'a key with this name already exists' }).waitFor();
  for (const theme of ['light', 'dark'] as const) {
    await setLook(page, { theme, language: 'en' });
    expect(await axeFindings(page)).toEqual([]);
  }
  await page.getByLabel('Name', { exact: false }).first().fill('clerk');
  await page.getByRole('button', { name: 'Create key' }).click();
  await page.getByRole('heading', { name: 'Key clerk created' }).waitFor();
  await page.getByRole('button', { name: 'Copy key' }).click();
  const key = await page.evaluate(() => navigator.clipboard.readText());
  const ask = (): Promise<number> =>
    fetch(`${server.url}/documents?collection=hr`, { headers: { authorization: `Bearer ${key}` } }).then(({ status }) => status);

  expect(await ask()).toBe(200);
  for (const language of ['zh', 'en'] as const) {
    await setLook(page, { theme: 'light', language });
    expect(await axeFindings(page)).toEqual([]);
  }
  await page.getByRole('button', { name: 'Done' }).click();
  await row.getByText('search and read · only 人事').waitFor();
  expect(await page.content()).not.toContain(key);
  expect(await readFile(file, 'utf8')).not.toContain(key);

  await row.getByRole('button', { name: 'Revoke clerk' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await row.waitFor({ state: 'detached' });
  expect(await ask()).toBe(401);
  // The browser itself writes a refused request into the console.
  expect(incidents.filter((incident) => !/401|409/.test(incident))).toEqual([]);
  await close();
});

it('the last key that may do everything stays, and the page says why', async () => {
  const { page, close } = await signedIn(bossKey);
  await page.getByRole('button', { name: 'Manage keys' }).click();
  await page.getByRole('button', { name: 'Revoke boss' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await page.getByRole('alert').filter({ hasText: 'first create a key with the scope admin' }).waitFor();
  await page.getByRole('button', { name: 'Revoke boss' }).waitFor();
  await close();
});

it('who is no admin sees nothing of keys', async () => {
  const { page, close } = await signedIn('reader-key-0123456789');
  await page.getByText('Signed in as').or(page.getByText('reader')).first().waitFor();
  expect(await page.getByRole('button', { name: 'Manage keys' }).count()).toBe(0);
  await close();
});
