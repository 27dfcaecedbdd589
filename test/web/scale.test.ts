import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, openPage } from './support/browser.ts';
import { aDocument, aTask, startStandIn, type StandIn } from './support/stand-in.ts';

let server: StandIn;
let browser: Browser;
const taskCount = 100_000;
const documentCount = 10_000;

beforeAll(async () => {
  [server, browser] = await Promise.all([startStandIn(), launchBrowser()]);
});

afterAll(async () => {
  await browser.close();
  await server.close();
});

/** What one visit took: time to the first rows, and bytes and requests until then. */
async function visit(
  view: string,
  rows: string,
): Promise<{ firstRowsMs: number; bytes: number; page: Page; close: () => Promise<void> }> {
  const { page, close } = await openPage(browser, `${server.url}/#/${view}`);
  await page.locator(rows).first().waitFor();
  const figures = await page.evaluate(() => {
    const entries = performance.getEntriesByType('resource') as PerformanceResourceTiming[];
    // Of what is asked for again every two seconds, the first answer only.
    const lists = entries.filter(
      ({ name }, at) => /\/(tasks|documents)\?/.test(name) && entries.findIndex((each) => each.name === name) === at,
    );
    return {
      firstRowsMs: Math.max(...lists.map(({ responseEnd }) => responseEnd)),
      bytes: lists.reduce((sum, each) => sum + each.decodedBodySize, 0),
    };
  });
  return { ...figures, page, close };
}

describe(`${documentCount} documents and ${taskCount} tasks`, () => {
  it('cost no more before the first rows are seen than a few of them, and stay few on the page', async () => {
    server.tasks = Array.from({ length: 60 }, (_, index) => aTask(60 - index));
    server.documents = Array.from({ length: 60 }, (_, index) => aDocument(index));
    const few = { tasks: await visit('tasks', '.task-row'), documents: await visit('documents', '.document-row') };
    server.tasks = Array.from({ length: taskCount }, (_, index) => aTask(taskCount - index));
    server.documents = Array.from({ length: documentCount }, (_, index) => aDocument(index));

    for (const view of ['tasks', 'documents'] as const) {
      const many = await visit(view, view === 'tasks' ? '.task-row' : '.document-row');
      console.log(
        `${view}: first rows after ${Math.round(few[view].firstRowsMs)} ms with few, ${Math.round(many.firstRowsMs)} ms with many`,
      );
      expect(many.bytes).toBeLessThan(few[view].bytes * 1.5);

      const blocked = await longestTask(many.page, async () => {
        for (let turns = 0; turns < 20; turns += 1) await many.page.mouse.wheel(0, 2000);
        await many.page.locator('.filters input[type=search]').pressSequentially('9 9', { delay: 30 });
      });
      console.log(`${view}: longest task while scrolling and typing ${blocked.toFixed(1)} ms`);
      expect(blocked).toBeLessThan(50);
      expect(await many.page.locator('.row').count()).toBeLessThan(60);
      await many.close();
    }
    await few.tasks.close();
    await few.documents.close();
  });
});

/**
 * The most of its processor that one task of the page took while `act` went on, in ms: unlike its duration that does not grow with what
 * else the machine does.
 */
async function longestTask(page: Page, act: () => Promise<void>): Promise<number> {
  const client = await page.context().newCDPSession(page);
  const longest = { ms: 0, tasks: 0 };
  client.on('Tracing.dataCollected', ({ value }) => {
    for (const { name, tdur = 0 } of value as unknown as { name: string; tdur?: number }[]) {
      if (name !== 'RunTask') continue;
      longest.tasks += 1;
      longest.ms = Math.max(longest.ms, tdur / 1000);
    }
  });
  const isOver = new Promise<unknown>((resolve) => client.once('Tracing.tracingComplete', resolve));
  const traceConfig = { includedCategories: ['disabled-by-default-devtools.timeline', 'devtools.timeline'] };
  await client.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig });
  await act();
  await client.send('Tracing.end');
  await isOver;
  await client.detach();
  expect(longest.tasks).toBeGreaterThan(20);
  return longest.ms;
}
