import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeDataDir, removeDir, startServer, type TestServer } from '../support/server.ts';
import { launchBrowser, openPage } from './support/browser.ts';

const gzipBytesMax = 60 * 1024;
let server: TestServer;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer({ dataDir: await makeDataDir() }), launchBrowser()]);
});

afterAll(async () => {
  await browser.close();
  await server.stop();
  await removeDir(server.dataDir);
});

it('the first load and every view are at most 60 KB gzip as they are sent, and what is needed later is not in it', async () => {
  const { page, incidents, close } = await openPage(browser, server.url);
  for (const view of ['Tasks', 'Documents', 'Search', 'System']) await page.getByRole('link', { name: view, exact: true }).click();
  await page.locator('.facts').waitFor();
  const paths = await page.evaluate(() =>
    performance
      .getEntriesByType('resource')
      .map(({ name }) => new URL(name).pathname)
      .filter((path) => path.startsWith('/assets/')),
  );

  const files = await Promise.all(['/', ...new Set(paths)].map(sentAsGzip));

  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  console.log(`first load: ${total} bytes gzip (${files.map(({ path, bytes }) => `${path} ${bytes}`).join(', ')})`);
  expect(paths.filter((path) => /pdf|page-panel|answer-panel|hit-viewer|document-details|zh-/.test(path))).toEqual([]);
  expect(files.length).toBeGreaterThanOrEqual(3);
  expect(files.filter(({ encoding }) => encoding !== 'gzip')).toEqual([]);
  expect(total).toBeLessThanOrEqual(gzipBytesMax);
  expect(incidents).toEqual([]);
  await close();
});

/** What goes over the wire to a client that takes gzip and nothing smaller. */
async function sentAsGzip(path: string): Promise<{ path: string; bytes: number; encoding: string | null }> {
  const { headers } = await fetch(server.url + path, { method: 'HEAD', headers: { 'accept-encoding': 'gzip' } });
  return { path, bytes: Number(headers.get('content-length')), encoding: headers.get('content-encoding') };
}

it('runs under a policy without inline code or eval', async () => {
  const policy = (await fetch(server.url)).headers.get('content-security-policy') ?? '';

  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/unsafe-inline|'unsafe-eval'|\*|https?:/);
});
