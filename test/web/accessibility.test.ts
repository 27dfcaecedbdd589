import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insert, makeDataDir, removeDir, startServer, type TestServer } from '../support/server.ts';
import { axeFindings } from './support/axe.ts';
import { launchBrowser, openPage, setLook } from './support/browser.ts';
import { chinesePdf, englishPdf } from './support/documents.ts';
import { focusProblems, forcedColourProblems } from './support/looks.ts';

let server: TestServer;
let browser: Browser;
/** One page for all states: it is loaded anew for each, and opened once. */
let page: Page;
let incidents: string[];

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
  ({ page, incidents } = await openPage(browser, server.url));
});

afterAll(async () => {
  await browser.close();
  // Killed: it would wait for its hanging task.
  await server.kill();
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
      await page.getByRole('button', { name: /^(Details|详细信息)$/ }).click();
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
  {
    name: 'files whose names are taken, and files that were left behind',
    hash: '#/upload',
    async prepare(page) {
      const file = (name: string) => ({ name, mimeType: 'text/plain', buffer: Buffer.from('new') });
      await page.setInputFiles('#files', [file('gone after the reload.txt')]);
      await page.locator('.upload-row').waitFor();
      await page.reload();
      await page.locator('.left-behind').waitFor();
      await page.setInputFiles('#files', [file('minutes'), file(englishPdf.name)]);
      await page.locator('.taken-one').nth(1).waitFor();
    },
  },
  {
    name: 'rows that are chosen, and details for all of them',
    hash: '#/documents',
    async prepare(page) {
      await page.locator('.row-box').first().click();
      await page.locator('.selection-bar button').nth(1).click();
      await page.locator('dialog .edit-form').waitFor();
    },
  },
  {
    name: 'the details of a document, being changed',
    hash: '#/documents?text=minutes',
    async prepare(page) {
      await page.locator('.details summary').click();
      await page.locator('.details > button').click();
      await page.locator('.edit-form').waitFor();
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

describe('every state of the page', () => {
  it.each(states)(
    '$name: WCAG 2.2 AA in both themes and languages, nothing cut off in a narrow window, and seen by keyboard and in the colours of the system',
    async (state) => {
      await page.goto(`${server.url}/${state.hash}`);
      await page.reload();
      // Its language is loaded before anything is drawn.
      await page.locator('h1').first().waitFor({ state: 'attached' });
      await state.prepare?.(page);

      const found: string[] = [];
      for (const theme of ['light', 'dark'] as const) {
        for (const language of ['en', 'zh'] as const) {
          await setLook(page, { theme, language });
          for (const violation of await axeFindings(page)) found.push(`${theme}, ${language}: ${violation}`);
        }
      }
      for (const problem of await forcedColourProblems(page)) found.push(`forced colours: ${problem}`);
      // 640 px is what a window of 1280 px has at 200 % zoom.
      for (const [width, height] of [
        [320, 640],
        [640, 400],
      ] as const) {
        await page.setViewportSize({ width, height });
        for (const language of ['en', 'zh'] as const) {
          await setLook(page, { theme: 'light', language });
          for (const problem of await sidewaysProblems(page)) found.push(`${width} px wide, ${language}: ${problem}`);
        }
      }
      await page.setViewportSize({ width: 1280, height: 800 });
      for (const problem of await focusProblems(page)) found.push(`focus: ${problem}`);

      expect(found).toEqual([]);
      expect(incidents.splice(0)).toEqual([]);
    },
  );
});

describe('without motion', () => {
  it('nothing turns or slides for those who asked for that', async () => {
    await page.goto(`${server.url}/#/tasks`);
    await page.locator('.status-processing').first().waitFor();

    const moving = await page.evaluate(
      () => document.getAnimations().filter((animation) => animation.playState === 'running').length,
    );

    expect(moving).toBe(0);
  });
});

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
