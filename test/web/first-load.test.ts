import { gzipSync } from 'node:zlib';
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

it('the first load is at most 60 KB gzip, and nothing of pdf.js is in it', async () => {
  const { page, incidents, close } = await openPage(browser, server.url);
  const files: { path: string; bytes: number }[] = [];
  page.on('response', (response) => {
    const { pathname } = new URL(response.url());
    if (pathname === '/' || pathname.startsWith('/assets/')) {
      pending.push(response.body().then((body) => files.push({ path: pathname, bytes: gzipSync(body).length })));
    }
  });
  const pending: Promise<unknown>[] = [];

  await page.reload();
  for (const view of ['Tasks', 'Documents', 'Search', 'System']) await page.getByRole('link', { name: view, exact: true }).click();
  await page.locator('.facts').waitFor();
  await Promise.all(pending);

  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  console.log(
    `first load: ${total} bytes gzip in ${files.length} files (${files.map(({ path, bytes }) => `${path} ${bytes}`).join(', ')})`,
  );
  expect(files.map(({ path }) => path).filter((path) => path.includes('pdf'))).toEqual([]);
  expect(files.length).toBeGreaterThanOrEqual(3);
  expect(total).toBeLessThanOrEqual(gzipBytesMax);
  expect(incidents).toEqual([]);
  await close();
});

it('runs under a policy without inline code or eval', async () => {
  const policy = (await fetch(server.url)).headers.get('content-security-policy') ?? '';

  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/unsafe-inline|'unsafe-eval'|\*|https?:/);
});
