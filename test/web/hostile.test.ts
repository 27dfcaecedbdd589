import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { insert, makeDataDir, removeDir, startServer, type TestServer } from '../support/server.ts';
import { launchBrowser, openPage } from './support/browser.ts';

const markup = '<img src=x onerror=alert(1)><script>alert(2)</script><svg/onload=alert(3)>';
const names = [
  '<img src=x onerror=alert(1)>.txt',
  'javascript:alert(1).txt',
  '"><script>alert(1)<!script>.txt',
  '\u202Egpj.exe\u202C.txt',
  "'-alert(1)-'.txt",
];

let server: TestServer;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer({ dataDir: await makeDataDir() }), launchBrowser()]);
  for (const [index, name] of names.entries()) {
    await insert(server.url, index === 0 ? markup : `${name}`, {
      name,
      bytes: `zebra ${markup} [click](javascript:alert(4)) ${index}`,
    });
  }
  const html = `<title>${markup.replaceAll('<', '&lt;')}</title><h1>${markup.replaceAll('<', '&lt;')}</h1><p>zebra crossing`;
  await insert(server.url, 'page', { name: 'page.html', bytes: html });
  await insert(server.url, 'torn', { name: '<img src=x onerror=alert(9)>.pdf', bytes: '%PDF-1.4 torn' });
});

afterAll(async () => {
  await browser.close();
  await server.stop();
  await removeDir(server.dataDir);
});

it('hostile names, titles, text and errors are shown as text everywhere, and nothing runs [S41]', async () => {
  const { page, incidents, close } = await openPage(browser, `${server.url}/#/documents`);
  const seen: string[] = [];
  const see = async (): Promise<void> => {
    seen.push(await page.locator('body').innerText());
    const made = await page.evaluate(
      () => document.querySelectorAll('main img, main script, main [onerror], main [onload], main iframe').length,
    );
    const links = await page.evaluate(
      () => [...document.querySelectorAll('a')].filter((link) => link.protocol === 'javascript:').length,
    );
    expect({ made, links }).toEqual({ made: 0, links: 0 });
  };

  await page.locator('.document-row').nth(5).waitFor();
  await see();
  await page.goto(`${server.url}/#/documents?text=${encodeURIComponent(markup)}`);
  await page.locator('.block').first().waitFor();
  await see();
  await page.goto(`${server.url}/#/tasks`);
  await page.locator('.task-row').nth(6).waitFor();
  await see();
  await page.locator('.task-row').filter({ hasText: 'alert(9)' }).locator('.name').click();
  await page.locator('dialog .failure').waitFor();
  await see();
  await page.goto(`${server.url}/#/search?q=zebra`);
  await page.locator('.hit').nth(2).waitFor();
  await see();
  await page.locator('.hit').filter({ hasText: 'onerror' }).first().click();
  await page.locator('.viewer mark').first().waitFor();
  await see();
  await page.goto(`${server.url}/#/search?q=${encodeURIComponent(markup)}&doc=${encodeURIComponent(markup)}`);
  await page.locator('.chip').waitFor();
  await see();
  await page.goto(`${server.url}/#/upload`);
  await page.setInputFiles(
    '#files',
    names.map((name) => ({ name, mimeType: 'text/html', buffer: Buffer.from(markup) })),
  );
  await page.locator('.upload-row').nth(4).waitFor();
  await see();

  const all = seen.join('\n');
  expect(all).toContain('<img src=x onerror=alert(1)>.txt');
  expect(all).toContain('<script>alert(2)</script>');
  expect(all).toContain('[click](javascript:alert(4))');
  expect(all).toContain('<img src=x onerror=alert(9)>');
  expect(incidents).toEqual([]);
  await close();
});

it('a name that turns the reading direction does not turn the text around it', async () => {
  const { page, close } = await openPage(browser, `${server.url}/#/documents`);
  const name = page.locator('.document-row .name bdi').filter({ hasText: 'gpj.exe' });
  await name.waitFor();

  expect(await name.evaluate((element) => getComputedStyle(element).unicodeBidi)).toBe('isolate');
  await close();
});
