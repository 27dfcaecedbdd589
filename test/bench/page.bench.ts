/**
 * `npm run bench -- page`: what a reader waits for on the page, in the figures that Lighthouse names, from a real Chromium without
 * throttling and with an empty cache. Each beside the limit that is set for it.
 */
import type { Browser, Page } from 'playwright-core';
import { insert, makeDataDir, removeDir, startServer, type TestServer } from '../support/server.ts';
import { dropFiles, launchBrowser } from '../web/support/browser.ts';
import { writeEndedTasks } from '../web/support/ended-tasks.ts';
import { percentile } from './process-figures.ts';
import type { Bench, Row } from './bench.ts';

const taskCount = 10_000;
const loads = 5;
const longTaskMs = 50;

export const bench: Bench = {
  title: `the page in Chromium; medians of ${loads} loads`,
  async run() {
    const browser = await launchBrowser();
    const few = await startServer({ dataDir: await makeDataDir() });
    const rows = [...(await measureLoads(browser, 'first load', `${few.url}/#/upload`, '.drop')), await measureDrop(browser, few)];
    await end(few);
    const dataDir = await makeDataDir();
    await writeEndedTasks(dataDir, taskCount);
    const many = await startServer({ dataDir });
    rows.push(...(await measureLoads(browser, `${taskCount} tasks`, `${many.url}/#/tasks`, '.task-row')));
    rows.push(...(await measureScrolling(browser, many)));
    const again = await measureRestart(browser, many, rows);
    await browser.close();
    await end(again);
    return rows;
  },
};

type Load = {
  readonly paintMs: number;
  readonly shownMs: number;
  readonly blockedMs: number;
  readonly shift: number;
  readonly bytes: number;
};

/** Each with an empty cache. */
async function measureLoads(browser: Browser, what: string, url: string, wanted: string): Promise<Row[]> {
  const seen: Load[] = [];
  for (let load = 0; load < loads; load += 1) {
    const page = await open(browser, 'about:blank');
    await page.goto(url);
    await page.locator(wanted).first().waitFor();
    seen.push(await page.evaluate(readLoad));
    await page.context().close();
  }
  const median = (pick: (load: Load) => number): number => percentile(seen.map(pick), 0.5);
  return [
    row(what, 'first contentful paint, ms', Math.round(median(({ paintMs }) => paintMs)), 1000),
    row(what, `${wanted} shown, ms`, Math.round(median(({ shownMs }) => shownMs)), 1000),
    row(what, 'total blocking time, ms', Math.round(median(({ blockedMs }) => blockedMs)), 200),
    row(what, 'cumulative layout shift', Math.round(median(({ shift }) => shift) * 1000) / 1000, 0.1),
    row(
      what,
      'page and assets as sent, bytes',
      median(({ bytes }) => bytes),
      60 * 1024,
    ),
  ];
}

/** Runs in the page. */
function readLoad(): Load {
  const { shown, longTasks, shifts } = (window as unknown as { seen: Seen }).seen;
  const files = [
    ...performance.getEntriesByType('navigation'),
    ...performance.getEntriesByType('resource'),
  ] as PerformanceResourceTiming[];
  return {
    paintMs: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0,
    shownMs: shown,
    blockedMs: longTasks.reduce((sum, ms) => sum + Math.max(0, ms - 50), 0),
    shift: shifts.reduce((sum, value) => sum + value, 0),
    bytes: files
      .filter(({ name }) => /\/(?:assets\/.*)?$/.test(new URL(name).pathname))
      .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0),
  };
}

type Seen = { shown: number; readonly longTasks: number[]; readonly shifts: number[] };

/** A page that notes from its beginning what `readLoad` reads. */
async function open(browser: Browser, url: string): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-US' });
  await context.addInitScript(() => {
    const seen: Seen = { shown: 0, longTasks: [], shifts: [] };
    (window as unknown as { seen: Seen }).seen = seen;
    new PerformanceObserver((list) => seen.longTasks.push(...list.getEntries().map(({ duration }) => duration))).observe({
      type: 'longtask',
      buffered: true,
    });
    new PerformanceObserver((list) =>
      seen.shifts.push(...list.getEntries().map((entry) => (entry as PerformanceEntry & { value: number }).value)),
    ).observe({ type: 'layout-shift', buffered: true });
    const frame = (): void => {
      if (document.querySelector('.drop, .task-row') === null) requestAnimationFrame(frame);
      else seen.shown = performance.now();
    };
    requestAnimationFrame(frame);
  });
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  if (url !== 'about:blank') await page.goto(url);
  return page;
}

async function measureDrop(browser: Browser, server: TestServer): Promise<Row> {
  const page = await open(browser, server.url);
  const files = Array.from({ length: 20 }, (_, index) => ({ name: `dropped ${index}.txt`, text: `File number ${index}.` }));
  await dropFiles(page, files);
  const startMs = performance.now();
  await page.locator('.batch-head .primary').click();
  await page.getByText('20 of 20 done').first().waitFor();
  const tookMs = performance.now() - startMs;
  await page.context().close();
  return row('20 files dropped', 'all done on screen, ms', Math.round(tookMs), '-');
}

/** A wheel turned as fast as a person can, until the last task. */
async function measureScrolling(browser: Browser, server: TestServer): Promise<Row[]> {
  const page = await open(browser, `${server.url}/#/tasks`);
  await page.locator('.task-row').first().waitFor();
  await page.evaluate(() => (window as unknown as { seen: Seen }).seen.longTasks.splice(0));
  let mostRows = 0;
  for (let isEnd = false; !isEnd;) {
    await page.mouse.wheel(0, 5000);
    const now = await page.evaluate((last) => {
      const rows = document.querySelectorAll('.task-row').length;
      return { rows, isEnd: document.querySelector(`.row[aria-posinset="${last}"]`) !== null };
    }, taskCount);
    mostRows = Math.max(mostRows, now.rows);
    isEnd = now.isEnd;
  }
  const longTasks = await page.evaluate(() => (window as unknown as { seen: Seen }).seen.longTasks);
  await page.context().close();
  return [
    row('scrolling to the last', 'longest task, ms', Math.round(Math.max(0, ...longTasks)), 100),
    row('scrolling to the last', `tasks over ${longTaskMs} ms`, longTasks.length, '-'),
    row('scrolling to the last', 'most rows in the page', mostRows, '-'),
  ];
}

/** The server killed and started again with a new task: how long after it is ready the open page is right. */
async function measureRestart(browser: Browser, server: TestServer, rows: Row[]): Promise<TestServer> {
  const page = await open(browser, `${server.url}/#/tasks`);
  await page.locator('.task-row').first().waitFor();
  await server.kill();
  await page.getByText('The server is not responding.').first().waitFor();
  const again = await startServer({ dataDir: server.dataDir, env: { PORT: new URL(server.url).port } });
  const startMs = performance.now();
  await insert(again.url, 'after', { name: 'after.txt', bytes: 'After the restart.' }, { prefer: 'respond-async' });
  await page.locator('.task-row').first().filter({ hasText: 'after.txt' }).filter({ hasText: 'Completed' }).waitFor();
  rows.push(row('killed and restarted', 'table right after it is ready, ms', Math.round(performance.now() - startMs), 5000));
  await page.context().close();
  return again;
}

async function end(server: TestServer): Promise<void> {
  await server.stop();
  await removeDir(server.dataDir);
}

function row(what: string, figure: string, value: number, limit: number | string): Row {
  return { what, figure, value, limit };
}
