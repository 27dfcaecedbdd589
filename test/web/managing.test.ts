import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { insert, makeDataDir, removeDir, startServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { axeFindings } from './support/axe.ts';
import { launchBrowser, openPage, setLook } from './support/browser.ts';
import { aDocument, aTask, startStandIn, type StandIn } from './support/stand-in.ts';

let server: StandIn;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([startStandIn(), launchBrowser()]);
});

beforeEach(() => {
  server.instead = null;
  server.asked.length = 0;
  server.tasks = [];
  server.documents = Array.from({ length: 451 }, (_, index) =>
    aDocument(index, { filename: `name ${String(450 - index).padStart(4, '0')}.txt` }),
  );
});

afterAll(async () => {
  await browser.close();
  await server.close();
});

const names = (page: Page): Promise<string[]> => page.locator('.row .name').allTextContents();

describe('documents', () => {
  it('are found by name and sorted by the server, however many there are', async () => {
    const { page, incidents, close } = await openPage(browser, `${server.url}/#/documents`);
    await page.locator('.document-row').first().waitFor();

    await page.getByLabel('Find by name or ID').fill('0003');
    await until('one is left', async () => (await names(page)).join() === 'name 0003.txt');
    expect(await page.locator('.known').textContent()).toBe('1 document');
    await page.getByLabel('Find by name or ID').fill('');
    await page.getByLabel('Sort by').selectOption('filename');
    await until('they are sorted', async () => (await names(page))[0] === 'name 0000.txt');

    expect(page.url()).toContain('sort=filename');
    expect(incidents).toEqual([]);
    await close();
  });

  it('are chosen by click, shift, or all that match, and deleted together with a time to undo', async () => {
    const { page, incidents, close } = await openPage(browser, `${server.url}/#/documents`);
    const box = (name: string) => page.getByRole('checkbox', { name: `Select ${name}` });
    await box('name 0450.txt').click();
    await box('name 0447.txt').click({ modifiers: ['Shift'] });
    expect(await page.locator('.selection-bar p').textContent()).toBe('4 selected');
    for (const theme of ['light', 'dark'] as const) {
      await setLook(page, { theme, language: 'en' });
      expect(await axeFindings(page)).toEqual([]);
    }

    await page.locator('.selection-bar').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.locator('.notice').getByRole('button', { name: 'Undo' }).click();
    await page.locator('.leaving').first().waitFor({ state: 'detached' });
    expect(server.documents).toHaveLength(451);

    await page.getByLabel('Find by name or ID').fill('name 04');
    await until(
      'those are listed',
      async () =>
        (await page.locator('.known').textContent()) === '51 documents' ||
        (await page.locator('.known').textContent())?.startsWith('50 ') === true,
    );
    await box('name 0450.txt').click();
    await page.getByRole('button', { name: 'Select all that match' }).click();
    await page.getByText('51 selected').waitFor();
    await page.locator('.selection-bar').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await until('they are gone', () => server.documents.length === 400);

    expect(server.asked.filter((line) => line.startsWith('DELETE')).length).toBeLessThan(5);
    expect(incidents).toEqual([]);
    await close();
  });
});

describe('tasks', () => {
  it('are found by name among all that the server has, and counted on their tabs', async () => {
    server.tasks = [
      aTask(9001, { status: 'processing', stage: 'parsing', filename: 'now.pdf' }),
      ...Array.from({ length: 3000 }, (_, index) => aTask(3000 - index)),
    ];
    const { page, close } = await openPage(browser, `${server.url}/#/tasks`);
    await page.locator('.task-row').first().waitFor();
    await page.locator('.segments .tab-count').waitFor();
    expect(await page.locator('.segments a').filter({ hasText: 'Processing' }).textContent()).toBe('Processing 1');

    await page.getByLabel('Find by file name or ID').fill('report 7.pdf');

    await until('it is found', async () => (await names(page)).join() === 'report 7.pdf');
    await close();
  });

  it('are chosen together and tried again or cancelled, by keyboard alone', async () => {
    server.tasks = [
      aTask(3, { status: 'pending', stage: 'queued', filename: 'waiting.pdf' }),
      aTask(2, { status: 'failed', error: 'x', error_code: 'stalled', retryable: true, filename: 'again.pdf' }),
      aTask(1, { status: 'failed', error: 'x', error_code: 'corrupt', retryable: false, filename: 'torn.pdf' }),
    ];
    const changes: string[] = [];
    server.instead = (req, res) => {
      if (req.method !== 'DELETE' && !req.url?.endsWith('/retry')) return false;
      changes.push(`${req.method} ${req.url}`);
      res.writeHead(202, { 'content-type': 'application/json' }).end('{}');
      return true;
    };
    const { page, close } = await openPage(browser, `${server.url}/#/tasks`);
    for (const name of ['waiting.pdf', 'again.pdf', 'torn.pdf']) {
      await page.getByRole('checkbox', { name: `Select ${name}` }).focus();
      await page.keyboard.press('Space');
    }
    for (const name of ['Retry (1)', 'Cancel (1)']) {
      await page.getByRole('button', { name }).focus();
      await page.keyboard.press('Enter');
    }

    await until('both are asked for', () => changes.length === 2);
    expect(changes).toEqual([`POST /task/${aTask(2).task_id}/retry`, `DELETE /task/${aTask(3).task_id}`]);
    await close();
  });
});

describe('details of a document', () => {
  it('are shown, changed, and lead to all that have them; folders of an upload are among them', async () => {
    const real = await startServer({ dataDir: await makeDataDir() });
    for (const name of ['one', 'two', 'three']) await insert(real.url, name, { name: `${name}.txt`, bytes: name });
    const { page, incidents, close } = await openPage(browser, `${real.url}/#/documents`);
    await page.getByRole('checkbox', { name: 'Select one.txt' }).click();
    await page.getByRole('checkbox', { name: 'Select two.txt' }).click();
    await page.getByRole('button', { name: 'Edit details' }).click();
    await page.getByLabel('Name', { exact: true }).fill('year');
    await page.getByLabel('Value').fill('2024');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('The details of 2 documents were saved.').waitFor();

    await page.goto(`${real.url}/#/documents?text=one`);
    await page.getByText('Details', { exact: true }).click();
    await page.getByRole('button', { name: 'Edit details' }).click();
    await page.getByLabel('Title').fill('The first one');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('The details of one.txt were saved.').waitFor();
    expect(await axeFindings(page)).toEqual([]);
    await page.getByRole('link', { name: '2024' }).click();
    await until('two are listed', async () => (await names(page)).sort().join() === 'one.txt,two.txt');

    await page.locator('.chip').getByRole('link', { name: 'Search in it' }).click();
    await page.locator('#query').fill('one two three');
    await page.locator('.hit').nth(1).waitFor();
    expect((await page.locator('.hit .name').allTextContents()).sort()).toEqual(['one.txt', 'two.txt']);
    expect(await page.locator('.hit .match').count()).toBe(2);

    const record = (await (await fetch(`${real.url}/documents/one`)).json()) as { title: string; metadata: object };
    expect(record).toMatchObject({ title: 'The first one', metadata: { year: 2024 } });
    expect(incidents).toEqual([]);
    await close();
    await real.stop();
    await removeDir(real.dataDir);
  });
});

describe('tasks', () => {
  it('are sorted by the server, page by page, beside a find and a tab, and what comes meanwhile takes its place', async () => {
    server.tasks = Array.from({ length: 451 }, (_, index) =>
      aTask(451 - index, {
        filename: `name ${String(450 - index).padStart(4, '0')}.txt`,
        ...(index % 100 === 0 ? { status: 'failed' } : {}),
      }),
    );
    const { page, incidents, close } = await openPage(browser, `${server.url}/#/tasks`);
    await page.locator('.task-row').first().waitFor();

    await page.getByLabel('Sort by').selectOption('filename');
    await until('they are sorted', async () => (await names(page))[0] === 'name 0000.txt');
    expect(page.url()).toContain('sort=filename');
    await until('the last one is there', async () => {
      await page.evaluate(() => window.scrollTo(0, document.documentElement.scrollHeight));
      const seen = await names(page);
      expect(seen).toEqual(seen.toSorted());
      return seen.includes('name 0450.txt');
    });

    server.send(aTask(9999, { filename: 'name 0450 again.txt' }));
    await until('the new one is behind the last', async () => {
      const seen = await names(page);
      return seen.includes('name 0450 again.txt') && seen.join() === seen.toSorted().join();
    });
    await page.getByRole('link', { name: /^Failed/ }).click();
    await until('only failed ones are left', async () => (await names(page)).length === 5);
    expect(await names(page)).toEqual([0, 1, 2, 3, 4].map((hundred) => `name 0${hundred}50.txt`));
    expect(page.url()).toContain('sort=filename');
    expect(incidents).toEqual([]);
    await close();
  });

  it('are counted on their tabs in words that are apart', async () => {
    server.tasks = [aTask(3, { status: 'failed' }), aTask(2), aTask(1)];
    const { page, close } = await openPage(browser, `${server.url}/#/tasks`);

    await page.getByRole('link', { name: 'Completed 2', exact: true }).waitFor();
    await page.getByRole('link', { name: 'Failed 1', exact: true }).waitFor();
    await close();
  });
});
