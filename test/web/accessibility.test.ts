import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insert, makeDataDir, removeDir, startServer, type TestServer } from '../support/server.ts';
import { launchBrowser, openPage } from './support/browser.ts';
import { chinesePdf, englishPdf } from './support/documents.ts';

let server: TestServer;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([
    startServer({
      dataDir: await makeDataDir(),
      rigged: true,
      env: { MAX_CONCURRENT_TASKS: '1', PAGE_TIMEOUT_MS: '3600000', PARSE_TIMEOUT_MS: '3600000' },
    }),
    launchBrowser(),
  ]);
  for (const { name, bytes } of [englishPdf, chinesePdf]) await insert(server.url, name, { name, bytes });
  await insert(server.url, 'minutes', {
    name: 'minutes.md',
    bytes: '# Minutes\n\nThe lighthouse lamp was discussed.\n\n| a | b |\n| - | - |\n| 1 | 2 |',
  });
  await insert(server.url, 'broken', { name: 'broken.pdf', bytes: '%PDF-1.7 and then nothing of the kind' });
  const asynchronous = { prefer: 'respond-async' };
  await insert(server.url, 'running', { name: 'hang-parsing.txt', bytes: 'x' }, asynchronous);
  await insert(server.url, 'waiting', { name: 'waiting.txt', bytes: 'y' }, asynchronous);
});

afterAll(async () => {
  await browser.close();
  await server.stop();
  await removeDir(server.dataDir);
});

type State = {
  readonly name: string;
  readonly hash: string;
  /** Brings the view into the state, after it has opened. */
  readonly prepare?: (page: Page) => Promise<void>;
};

const states: readonly State[] = [
  { name: 'upload, empty', hash: '#/upload' },
  {
    name: 'upload, files in every state',
    hash: '#/upload',
    async prepare(page) {
      await page.setInputFiles('#files', [
        { name: 'good.txt', mimeType: 'text/plain', buffer: Buffer.from(`A line for ${page.url()}`) },
        { name: 'broken.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.7 no') },
        { name: 'empty.txt', mimeType: 'text/plain', buffer: Buffer.alloc(0) },
      ]);
      await page.locator('.batch-head .primary').click();
      await page.locator('.upload-row .stages').first().waitFor();
      await page.setInputFiles('#files', { name: 'next.txt', mimeType: 'text/plain', buffer: Buffer.from('n') });
      await page.locator('.doc-id input').fill('');
    },
  },
  { name: 'tasks', hash: '#/tasks', prepare: (page) => page.locator('.task-row').first().waitFor() },
  {
    name: 'a failed task, opened',
    hash: '#/tasks?status=failed',
    async prepare(page) {
      await page.locator('.task-row .name').first().click();
      await page.locator('dialog .failure').waitFor();
    },
  },
  {
    name: 'the question before a running task is stopped',
    hash: '#/tasks?status=processing',
    async prepare(page) {
      await page.locator('.task-row .row-actions button').first().click();
      await page.locator('dialog #question').waitFor();
    },
  },
  { name: 'tasks, none', hash: '#/tasks?q=no-such-thing', prepare: (page) => page.locator('.nothing').waitFor() },
  { name: 'documents', hash: '#/documents', prepare: (page) => page.locator('.document-row').first().waitFor() },
  {
    name: 'the question before a document is deleted',
    hash: '#/documents',
    async prepare(page) {
      await page.locator('.document-row .row-actions button').first().click();
      await page.locator('dialog #question').waitFor();
    },
  },
  { name: 'the text of a document', hash: '#/documents?text=minutes', prepare: (page) => page.locator('.block').first().waitFor() },
  { name: 'search, empty', hash: '#/search' },
  { name: 'search, hits', hash: '#/search?q=lighthouse', prepare: (page) => page.locator('.hit').first().waitFor() },
  { name: 'search, nothing found', hash: '#/search?q=qqqqzzzz&doc=minutes', prepare: (page) => page.locator('.nothing').waitFor() },
  {
    name: 'a hit on its PDF page',
    hash: `#/search?q=${encodeURIComponent('lighthouse lamp ledger')}&doc=${encodeURIComponent(englishPdf.name)}`,
    async prepare(page) {
      await page.locator('.hit').first().click();
      await page.locator('.mark-word').first().waitFor();
    },
  },
  {
    name: 'a hit in its text',
    hash: '#/search?q=discussed&doc=minutes',
    async prepare(page) {
      await page.locator('.hit').first().click();
      await page.locator('.viewer mark').first().waitFor();
    },
  },
  { name: 'system', hash: '#/system', prepare: (page) => page.locator('.facts').waitFor() },
];

describe.each(['en', 'zh'] as const)('in both themes, in %s', (language) => {
  it.each(states)('axe finds nothing against WCAG 2.2 AA: $name', async ({ hash, prepare }) => {
    const { page, incidents, close } = await openPage(browser, `${server.url}/${hash}`, { language });
    await prepare?.(page);

    for (const theme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: theme });
      await page.locator(`html[data-theme=${theme}]`).waitFor();
      expect({ theme, found: await axe(page) }).toEqual({ theme, found: [] });
    }

    expect(incidents).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.lang)).toBe(language === 'zh' ? 'zh-CN' : 'en');
    await close();
  });
});

describe.each(['en', 'zh'] as const)('in a narrow window, in %s', (language) => {
  it('nothing needs sideways scrolling and no control is cut off, 320 px wide and at 1280 px with 200 % zoom', async () => {
    const overflowing: string[] = [];
    for (const { name, hash, prepare } of states) {
      const { page, close } = await openPage(browser, `${server.url}/${hash}`, { language, width: 320, height: 640 });
      await prepare?.(page);
      for (const problem of await sidewaysProblems(page)) overflowing.push(`${name}, 320 px: ${problem}`);
      await page.setViewportSize({ width: 640, height: 400 });
      for (const problem of await sidewaysProblems(page)) overflowing.push(`${name}, 640 px: ${problem}`);
      await close();
    }
    expect(overflowing).toEqual([]);
  });
});

describe('without motion', () => {
  it('nothing turns or slides for those who asked for that', async () => {
    const { page, close } = await openPage(browser, `${server.url}/#/tasks`);
    await page.locator('.task-row').first().waitFor();

    const moving = await page.evaluate(
      () => document.getAnimations().filter((animation) => animation.playState === 'running').length,
    );

    expect(moving).toBe(0);
    await close();
  });
});

/** What axe holds against the page, one line a rule. */
async function axe(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
}

/** The page wider than the window, and controls that reach out of it. */
function sidewaysProblems(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const problems: string[] = [];
    const extra = document.documentElement.scrollWidth - window.innerWidth;
    if (extra > 0) problems.push(`${extra} px too wide`);
    for (const control of document.querySelectorAll('a, button, input')) {
      const box = control.getBoundingClientRect();
      const isShown = box.width > 1 && box.bottom > 0 && getComputedStyle(control).visibility !== 'hidden';
      const isInOwnScroller = control.closest('.viewer-body, .skip') !== null;
      if (isShown && !isInOwnScroller && (box.right > window.innerWidth + 1 || box.left < -1)) {
        problems.push(`${control.outerHTML.slice(0, 100)} from ${Math.round(box.left)} to ${Math.round(box.right)}`);
      }
    }
    return problems;
  });
}
