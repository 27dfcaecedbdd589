import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeDataDir, removeDir, startServer, type TestServer } from '../support/server.ts';
import { dropFiles, launchBrowser, openPage } from './support/browser.ts';

let server: TestServer;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([
    startServer({ dataDir: await makeDataDir(), env: { MAX_FILE_BYTES: '200000' } }),
    launchBrowser(),
  ]);
});

afterAll(async () => {
  await browser.close();
  await server.stop();
  await removeDir(server.dataDir);
});

async function documentIds(): Promise<string[]> {
  const response = await fetch(`${server.url}/documents?limit=1000`);
  return ((await response.json()) as { documents: { doc_id: string }[] }).documents.map(({ doc_id }) => doc_id);
}

describe('the upload view', () => {
  it('brings 20 files dropped at once to their end on screen', async () => {
    const { page, incidents, close } = await openPage(browser, server.url);
    const files = Array.from({ length: 20 }, (_, index) => ({ name: `dropped ${index}.txt`, text: `File number ${index}.` }));

    await dropFiles(page, files);
    await page.getByRole('button', { name: 'Upload 20 files' }).click();
    await page.getByText('20 of 20 done').first().waitFor();

    const shown = new Set<string>();
    for (let top = 0; shown.size < 20 && top < 6000; top += 300) {
      await page.evaluate((y) => window.scrollTo(0, y), top);
      for (const name of await page.locator('.upload-row.is-completed .name').allTextContents()) shown.add(name);
    }
    expect(shown).toEqual(new Set(files.map(({ name }) => name)));
    expect(await documentIds()).toEqual(expect.arrayContaining(files.map(({ name }) => name)));
    expect(incidents).toEqual([]);
    await close();
  });

  it('takes another doc_id than the one proposed, and refuses an empty or a doubled one', async () => {
    const { page, close } = await openPage(browser, server.url);
    await dropFiles(page, [
      { name: '合同.txt', text: 'One.' },
      { name: 'b.txt', text: 'Two.' },
    ]);
    await page.getByRole('button', { name: 'Details' }).click();
    const fields = page.locator('.doc-id input');
    expect(await fields.first().inputValue()).toBe('合同.txt');

    await fields.first().fill('');
    await page.getByText('Enter an ID.').waitFor();
    await page.getByRole('button', { name: 'Upload 1 file' }).waitFor();
    await fields.first().fill('b.txt');
    await page.getByText('it would be replaced').first().waitFor();
    await fields.first().fill('合同-2026');
    await page.getByRole('button', { name: 'Upload 2 files' }).click();
    await page.getByText('2 of 2 done').first().waitFor();

    expect(await documentIds()).toEqual(expect.arrayContaining(['合同-2026', 'b.txt']));
    await close();
  });

  it('does not send what the server would refuse, and says why', async () => {
    const { page, incidents, close } = await openPage(browser, server.url);
    const sent: string[] = [];
    page.on('request', (request) => {
      if (request.method() === 'POST') sent.push(request.url());
    });

    await dropFiles(page, [
      { name: 'huge.txt', text: 'x'.repeat(200_001) },
      { name: 'empty.txt', text: '' },
    ]);

    await page.getByText('This file is larger than 195.3 KB').waitFor();
    await page.getByText('This file is empty.').waitFor();
    expect(await page.locator('.batch-head .primary').count()).toBe(0);
    expect(sent).toEqual([]);
    expect(incidents).toEqual([]);
    await close();
  });

  it('shows the sentence of a file that could not be read, and what to do', async () => {
    const { page, close } = await openPage(browser, server.url);

    await dropFiles(page, [{ name: 'torn.pdf', text: '%PDF-1.4 torn off here' }]);
    await page.locator('.batch-head .primary').click();
    const row = page.locator('.upload-row.is-failed');
    await row.waitFor();

    const saying = await row.locator('.upload-say').textContent();
    const tasks = (await (await fetch(`${server.url}/tasks?status=failed`)).json()) as { tasks: { error: string }[] };
    expect(saying).toContain(tasks.tasks[0]?.error);
    expect(saying?.length).toBeGreaterThan((tasks.tasks[0]?.error.length ?? 0) + 20);
    await close();
  });

  it('takes a folder with its names, without hidden files', async () => {
    const folder = join(server.dataDir, 'contracts');
    await mkdir(join(folder, 'north'), { recursive: true });
    await writeFile(join(folder, 'lease.txt'), 'Lease.');
    await writeFile(join(folder, '.hidden.txt'), 'Hidden.');
    await writeFile(join(folder, 'north', 'lease.txt'), 'Northern lease.');
    const { page, close } = await openPage(browser, server.url);

    await page.setInputFiles('#folder', folder);
    await page.locator('.batch-head .primary').click();
    await page.getByText('2 of 2 done').first().waitFor();

    expect(await documentIds()).toEqual(expect.arrayContaining(['contracts-lease.txt', 'contracts-north-lease.txt']));
    await close();
  });

  it('takes pasted files and pasted text', async () => {
    const { page, close } = await openPage(browser, `${server.url}/#/system`);

    await page.evaluate(() => {
      const files = new DataTransfer();
      files.items.add(new File(['Pasted as a file.'], 'pasted.txt'));
      window.dispatchEvent(new ClipboardEvent('paste', { clipboardData: files, bubbles: true, cancelable: true }));
      const text = new DataTransfer();
      text.setData('text/plain', 'Pasted as text.');
      window.dispatchEvent(new ClipboardEvent('paste', { clipboardData: text, bubbles: true, cancelable: true }));
    });

    await page.getByRole('button', { name: 'Add as a document' }).click();

    const names = page.locator('.upload-row .name');
    await names.nth(1).waitFor();
    expect(await names.allTextContents()).toEqual(['pasted.txt', expect.stringMatching(/^Pasted text 20.*\.txt$/)]);
    await close();
  });
});
