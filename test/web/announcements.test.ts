/** What is told to people who do not see the page: everything that changes without their doing, or as they have asked for it. */
import type { ServerResponse } from 'node:http';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, it } from 'vitest';
import { en } from '../../src/web/en.ts';
import { zh } from '../../src/web/zh.ts';
import { until } from '../support/until.ts';
import { launchBrowser, openPage } from './support/browser.ts';
import { aDocument, aHit, aTask, startStandIn, type StandIn } from './support/stand-in.ts';

let server: StandIn;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([startStandIn(), launchBrowser()]);
});

afterAll(async () => {
  await browser.close();
  await server.close();
});

/** Writes down every sentence that comes into a live region: what a screen reader would say by itself. */
async function listen(page: Page): Promise<void> {
  await page.evaluate(() => {
    const heard: string[] = [];
    Object.assign(window, { heard });
    new MutationObserver((changes) => {
      for (const { target } of changes) {
        const element = target instanceof Element ? target : target.parentElement;
        const region = element?.closest('[role=status], [role=alert], [aria-live=polite], [aria-live=assertive]');
        const text = region?.textContent?.trim() ?? '';
        if (text !== '') heard.push(text);
      }
      // A region that comes with its sentence is read when it is an alert.
      for (const alert of document.querySelectorAll('[role=alert], .notice[role=status], .left-behind[role=status]')) {
        const text = alert.textContent?.trim() ?? '';
        if (text !== '' && heard.at(-1) !== text) heard.push(text);
      }
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
}

const heard = (page: Page, sentence: string): Promise<void> =>
  until(`“${sentence}” is said`, () =>
    page.evaluate((wanted) => (window as unknown as { heard: string[] }).heard.some((each) => each.includes(wanted)), sentence),
  );

it.each([
  ['en', en],
  ['zh', zh],
] as const)('everything that happens is said, in the page’s language (%s)', async (language, t) => {
  server.documents = [aDocument(1, { doc_id: 'one', filename: 'one.txt' }), aDocument(2, { doc_id: 'two', filename: 'two.txt' })];
  server.tasks = [aTask(1, { status: 'failed', error: 'x', error_code: 'stalled', retryable: true, filename: 'failed.pdf' })];
  server.hits = [aHit('one', 0, 'Some text')];
  server.instead = async (req, res, path) => {
    if (path !== '/insert' && !path.endsWith('/retry')) return false;
    for await (const _ of req);
    const isUpload = path === '/insert';
    res.writeHead(isUpload ? 202 : 409, { 'content-type': 'application/json' });
    res.end(JSON.stringify(isUpload ? aTask(50) : { status: 409, code: 'conflict', detail: 'Not now.' }));
    return true;
  };
  const { page, close } = await openPage(browser, `${server.url}/#/upload`, { language });
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await listen(page);

  const file = (name: string) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(name) });
  await page.setInputFiles('#files', [file('one'), file('new.txt')]);
  await heard(page, t.upload.takenCount(1));
  await page.locator('.batch-head .primary').click();
  await heard(page, t.upload.summary(1, 2, 0));
  await page.getByRole('button', { name: t.upload.copySummary }).click();
  await heard(page, t.copied);

  await page.getByRole('link', { name: t.views.tasks, exact: true }).click();
  await page.getByRole('button', { name: t.tasks.actionOn(t.tasks.retry, 'failed.pdf') }).click();
  await heard(page, t.upload.notRetried('failed.pdf'));

  await page.getByRole('link', { name: t.views.documents, exact: true }).click();
  await page.getByRole('checkbox', { name: t.selection.choose('two.txt') }).click();
  await heard(page, t.selection.chosen('1'));
  await page.getByRole('button', { name: t.documents.actionOn(t.documents.remove, 'one.txt') }).click();
  await page.getByRole('dialog').getByRole('button', { name: t.documents.confirm }).click();
  await heard(page, t.documents.leavingMany('one.txt'));
  // The focus is where the way back is, and not lost with the button that was there.
  await until('it has the focus', () =>
    page.evaluate(
      (name) => document.activeElement?.getAttribute('aria-label') === name,
      t.documents.actionOn(t.documents.undo, 'one.txt'),
    ),
  );
  await page.keyboard.press('Enter');

  await page.getByRole('link', { name: t.views.search, exact: true }).click();
  await page.locator('#query').fill('passage');
  await heard(page, t.search.found('1', '1', '3'));
  server.hits = [];
  await page.locator('#query').fill('nothing');
  await heard(page, t.search.none('nothing'));

  const owed: ServerResponse[] = [];
  server.instead = (_req, res) => owed.push(res) > 0;
  await heard(page, t.connection.offline);
  await heard(page, t.offline);
  server.instead = null;
  for (const res of owed) res.destroy();
  await heard(page, t.connection.live);
  await close();
});
