import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeDataDir, removeDir, startProcess, type TestServer } from '../support/server.ts';
import { axeFindings } from './support/axe.ts';
import { launchBrowser, openPage, setLook } from './support/browser.ts';

let server: TestServer;
let browser: Browser;

beforeAll(async () => {
  // More than any disk has: so it is full.
  const env = { DISK_RESERVE_BYTES: String(2 ** 52), OCR_LANGUAGES: 'off' };
  [server, browser] = await Promise.all([startProcess({ dataDir: await makeDataDir(), env }), launchBrowser()]);
});

afterAll(async () => {
  await browser.close();
  await server.stop();
  await removeDir(server.dataDir);
});

it('says on every view that the disk is full, and what to do about it', async () => {
  const { page, incidents, close } = await openPage(browser, `${server.url}/#/tasks`);
  await page.locator('.banner').filter({ hasText: 'The disk is full.' }).waitFor();

  await page.getByRole('link', { name: 'System', exact: true }).click();
  await page.locator('.facts .problem').first().waitFor();

  const findings: string[] = [];
  for (const theme of ['light', 'dark'] as const) {
    for (const language of ['en', 'zh'] as const) {
      await setLook(page, { theme, language });
      findings.push(...(await axeFindings(page)));
    }
  }
  expect(await page.locator('.banner').textContent()).toContain('磁盘已满');
  expect(findings).toEqual([]);
  expect(incidents).toEqual([]);
  await close();
});

it('says in its settings what this server does not read or give, and whose setting that is', async () => {
  const { page, close } = await openPage(browser, `${server.url}/#/system`);
  const value = (name: string): Promise<string | null> =>
    page
      .locator('.settings div')
      .filter({ has: page.getByText(name, { exact: true }) })
      .locator('dd')
      .textContent();

  expect(await value('Pictures and scans')).toBe('Not set up. Ask an administrator (OCR_PAGES or OCR_LANGUAGES).');
  expect(await value('Answers with citations')).toBe('Not set up. Ask an administrator (ANSWER_URL).');
  expect(await value('Supported formats')).not.toContain('PNG');
  expect(await value('Supported formats')).toContain('DOCX');
  expect(await value('You may')).toBe('do everything, and see everybody’s tasks');
  await close();
});
