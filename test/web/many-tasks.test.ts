import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Browser } from 'playwright-core';
import { v7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLayout } from '../../src/engines/file/layout.ts';
import { beginTask, createTask, finishTask, type Task, type TaskId } from '../../src/tasks/task.ts';
import { makeDataDir, removeDir, startServer, type TestServer } from '../support/server.ts';
import { launchBrowser, openPage } from './support/browser.ts';

const taskCount = 10_000;
let server: TestServer;
let browser: Browser;

beforeAll(async () => {
  const dataDir = await makeDataDir();
  await writeTasks(dataDir);
  [server, browser] = await Promise.all([startServer({ dataDir }), launchBrowser()]);
}, 180_000);

afterAll(async () => {
  await browser.close();
  await server.stop();
  await removeDir(server.dataDir);
});

/** Ended tasks, put where the file engine keeps them. */
async function writeTasks(dataDir: string): Promise<void> {
  const layout = createLayout(dataDir);
  const startMs = Date.now() - taskCount * 1000;
  const folders = new Set<string>();
  for (let index = 0; index < taskCount; index += 1) {
    const atMs = startMs + index * 1000;
    const task = endedTask(v7({ msecs: atMs }) as TaskId, index, new Date(atMs).toISOString());
    const path = layout.record(task.id);
    if (!folders.has(dirname(path))) await mkdir(dirname(path), { recursive: true });
    folders.add(dirname(path));
    await writeFile(path, JSON.stringify(task));
  }
}

function endedTask(id: TaskId, index: number, now: string): Task {
  const task = createTask({
    id,
    docId: `doc-${index}`,
    filename: index % 3 === 0 ? `报告 ${index}.pdf` : `report ${index}.pdf`,
    fileBytes: 1000 + index,
    sha256: 'a'.repeat(64),
    declaredMediaType: null,
    metadata: null,
    keyId: null,
    lane: 'small',
    attemptsMax: 3,
    createdAt: now,
  } as Parameters<typeof createTask>[0]);
  const error = { code: 'unsupported_format', message: `Unsupported file format: ${task.filename}`, retryable: false } as const;
  return finishTask(beginTask(task, 'someone', now), { status: 'failed', error }, now);
}

describe(`${taskCount} tasks`, () => {
  it('show at once, few at a time, and scroll to the last one without long tasks', async () => {
    const { page, incidents, close } = await openPage(browser, `${server.url}/#/tasks`);
    await page.locator('.task-row').first().waitFor();
    const firstRowMs = await page.evaluate(() => Math.round(performance.now()));
    await page.evaluate(() => {
      const seen: number[] = [];
      new PerformanceObserver((list) => seen.push(...list.getEntries().map((entry) => Math.round(entry.duration)))).observe({
        type: 'longtask',
      });
      (window as unknown as { longTasks: number[] }).longTasks = seen;
    });
    const firstRows = await page.locator('.task-row').count();

    const mostRows = await scrollToTheEnd();

    expect(await page.locator('.task-rows').evaluate((list) => Math.round(list.clientHeight / 72))).toBe(taskCount);
    expect(await page.locator('.row[aria-posinset="10000"] .name').textContent()).toMatch(/ 0\.pdf$/);
    const longTasks = await page.evaluate(() => (window as unknown as { longTasks: number[] }).longTasks);
    console.log(
      `${taskCount} tasks: first rows after ${firstRowMs} ms (${firstRows} in the page), at most ${mostRows} rows; ` +
        `long tasks while scrolling: ${longTasks.length}, longest ${Math.max(0, ...longTasks)} ms`,
    );
    // Sizes, not times: a few dozen rows exist, whatever the list holds.
    expect(firstRows).toBeLessThan(40);
    expect(mostRows).toBeLessThan(60);
    expect(incidents).toEqual([]);
    await close();

    /** A wheel turned as fast as a person can, until the end; the most rows that existed at once. */
    async function scrollToTheEnd(): Promise<number> {
      let most = 0;
      for (let turns = 0; turns < 600; turns += 1) {
        await page.mouse.wheel(0, 20_000);
        const { rows, isEnd } = await page.evaluate(() => ({
          rows: document.querySelectorAll('.task-row').length,
          isEnd: document.querySelector('.row[aria-posinset="10000"]') !== null,
        }));
        most = Math.max(most, rows);
        if (isEnd) return most;
      }
      throw new Error('the end of the list was never reached');
    }
  }, 180_000);
});
