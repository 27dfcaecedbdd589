import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insert, makeDataDir, removeDir, startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { launchBrowser, openPage } from './support/browser.ts';
import { chinesePdf } from './support/documents.ts';
import { startProxy } from './support/proxy.ts';

let server: TestServer;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([
    startServer({ dataDir: await makeDataDir(), rigged: true, env: { MAX_CONCURRENT_TASKS: '1' } }),
    launchBrowser(),
  ]);
});

afterAll(async () => {
  await browser.close();
  await server.stop();
  await removeDir(server.dataDir);
});

/** A task that was cancelled while it waited, as somebody may want to try it again. */
async function cancelled(name: string): Promise<void> {
  const asynchronous = { prefer: 'respond-async' };
  await insert(server.url, 'busy', { name: 'wait-1500.txt', bytes: 'x' }, asynchronous);
  const answer = await insert(server.url, name, { name, bytes: name }, asynchronous);
  const { task_id: id } = (await answer.json()) as { task_id: string };
  expect((await fetch(`${server.url}/task/${id}`, { method: 'DELETE' })).status).toBe(200);
}

describe('behind a proxy', () => {
  it('works under a path prefix and another host name, from the upload to the PDF page and the retry', async () => {
    const proxy = await startProxy({ target: server.url, prefix: '/tools/rag' });
    const outside: string[] = [];
    const { page, incidents, close } = await openPage(browser, proxy.url);
    page.on('request', (request) => {
      const { protocol, pathname } = new URL(request.url());
      if (protocol === 'http:' && !pathname.startsWith('/tools/rag/')) outside.push(request.url());
    });

    await page.setInputFiles('#files', [{ name: chinesePdf.name, mimeType: 'application/pdf', buffer: chinesePdf.bytes }]);
    await page.locator('.batch-head .primary').click();
    await page.locator('.upload-row.is-completed').waitFor();
    await page.getByRole('link', { name: 'Search', exact: true }).click();
    await page.locator('#query').fill(chinesePdf.query);
    await page.locator('.hit').first().click();
    await page.locator('.mark-word').first().waitFor();
    await cancelled('second.txt');
    await page.getByRole('link', { name: /^Tasks/ }).click();
    const retried = page.waitForResponse((response) => response.url().endsWith('/retry'));
    await page.getByRole('button', { name: 'Retry: second.txt' }).click();

    expect((await retried).status()).toBe(202);
    expect(outside).toEqual([]);
    expect(incidents).toEqual([]);
    await close();
    await proxy.close();
  });

  it('takes a broken event stream up again where it was', async () => {
    const proxy = await startProxy({ target: server.url, prefix: '' });
    const { page, close } = await openPage(browser, `${proxy.url}#/tasks`);
    await page.getByText('Live', { exact: true }).waitFor();
    await insert(server.url, 'one', { name: 'one.txt', bytes: 'One.' });
    await page.locator('.task-row').filter({ hasText: 'one.txt' }).waitFor();

    proxy.breakStreams();
    await until('the stream is asked for again', () => proxy.streamsFrom.length === 2);
    await insert(server.url, 'two', { name: 'two.txt', bytes: 'Two.' });
    await page.locator('.task-row').filter({ hasText: 'two.txt' }).getByText('Completed').waitFor();

    expect(proxy.streamsFrom[0]).toBe('');
    expect(proxy.streamsFrom[1]).not.toBe('');
    await close();
    await proxy.close();
  });

  it('polls where event streams do not come through', async () => {
    const proxy = await startProxy({ target: server.url, prefix: '', refuseStreams: true });
    const { page, close } = await openPage(browser, `${proxy.url}#/tasks`);
    await page.getByText('Live, every 2 seconds').waitFor();

    await insert(server.url, 'polled', { name: 'polled.txt', bytes: 'Polled.' });
    await page.locator('.task-row').filter({ hasText: 'polled.txt' }).getByText('Completed').waitFor();

    await close();
    await proxy.close();
  });
});
