import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { insert, makeDataDir, removeDir, startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { launchBrowser, openPage } from './support/browser.ts';

let browser: Browser;
let server: TestServer;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterEach(async () => {
  await server.stop();
  await removeDir(server.dataDir);
});

afterAll(() => browser.close());

async function start(env: Record<string, string> = {}): Promise<TestServer> {
  return startServer({ dataDir: await makeDataDir(), rigged: true, env: { MAX_CONCURRENT_TASKS: '1', ...env } });
}

/** Uploads a file and does not wait for its end; returns the task's id. */
async function submit(name: string, text = name): Promise<string> {
  const response = await insert(server.url, name, { name, bytes: text }, { prefer: 'respond-async' });
  return ((await response.json()) as { task_id: string }).task_id;
}

/** `name: status` of each row on screen. */
async function rows(page: Page): Promise<string[]> {
  return page
    .locator('.task-row')
    .evaluateAll((all) =>
      all.map((row) => `${row.querySelector('.name')?.textContent}: ${row.querySelector('.status')?.textContent}`),
    );
}

/** The same, as the server has it. */
async function truth(): Promise<string[]> {
  const word = { pending: 'Pending', processing: 'Processing', completed: 'Completed', failed: 'Failed' };
  const page = (await (await fetch(`${server.url}/tasks?limit=1000`)).json()) as {
    tasks: { filename: string; status: keyof typeof word }[];
  };
  return page.tasks.map(({ filename, status }) => `${filename}: ${word[status]}`);
}

describe('the task table', () => {
  it('cancels a waiting task, stops a running one after asking, and retries', async () => {
    server = await start();
    await submit('hang-parsing.txt');
    await submit('second.txt');
    const { page, incidents, close } = await openPage(browser, `${server.url}/#/tasks`);
    await page.locator('.status-processing').waitFor();

    await page.getByRole('button', { name: 'Cancel: second.txt' }).click();
    await page.locator('.task-row').filter({ hasText: 'second.txt' }).getByText('Task cancelled by user').waitFor();
    await page.getByRole('button', { name: 'Stop: hang-parsing.txt' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Stop' }).click();
    await page.locator('.task-row').filter({ hasText: 'hang-parsing.txt' }).getByText('Failed').waitFor();
    await page.getByRole('button', { name: 'Retry: second.txt' }).click();
    await page.locator('.task-row').filter({ hasText: 'second.txt' }).getByText('Completed').waitFor();

    expect(await rows(page)).toEqual(await truth());
    expect(incidents).toEqual([]);
    await close();
  });

  it('keeps its filter in the address', async () => {
    server = await start();
    await insert(server.url, 'a', { name: 'apple.txt', bytes: 'Apples.' });
    await insert(server.url, 'b', { name: 'pear.txt', bytes: 'Pears.' });
    await insert(server.url, 'c', { name: 'torn.pdf', bytes: '%PDF-1.4 torn' });
    const { page, close } = await openPage(browser, `${server.url}/#/tasks`);

    await page.getByRole('link', { name: /^Completed/ }).click();
    await page.getByLabel('Find by file name or ID').fill('app');
    await until('one row is left', async () => (await rows(page)).length === 1);
    expect(page.url()).toContain('#/tasks?status=completed&q=app');
    await page.reload();
    await page.locator('.task-row').first().waitFor();

    expect(await rows(page)).toEqual(['apple.txt: Completed']);
    await close();
  });

  it('says of a failed task what happened and what to do, and copies its id', async () => {
    server = await start();
    await insert(server.url, 'c', { name: 'torn.pdf', bytes: '%PDF-1.4 torn' });
    const { page, close } = await openPage(browser, `${server.url}/#/tasks`, { language: 'zh' });
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);

    await page.getByRole('link', { name: 'torn.pdf 的详情' }).click();
    await page.getByRole('heading', { name: '处理建议' }).waitFor();
    await page.getByRole('button', { name: '复制 ID：torn.pdf' }).click();
    const copied = await page.evaluate(() => navigator.clipboard.readText());

    expect(await page.getByRole('dialog').textContent()).toContain(copied);
    await close();
  });

  it('is right again soon after a killed server has come back, without a reload', async () => {
    server = await start();
    const { port } = new URL(server.url);
    for (let index = 0; index < 6; index += 1) await submit(`before-${index}.txt`);
    await submit('wait-1500.txt');
    const { page, close } = await openPage(browser, `${server.url}/#/tasks`);
    await page.locator('.task-row').first().waitFor();

    await server.kill();
    await page.getByText('The server is not responding.').first().waitFor();
    server = await startServer({ dataDir: server.dataDir, rigged: true, env: { PORT: port, MAX_CONCURRENT_TASKS: '1' } });
    const backMs = performance.now();
    await submit('after.txt');
    await until('the table says what the server says', async () => {
      const [shown, real] = [await rows(page), await truth()];
      return shown.length === 8 && shown.join() === real.join();
    });

    console.log(`table right ${Math.round(performance.now() - backMs)} ms after the server was ready again`);
    expect(await page.getByText('The server is not responding.').count()).toBe(0);
    await until('every task has come to its end', async () => {
      const [shown, real] = [await rows(page), await truth()];
      return shown.join() === real.join() && real.every((row) => row.endsWith('Completed'));
    });
    await close();
  });
});
