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

async function insertInto(
  collection: string,
  docId: string,
  { name, text, metadata = {} }: { name: string; text: string; metadata?: object },
): Promise<void> {
  const form = new FormData();
  form.append('metadata', JSON.stringify(metadata));
  form.append('file', new Blob([text]), name);
  await fetch(`${server.url}/insert?doc_id=${encodeURIComponent(docId)}&collection=${collection}`, { method: 'POST', body: form });
}

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

it('an administrator makes a collection, describes it, gives it synonyms, and deletes it by its name', async () => {
  const { page, incidents, close } = await openPage(browser, `${server.url}/#/system`);
  const row = page.locator('.plain-row').filter({ hasText: 'Ships' });
  await page.getByRole('button', { name: 'Manage collections' }).click();
  await page.getByRole('button', { name: 'New collection' }).click();
  await page.getByLabel('Name in addresses').fill('ships');
  await page.getByLabel('Name shown').fill('Ships');
  await page.getByLabel('Synonyms').fill('brig\nketch, yawl');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.locator('dialog .problem').filter({ hasText: 'synonyms' }).waitFor();
  expect(await axeFindings(page)).toEqual([]);
  await page.getByLabel('Synonyms').fill('brig，brigantine\nketch, yawl');
  await page.getByRole('button', { name: 'Save' }).click();
  await row.waitFor();

  const { settings } = (await (await fetch(`${server.url}/collections/ships`)).json()) as { settings: { synonyms: string[][] } };
  expect(settings.synonyms).toEqual([
    ['brig', 'brigantine'],
    ['ketch', 'yawl'],
  ]);
  await row.getByRole('button', { name: 'Delete Ships' }).click();
  expect(await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).isDisabled()).toBe(true);
  await page.getByLabel('Type ships to confirm').fill('ships');
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await row.waitFor({ state: 'detached' });

  expect((await fetch(`${server.url}/collections/ships`)).status).toBe(404);
  expect(incidents.filter((incident) => !incident.includes('422'))).toEqual([]);
  await close();
});

it('all collections are searched at once, and a passage of another one opens where it is', async () => {
  await insertInto('hr', 'plain', { name: 'other plain.txt', text: 'The dotterel is of the second collection.' });
  await insert(server.url, 'dotterel', { name: 'dotterel.txt', bytes: 'The dotterel is of the first collection.' });
  const { page, incidents, close } = await openPage(browser, `${server.url}/#/search?q=dotterel`);
  await page.locator('.hit').waitFor();
  await page.getByLabel('Where to search').selectOption({ label: 'All collections' });
  await page.locator('.hit').nth(1).waitFor();

  await page.locator('.hit').filter({ hasText: 'People' }).click();
  await page.locator('.viewer .passage').first().waitFor();

  expect(await page.locator('.viewer h2').textContent()).toBe('other plain.txt');
  expect((await page.locator('.viewer .passage').allTextContents()).join('')).toContain('second collection');
  // As a link that somebody was sent, too.
  await page.reload();
  await page.locator('.viewer .passage').first().waitFor();
  expect(await page.locator('.viewer h2').textContent()).toBe('other plain.txt');
  expect(incidents).toEqual([]);
  await close();
});

it('documents are moved to another collection with what is known of them, and none is replaced there', async () => {
  for (const name of ['move one', 'move two'])
    await insertInto('default', name, { name: `${name}.txt`, text: `The godwit of ${name}.`, metadata: { dock: 'north' } });
  await insertInto('hr', 'move two', { name: 'there.txt', text: 'The godwit that is there.' });
  await fetch(`${server.url}/documents/move%20one`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ title: 'Given by hand' }),
  });
  const { page, close } = await openPage(browser, `${server.url}/#/documents?q=move&sort=filename`);
  await page.getByRole('checkbox', { name: 'Select move one.txt' }).click();
  await page.getByRole('checkbox', { name: 'Select move two.txt' }).click();
  await page.getByRole('button', { name: 'Move to…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Move' }).click();
  await page.locator('.notice').filter({ hasText: 'move two.txt was not moved; it is still here.' }).waitFor();
  expect(await page.locator('.document-row .name').allTextContents()).toEqual(['move two.txt']);
  await close();

  const there = async (id: string): Promise<Record<string, unknown>> =>
    (await (await fetch(`${server.url}/documents/${encodeURIComponent(id)}?collection=hr`)).json()) as Record<string, unknown>;
  expect(await there('move one')).toMatchObject({ title: 'Given by hand', metadata: { dock: 'north' }, filename: 'move one.txt' });
  expect(await there('move two')).toMatchObject({ filename: 'there.txt' });
  expect((await fetch(`${server.url}/documents/move%20one`)).status).toBe(404);
});
