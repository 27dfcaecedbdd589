/** Takes the pictures in docs/screenshots, or those that are named: every view in both themes and languages, from the real server. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { makePdf } from '../support/pdf-writer.ts';
import { pageLines } from '../support/prose.ts';
import { insert, makeDataDir, removeDir, startServer } from '../support/server.ts';
import { launchBrowser, openPage, setLook } from './support/browser.ts';
import { takePicture } from './support/pictures.ts';

const folder = fileURLToPath(new URL('../../docs/screenshots/', import.meta.url));
const asynchronous = { prefer: 'respond-async' };

const handbook = makePdf({
  title: 'Harbour handbook',
  pages: [
    pageLines(1, 30),
    [
      'Lamps and lights',
      '',
      'Every light in the harbour has a keeper and a number in the register.',
      'The keeper trims the lighthouse lamp at dusk and enters the hour in the blue ledger.',
      'When fog comes in, the bell is rung four times an hour until the outer buoy',
      'can be seen again from the gallery.',
      '',
      ...pageLines(2, 22),
    ],
    pageLines(3, 30),
  ],
});

const report = makePdf({
  title: '港口年度报告',
  pages: [
    [
      '灯光与航标',
      '',
      '港内每一盏灯都有守护人，并在登记簿中有自己的编号。',
      '守护人在黄昏点亮灯塔的灯火，并把时刻记入蓝色登记簿。',
      '起雾时，每小时鸣钟四次，直到从平台上能重新看见外海浮标为止。',
      '',
      ...Array.from({ length: 14 }, (_, line) => `第${line + 1}项记录已经核对，没有异常情况，由值班人员签字确认。`),
    ],
  ],
});

const minutes = `# Minutes of the harbour board

Present: the harbour master, the pilot, the keeper of the light.

## Lamps and lights

The lighthouse lamp was discussed at length. The keeper asked for a second lens, since the first one is scratched, and for
a dry place to keep the blue ledger in. Both were granted.

## Fees

| berth | fee | from |
| ----- | --- | ---- |
| north | 120 | 1 May |
| south | 90 | 1 May |

The pilot asked that ships which wait for the tide pay nothing in the first hour. This was put off to the next meeting.
`;

const long = (pages: number): Buffer => makePdf({ pages: Array.from({ length: pages }, (_, page) => pageLines(page + 1, 40)) });

type View = {
  readonly name: string;
  readonly hash: string;
  readonly prepare: (page: Page, url: string) => Promise<void>;
  readonly width?: number;
  readonly height?: number;
};

const views: readonly View[] = [
  { name: 'upload-empty', hash: '#/upload', prepare: (page) => page.locator('.limits').waitFor() },
  { name: 'documents', hash: '#/documents', prepare: (page) => page.locator('.document-row').first().waitFor() },
  { name: 'text', hash: '#/documents?text=minutes', prepare: (page) => page.locator('.block').first().waitFor() },
  { name: 'search', hash: '#/search', prepare: openHit },
  { name: 'search-chinese', hash: '#/search', prepare: openChineseHit },
  { name: 'search-hits', hash: '#/search?q=harbour', prepare: (page) => page.locator('.hit').first().waitFor() },
  { name: 'search-narrow', hash: '#/search', prepare: openHit, width: 390, height: 780 },
  { name: 'failure', hash: '#/tasks', prepare: openFailure },
  { name: 'upload', hash: '#/upload', prepare: uploadFiles },
  { name: 'tasks', hash: '#/tasks', prepare: busyTasks },
  {
    name: 'tasks-narrow',
    hash: '#/tasks',
    prepare: (page) => page.locator('.task-row').first().waitFor(),
    width: 390,
    height: 780,
  },
  { name: 'system', hash: '#/system', prepare: systemInMotion },
];

const looks = (['light', 'dark'] as const).flatMap((theme) => (['en', 'zh'] as const).map((language) => ({ theme, language })));

const wanted = process.argv.slice(2);
const server = await startServer({ dataDir: await makeDataDir(), env: { MAX_CONCURRENT_TASKS: '1' } });
const browser = await launchBrowser();
await mkdir(folder, { recursive: true });
await insert(server.url, 'harbour-handbook', { name: 'Harbour handbook.pdf', bytes: handbook });
await insert(server.url, '年度报告-2026', { name: '港口年度报告 2026.pdf', bytes: report });
await insert(server.url, 'minutes', { name: 'Minutes of the harbour board.md', bytes: minutes });
await insert(server.url, 'tariffs', { name: 'Tariffs.csv', bytes: 'berth,fee\nnorth,120\nsouth,90\n' });
await insert(server.url, 'torn', { name: 'Old scan.pdf', bytes: '%PDF-1.4 torn off' });
for (const view of views) if (wanted.length === 0 || wanted.includes(view.name)) await shoot(browser, view);
await browser.close();
await server.stop();
await removeDir(server.dataDir);

/** One state of the page in every look. */
async function shoot(browser: Browser, { name, hash, prepare, width = 1440, height = 860 }: View): Promise<void> {
  const { page, close } = await openPage(browser, `${server.url}/${hash}`, { width, height });
  await prepare(page, server.url);
  for (const look of looks) {
    await setLook(page, look);
    await savePicture(page, join(folder, `${name}-${look.theme}-${look.language}.webp`));
  }
  await close();
}

async function savePicture(page: Page, path: string): Promise<void> {
  await writeFile(path, await takePicture(page, 82));
}

async function openFailure(page: Page): Promise<void> {
  await page.locator('.task-row').filter({ hasText: 'Old scan.pdf' }).locator('.name').click();
  await page.locator('dialog .failure').waitFor();
}

async function uploadFiles(page: Page): Promise<void> {
  await page.setInputFiles('#files', [
    { name: 'Harbour handbook.pdf', mimeType: 'application/pdf', buffer: long(3) },
    { name: '港口年度报告 2026.pdf', mimeType: 'application/pdf', buffer: long(4) },
    { name: 'Torn.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4 torn') },
    { name: 'Register of ships 1870–1914.pdf', mimeType: 'application/pdf', buffer: long(1500) },
  ]);
  await page.locator('.batch-head .primary').click();
  await page
    .locator('.is-active .stage-now')
    .filter({ hasText: /Read|读取/ })
    .waitFor();
  await page.setInputFiles('#files', { name: 'Pilot rules.docx', mimeType: '', buffer: Buffer.from('x') });
  await page.locator('.batch-head .primary').waitFor();
}

async function busyTasks(page: Page, url: string): Promise<void> {
  await insert(url, 'ships', { name: 'Register of ships 1870–1914.pdf', bytes: long(1501) }, asynchronous);
  await insert(url, 'rules', { name: '引航规则.pdf', bytes: long(5) }, asynchronous);
  await page.locator('.status-processing').first().waitFor();
  await page.locator('.status-pending').first().waitFor();
}

function openHit(page: Page): Promise<void> {
  return openFirstPdf(page, 'lighthouse lamp keeper');
}

function openChineseHit(page: Page): Promise<void> {
  return openFirstPdf(page, '守护人 灯塔');
}

async function openFirstPdf(page: Page, query: string): Promise<void> {
  await page.locator('#query').fill(query);
  await page.locator('.hit').filter({ hasText: '.pdf' }).first().click();
  await page.locator('.mark-word').first().waitFor();
}

/** Until the charts have something to show. */
async function systemInMotion(page: Page, url: string): Promise<void> {
  for (let index = 0; index < 5; index += 1)
    await insert(url, `m-${index}`, { name: `${index}.pdf`, bytes: long(60 + index) }, asynchronous);
  await page.waitForFunction(() => document.querySelector('.figure-card .big')?.textContent?.startsWith('0') === false);
}
