import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { axeFindings } from './support/axe.ts';
import { launchBrowser, openPage, setLook } from './support/browser.ts';
import { until } from '../support/until.ts';
import { aDocument, aTask, startStandIn, type StandIn } from './support/stand-in.ts';

let server: StandIn;
let browser: Browser;
let open: object;

beforeAll(async () => {
  [server, browser] = await Promise.all([startStandIn(), launchBrowser()]);
  open = server.config;
});

beforeEach(() => {
  server.instead = null;
  server.config = open;
  server.tasks = [
    aTask(2, { status: 'pending', stage: 'queued', filename: 'waiting.pdf' }),
    aTask(1, { status: 'failed', error: 'torn', error_code: 'corrupt', retryable: false, filename: 'torn.pdf' }),
  ];
  server.documents = [aDocument(1)];
});

afterAll(async () => {
  await browser.close();
  await server.close();
});

describe('a key that may only read', () => {
  it('sees nothing that it may not do', async () => {
    server.config = { ...open, auth: 'key', key: { name: 'reader', scope: 'read' } };
    const { page, incidents, close } = await openPage(browser, server.url);
    await page.locator('#query').waitFor();

    expect(await page.locator('nav a > span:first-of-type').allTextContents()).toEqual(['Tasks', 'Documents', 'Search', 'System']);
    await page.goto(`${server.url}/#/documents`);
    await page.locator('.document-row').waitFor();
    expect(await page.getByRole('button', { name: /Delete/ }).count()).toBe(0);
    await page.goto(`${server.url}/#/tasks`);
    await page.locator('.task-row').nth(1).waitFor();
    expect(await page.getByRole('button', { name: /Cancel|Stop|Retry/ }).count()).toBe(0);
    expect(incidents).toEqual([]);
    await close();
  });
});

describe('a refusal', () => {
  it.each([
    {
      language: 'en' as const,
      cancel: 'Cancel: waiting.pdf',
      what: 'waiting.pdf was not cancelled.',
      why: /Your API key does not allow this\./,
    },
    { language: 'zh' as const, cancel: '取消：waiting.pdf', what: 'waiting.pdf 未能取消。', why: /^您的 API 密钥没有此权限。$/ },
  ])(
    'is seen once, with its reason, in the language of the page, until it is closed ($language)',
    async ({ language, cancel, what, why }) => {
      const asked: string[] = [];
      const locale = language === 'zh' ? 'zh-CN' : 'en';
      server.instead = (req, res) => {
        if (req.method !== 'DELETE') return false;
        asked.push(String(req.headers['accept-language']));
        res.writeHead(403, { 'content-type': 'application/problem+json' });
        res.end(JSON.stringify({ status: 403, code: 'forbidden', detail: 'This needs a key with scope write.' }));
        return true;
      };
      const { page, close } = await openPage(browser, `${server.url}/#/tasks`, { language });

      for (let times = 0; times < 2; times += 1) await page.getByRole('button', { name: cancel }).click();
      const notice = page.locator('.notice');
      await notice.waitFor();
      await until('both were refused', () => asked.length === 2);

      expect(await notice.count()).toBe(1);
      expect(await notice.locator('p bdi').first().textContent()).toBe(what);
      expect(await notice.locator('.reason').textContent()).toMatch(why);
      expect(await notice.getAttribute('role')).toBe('alert');
      // The server's sentences come in that language too.
      expect(asked).toEqual([locale, locale]);
      for (const theme of ['light', 'dark'] as const) {
        await setLook(page, { theme, language });
        expect(await axeFindings(page)).toEqual([]);
      }
      await notice.locator('button').click();
      await notice.waitFor({ state: 'detached' });
      await close();
    },
  );
});

describe('a failed task', () => {
  it('offers another try only where it can help, and has no stage', async () => {
    server.tasks = [
      aTask(3, {
        status: 'failed',
        error: 'Task cancelled by user',
        error_code: 'cancelled',
        retryable: true,
        filename: 'again.pdf',
      }),
      ...server.tasks,
    ];
    const { page, close } = await openPage(browser, `${server.url}/#/tasks`);
    await page.locator('.task-row').nth(2).waitFor();

    expect(await page.getByRole('button', { name: /Retry/ }).count()).toBe(1);
    await page.getByRole('link', { name: 'Details of torn.pdf' }).click();
    await page.getByText('Details', { exact: true }).click();
    expect(await page.locator('dialog dt').allTextContents()).not.toContain('Step');
    expect(await page.locator('dialog dd').allTextContents()).not.toContain('Done');
    await close();
  });
});

describe('dates', () => {
  it('have a year where it is another one, 24 hours everywhere, and are there at 360 px', async () => {
    const now = new Date();
    server.documents = [
      aDocument(1, { inserted_at: new Date(Date.UTC(now.getFullYear(), 0, 2, 15, 4)).toISOString() }),
      aDocument(2, { inserted_at: '2019-03-04T15:04:05.000Z' }),
    ];
    server.tasks = [aTask(1, { created_at: '2019-03-04T15:04:05.000Z' })];
    const { page, close } = await openPage(browser, `${server.url}/#/documents`, { width: 360, height: 700 });
    await page.locator('.document-row').nth(1).waitFor();

    for (const time of await page.locator('.document-time').all()) expect(await time.isVisible()).toBe(true);
    expect(await page.locator('.document-time').allTextContents()).toEqual(['Jan 2, 15:04', 'Mar 4, 2019']);
    await page.goto(`${server.url}/#/tasks`);
    await page.locator('.task-row .name').click();
    await page.locator('dialog').waitFor();
    expect(await page.locator('.task-time').isVisible()).toBe(true);
    expect(await page.locator('dialog').textContent()).toContain('Mar 4, 2019, 15:04:05');
    await close();
  });
});
