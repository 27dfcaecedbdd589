/** Each view as it looked when its picture was kept in docs/screenshots/views; `KEEP_PICTURES=1` keeps new ones. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, openPage, setLook } from './support/browser.ts';
import { differenceOf, takePicture } from './support/pictures.ts';
import { aDocument, aHit, aTask, startStandIn, type StandIn } from './support/stand-in.ts';

const folder = fileURLToPath(new URL('../../docs/screenshots/views/', import.meta.url));
const isKeeping = process.env['KEEP_PICTURES'] === '1';
/** The share of fields that may differ. */
const tolerance = 0.03;

let server: StandIn;
let browser: Browser;
let page: Page;
let close: () => Promise<void>;

const old = '2024-03-04T15:04:05.000Z';
const views = [
  { name: 'upload', hash: '#/upload', ready: '.drop' },
  { name: 'tasks', hash: '#/tasks', ready: '.task-row' },
  { name: 'failure', hash: '#/tasks?task=0190-000000004', ready: 'dialog .failure' },
  { name: 'documents', hash: '#/documents', ready: '.document-row' },
  { name: 'text', hash: '#/documents?text=doc-000001', ready: '.block' },
  { name: 'search', hash: '#/search?q=passage', ready: '.hit' },
  { name: 'passage', hash: '#/search?q=passage&read=doc-000001&at=2-11', ready: '.viewer .passage' },
  { name: 'system', hash: '#/system', ready: '.facts' },
] as const;

beforeAll(async () => {
  [server, browser] = await Promise.all([startStandIn(), launchBrowser()]);
  server.tasks = [
    aTask(5, { status: 'processing', stage: 'parsing', created_at: old, filename: 'Register of ships.pdf' }),
    aTask(4, {
      status: 'failed',
      error: 'The file has a password',
      error_code: 'encrypted',
      retryable: false,
      created_at: old,
      filename: '年度报告.pdf',
    }),
    aTask(3, { created_at: old, filename: 'Harbour handbook.pdf' }),
  ];
  server.documents = ['Harbour handbook.pdf', '年度报告.docx', 'Tariffs.xlsx'].map((filename, index) =>
    aDocument(index, { filename, inserted_at: old }),
  );
  server.hits = ['doc-000000', 'doc-000001'].flatMap((id) => [0, 1].map((index) => aHit(id, index)));
  ({ page, close } = await openPage(browser, server.url));
  await mkdir(folder, { recursive: true });
});

afterAll(async () => {
  await close();
  await browser.close();
  await server.close();
});

it.each(views)('$name looks as it did, in both themes and languages, wide and narrow', async ({ name, hash, ready }) => {
  const changed: string[] = [];
  await setLook(page, { theme: 'light', language: 'en' });
  await page.goto(`${server.url}/${hash}`);
  await page.reload();
  await page.locator(ready).first().waitFor();
  for (const [width, height] of [
    [1280, 800],
    [360, 740],
  ] as const) {
    await page.setViewportSize({ width, height });
    for (const theme of ['light', 'dark'] as const) {
      for (const language of ['en', 'zh'] as const) {
        await setLook(page, { theme, language });
        await page.locator(ready).first().waitFor();
        const picture = await takePicture(page, 60);
        const path = join(folder, `${name}-${theme}-${language}-${width}.webp`);
        if (isKeeping) await writeFile(path, picture);
        const share = await differenceOf(page, picture, await readFile(path));
        if (share > tolerance) changed.push(`${path}: ${(share * 100).toFixed(1)} % of it looks otherwise`);
      }
    }
  }
  await setLook(page, { theme: 'light', language: 'en' });

  expect(changed).toEqual([]);
});
