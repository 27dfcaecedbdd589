import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insert, makeDataDir, removeDir, search, startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { dropFiles, launchBrowser, openPage } from './support/browser.ts';

let server: TestServer;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([
    startServer({ dataDir: await makeDataDir(), rigged: true, env: { MAX_CONCURRENT_TASKS: '1' } }),
    launchBrowser(),
  ]);
});

afterAll(async () => {
  await browser.close();
  await server.stop();
  await removeDir(server.dataDir);
});

async function filenames(): Promise<Record<string, string>> {
  const { documents } = (await (await fetch(`${server.url}/documents?limit=1000`)).json()) as {
    documents: { doc_id: string; filename: string }[];
  };
  return Object.fromEntries(documents.map(({ doc_id, filename }) => [doc_id, filename]));
}

/** A refused request is written into the console by the browser itself. */
const withoutRefusals = (incidents: readonly string[]): string[] => incidents.filter((incident) => !/\b(412|404)\b/.test(incident));

describe('a file whose name is taken', () => {
  it.each(['en', 'zh'] as const)('replaces nothing unasked: its reader replaces, keeps both, or skips (%s)', async (language) => {
    const names = ['a', 'b', 'c'].map((letter) => `${letter}-${language}.txt`);
    for (const name of names) await insert(server.url, name, { name, bytes: `The old heron of ${name}.` });
    const { page, incidents, close } = await openPage(browser, server.url, { language });
    const words = language === 'en' ? ['Replace', 'Keep both', 'Skip'] : ['替换', '保留两者', '跳过'];
    const on = (action: string, name: string): string => (language === 'en' ? `${action}: ${name}` : `${action}：${name}`);

    await dropFiles(
      page,
      [...names, `new-${language}.txt`].map((name) => ({ name, text: `The new egret of ${name}.` })),
    );
    await page.locator('.batch-head .primary').click();
    await page.locator('.taken-one').nth(2).waitFor();
    // What is there is asked for when a file is refused; until it is known the row says only that something is.
    await page
      .locator('.upload-row .attention')
      .first()
      .filter({ hasText: `a-${language}.txt` })
      .waitFor();
    expect(await search(server.url, 'heron', { doc_ids: names })).toHaveLength(3);
    await page.getByRole('button', { name: on(words[0]!, names[0]!) }).click();
    await page.getByRole('button', { name: on(words[1]!, names[1]!) }).click();
    await page.getByRole('button', { name: on(words[2]!, names[2]!) }).click();
    await page.locator('.upload-row.is-completed').nth(2).waitFor();

    expect(Object.keys(await filenames())).toEqual(
      expect.arrayContaining([...names, `b-${language} (2).txt`, `new-${language}.txt`]),
    );
    expect((await search(server.url, 'heron', { doc_ids: names })).map((hit) => hit.citation.doc_id).sort()).toEqual(
      names.slice(1),
    );
    expect(withoutRefusals(incidents)).toEqual([]);
    await close();
  });

  it('is decided for many at once, also when it is taken only while it is sent', async () => {
    for (const name of ['m1.txt', 'm2.txt']) await insert(server.url, name, { name, bytes: `First ${name}.` });
    const { page, close } = await openPage(browser, server.url);
    // As if somebody else's upload came in between.
    await page.route(/documents\?.*filters/, (route) => route.fulfill({ json: { documents: [], next_cursor: null } }));
    await dropFiles(
      page,
      ['m1.txt', 'm2.txt'].map((name) => ({ name, text: `Second ${name}.` })),
    );
    await page.locator('.batch-head .primary').click();

    await page.getByRole('button', { name: 'Keep all of both' }).click();
    await page.locator('.upload-row.is-completed').nth(1).waitFor();

    expect(Object.keys(await filenames())).toEqual(expect.arrayContaining(['m1 (2).txt', 'm2 (2).txt']));
    await close();
  });
});

/** How many the page has put into the browser's database; the page makes it, not the test. */
function keptHandles(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const known = await indexedDB.databases();
    if (known.every(({ name }) => name !== 'rag-intake')) return 0;
    return new Promise<number>((resolve) => {
      const request = indexedDB.open('rag-intake');
      request.onsuccess = () => {
        const count = request.result.transaction('unsent').objectStore('unsent').count();
        count.onsuccess = () => resolve(count.result);
        request.result.close();
      };
    });
  });
}

describe('leaving the page', () => {
  it('asks while files are not with the server yet, and no longer when they are', async () => {
    const { page, close } = await openPage(browser, server.url);
    const questions: string[] = [];
    page.on('dialog', (dialog) => questions.push(dialog.type()));

    // A question needs somebody who has touched the page.
    await page.locator('h1').click();
    await dropFiles(page, [{ name: 'unsent.txt', text: 'Unsent.' }]);
    await page.locator('.upload-row').waitFor();
    await page.reload();
    expect(questions).toEqual(['beforeunload']);

    await page.locator('h1').click();
    await dropFiles(page, [{ name: 'sent.txt', text: 'Sent.' }]);
    await page.locator('.batch-head .primary').click();
    await page.locator('.upload-row.is-completed').waitFor();
    await page.reload();
    expect(questions).toEqual(['beforeunload']);
    await close();
  });

  it('says afterwards which files must be chosen again, until they are', async () => {
    const { page, close } = await openPage(browser, server.url);
    await dropFiles(page, [
      { name: 'left one.txt', text: 'One.' },
      { name: 'left two.txt', text: 'Two.' },
    ]);
    await page.locator('.upload-row').nth(1).waitFor();
    await page.reload();
    await page.getByText('When this page was closed, 2 files had not been uploaded yet.').waitFor();
    await page.getByText('Which files?').click();
    expect(await page.locator('.left-behind li').allTextContents()).toEqual(['left one.txt', 'left two.txt']);

    await dropFiles(page, [{ name: 'left one.txt', text: 'One.' }]);
    await page.getByText('When this page was closed, 1 file had not been uploaded yet.').waitFor();
    await page.getByRole('button', { name: 'Dismiss' }).click();
    await page.locator('.left-behind').waitFor({ state: 'detached' });
    await close();
  });

  it.each([
    ['en', 'Choose files', 'Add 3 files again'],
    ['zh', '选择文件', '重新添加 3 个文件'],
  ] as const)('goes on afterwards with the files whose handles the browser has kept (%s)', async (language, choose, goOn) => {
    const { page, incidents, close } = await openPage(browser, server.url, { language });
    // The browser's picker, with real files of the browser's own disk.
    const pick = (): Promise<void> =>
      page.evaluate(async (tag) => {
        const folder = await navigator.storage.getDirectory();
        const make = async (name: string): Promise<FileSystemFileHandle> => {
          const handle = await folder.getFileHandle(name, { create: true });
          const writer = await handle.createWritable();
          await writer.write(`The avocet of ${name}.`);
          await writer.close();
          return handle;
        };
        const handles = [await make(`kept one ${tag}.txt`), await make(`kept two ${tag}.txt`), await make(`gone ${tag}.txt`)];
        Object.assign(window, { showOpenFilePicker: async () => handles });
      }, language);
    await pick();
    await page.getByRole('button', { name: choose, exact: true }).click();
    await page.locator('.upload-row').nth(2).waitFor();
    await until('the handles are kept', async () => (await keptHandles(page)) === 3);
    await page.evaluate(async (tag) => (await navigator.storage.getDirectory()).removeEntry(`gone ${tag}.txt`), language);
    await page.reload();

    await page.getByRole('button', { name: goOn }).click();
    await page.locator('.upload-row').nth(1).waitFor();
    expect(await page.locator('.upload-row .name').allTextContents()).toEqual([
      `kept one ${language}.txt`,
      `kept two ${language}.txt`,
    ]);
    expect(await page.locator('.left-behind li').allTextContents()).toEqual([`gone ${language}.txt`]);
    await page.locator('.batch-head .primary').click();
    await page.locator('.upload-row.is-completed').nth(1).waitFor();
    expect(await search(server.url, 'avocet', { doc_ids: [`kept one ${language}.txt`, `kept two ${language}.txt`] })).toHaveLength(
      2,
    );
    expect(incidents).toEqual([]);
    await close();
  });

  it('deletes what was confirmed, though its time to undo is not over', async () => {
    await insert(server.url, 'doomed', { name: 'doomed.txt', bytes: 'The bittern booms.' });
    const { page, close } = await openPage(browser, `${server.url}/#/documents?q=doomed`);

    await page.getByRole('button', { name: 'Delete: doomed.txt' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('button', { name: 'Undo: doomed.txt' }).waitFor();
    await page.goto('about:blank');

    await until('it is gone', async () => (await search(server.url, 'bittern')).length === 0);
    await close();
  });
});

describe('more files than are taken at once', () => {
  it('are not left out without a word', async () => {
    const { page, close } = await openPage(browser, server.url);

    await page.evaluate(() => {
      const transfer = new DataTransfer();
      for (let index = 0; index < 5100; index += 1) transfer.items.add(new File(['x'], `many ${index}.txt`));
      for (const type of ['dragenter', 'dragover', 'drop'])
        document.body.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }));
    });

    await page.locator('.notice').filter({ hasText: 'Only 5,000 of 5,100 files were added' }).waitFor();
    await close();
  });
});

describe('text pasted outside a field', () => {
  it('becomes a document only when its reader says so', async () => {
    const { page, close } = await openPage(browser, `${server.url}/#/tasks`);
    await page.evaluate(() => {
      const text = new DataTransfer();
      text.setData('text/plain', 'Pasted by mistake.');
      window.dispatchEvent(new ClipboardEvent('paste', { clipboardData: text, bubbles: true, cancelable: true }));
    });
    await page.getByText('You pasted 18 characters outside a field.').waitFor();

    expect(page.url()).toContain('#/tasks');
    await page.getByRole('button', { name: 'Add as a document' }).click();
    await page.locator('.upload-row').waitFor();

    expect(await page.locator('.upload-row .name').textContent()).toMatch(/^Pasted text 20\d\d-\d\d-\d\d \d\d\.\d\d\.\d\d\.txt$/);
    await close();
  });
});
