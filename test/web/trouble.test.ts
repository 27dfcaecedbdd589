import type { Browser } from 'playwright-core';
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { en } from '../../src/web/en.ts';
import { zh } from '../../src/web/zh.ts';
import { launchBrowser, openPage } from './support/browser.ts';
import { aDocument, aTask, startStandIn, type StandIn } from './support/stand-in.ts';

let server: StandIn;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([startStandIn(), launchBrowser()]);
});

beforeEach(() => {
  server.instead = null;
  server.tasks = [aTask(1)];
  server.documents = [aDocument(1)];
});

afterAll(async () => {
  await browser.close();
  await server.close();
});

type Trouble = {
  readonly server: string;
  readonly begin: () => void;
  /** What every view says of it. */
  readonly says: Readonly<Record<'en' | 'zh', RegExp>>;
  readonly isAway: boolean;
};

const troubles: readonly Trouble[] = [
  {
    server: 'is frozen',
    begin: () => {
      server.instead = (_req, res) => owed.push(res) > 0;
    },
    says: { en: /^The server is not responding\./, zh: /^服务器没有响应。/ },
    isAway: true,
  },
  {
    server: 'is being restarted',
    begin: () => {
      server.instead = (req) => req.socket.destroy() !== undefined;
      server.hangUp();
    },
    says: { en: /^The server is not responding\./, zh: /^服务器没有响应。/ },
    isAway: true,
  },
  {
    server: 'refuses everything',
    begin: () => {
      server.instead = (_req, res) => {
        res.writeHead(503, { 'content-type': 'application/problem+json', 'retry-after': '1' });
        res.end(JSON.stringify({ status: 503, code: 'unavailable', detail: 'RAG service is not ready.' }));
        return true;
      };
      server.hangUp();
    },
    says: { en: /The service is starting|The server is not responding/, zh: /服务正在启动|服务器没有响应/ },
    isAway: true,
  },
  {
    server: 'has a full disk',
    begin: () => {
      server.store = 'full';
    },
    says: { en: /^The disk is full\./, zh: /^磁盘已满。/ },
    isAway: false,
  },
];

/** Answers that a frozen server never gives. */
const owed: ServerResponse[] = [];

describe.each(troubles)('a server that $server', ({ begin, says, isAway }) => {
  it.each(['en', 'zh'] as const)('is said on every view within 5 s, and no longer when it is over (%s)', async (language) => {
    const t = language === 'en' ? en : zh;
    const { page, close } = await openPage(browser, `${server.url}/#/tasks`, { language });
    await page.getByText(t.connection.live, { exact: true }).waitFor();
    const views = ['documents', 'search', 'system', 'upload', 'tasks'] as const;
    const open = (view: (typeof views)[number]): Promise<void> =>
      page.getByRole('link', { name: t.views[view], exact: true }).click();
    for (const view of views) await open(view);
    await page.locator('.task-row').waitFor();

    begin();
    const saidAfterMs = await page.evaluate(async () => {
      const startMs = performance.now();
      while (document.querySelector('.banner') === null) await new Promise((resolve) => requestAnimationFrame(resolve));
      return performance.now() - startMs;
    });
    console.log(`said after ${Math.round(saidAfterMs)} ms`);
    for (const view of views) {
      await open(view);
      expect(await page.locator('.banner').textContent(), view).toMatch(says[language]);
      // Between two attempts to connect.
      if (isAway) await page.locator('.line-text').filter({ hasText: t.connection.offline }).waitFor();
    }

    server.instead = null;
    server.store = 'ready';
    for (const res of owed.splice(0)) res.destroy();
    await page.getByText(t.connection.live, { exact: true }).waitFor();
    await page.waitForFunction(() => document.querySelector('.banner') === null);
    await close();
  });
});

describe('a server that answers late', () => {
  it('is waited for on every view in words, and nothing is called done, empty or found before it has answered', async () => {
    const { page, close } = await openPage(browser, `${server.url}/#/upload`);
    await page.getByText('Live', { exact: true }).waitFor();
    server.instead = (_req, res, path) => /^\/(documents|search|insert|task\/|collections)/.test(path) && owed.push(res) > 0;

    await page.setInputFiles('#files', { name: 'late.txt', mimeType: 'text/plain', buffer: Buffer.from('late') });
    await page.locator('.batch-head .primary').click();
    await page.locator('.upload-row').filter({ hasText: 'Upload' }).waitFor();
    expect(await page.locator('.upload-row.is-completed').count()).toBe(0);
    await page.getByText('0 of 1 done').waitFor();
    await page.getByRole('link', { name: 'Documents', exact: true }).click();
    await page.locator('.known').filter({ hasText: 'Loading…' }).waitFor();
    expect(await page.locator('.nothing').count()).toBe(0);
    await page.goto(`${server.url}/#/documents?text=doc-000001`);
    await page.locator('.paper').getByText('Loading…').waitFor();
    await page.goto(`${server.url}/#/search?q=passage`);
    await page.getByText('Searching for “passage”…').waitFor();
    expect(await page.locator('.nothing').count()).toBe(0);

    server.instead = null;
    for (const res of owed.splice(0)) res.destroy();
    await page.getByRole('link', { name: 'Documents', exact: true }).click();
    await page.locator('.document-row').first().waitFor();
    await close();
  });
});

describe('a script that does not come', () => {
  it('is said: the first one by the page as it was sent, a later one by the page itself', async () => {
    server.instead = (_req, res, path) => {
      if (!/index-.*\.js$/.test(path)) return false;
      res.writeHead(503).end();
      return true;
    };
    const blank = await browser.newPage();
    await blank.goto(server.url);
    await blank.getByText('the page could not be loaded completely').waitFor({ state: 'visible' });
    await blank.close();

    server.instead = (_req, res, path) => {
      if (!/system-view-.*\.js$/.test(path)) return false;
      res.writeHead(503).end();
      return true;
    };
    const { page, close } = await openPage(browser, server.url);
    await page.getByRole('link', { name: 'System' }).click();
    await page.getByRole('button', { name: 'Reload the page' }).waitFor();
    server.instead = null;
    await page.getByRole('button', { name: 'Reload the page' }).click();
    await page.locator('.facts').waitFor();
    await close();
  });
});

describe('on paper', () => {
  it.each(['light', 'dark'] as const)('text is dark on white and the frame is left out (%s)', async (theme) => {
    const { page, close } = await openPage(browser, `${server.url}/#/documents?text=doc-000001`, { theme });
    await page.locator('.block').first().waitFor();
    await page.emulateMedia({ media: 'print', colorScheme: theme });

    const colours = await page.evaluate(() => ({
      text: getComputedStyle(document.querySelector('.block') ?? document.body).color,
      paper: getComputedStyle(document.querySelector('.paper') ?? document.body).backgroundColor,
    }));

    expect(colours).toEqual({ text: 'rgb(27, 29, 31)', paper: 'rgb(255, 255, 255)' });
    expect(await page.locator('nav').isVisible()).toBe(false);
    await close();
  });
});
