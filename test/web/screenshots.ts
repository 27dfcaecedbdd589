/** Takes the pictures in docs/screenshots: every view in both themes (light in English, dark in Chinese), from the real server. */
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { makePdf } from '../support/pdf-writer.ts';
import { pageLines } from '../support/prose.ts';
import { insert, makeDataDir, removeDir, startServer } from '../support/server.ts';
import { launchBrowser, openPage } from './support/browser.ts';

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

const long = (pages: number): Buffer => makePdf({ pages: Array.from({ length: pages }, (_, page) => pageLines(page + 1, 40)) });

type View = { readonly name: string; readonly hash: string; readonly prepare: (page: Page, url: string) => Promise<void> };

const views: readonly View[] = [
  { name: 'upload', hash: '#/upload', prepare: uploadFiles },
  { name: 'tasks', hash: '#/tasks', prepare: busyTasks },
  { name: 'documents', hash: '#/documents', prepare: (page) => page.locator('.document-row').first().waitFor() },
  { name: 'search', hash: '#/search', prepare: openHit },
  { name: 'system', hash: '#/system', prepare: systemInMotion },
];

const server = await startServer({ dataDir: await makeDataDir(), env: { MAX_CONCURRENT_TASKS: '1' } });
const browser = await launchBrowser();
await mkdir(folder, { recursive: true });
await insert(server.url, 'harbour-handbook', { name: 'Harbour handbook.pdf', bytes: handbook });
await insert(server.url, '年度报告-2026', { name: '港口年度报告 2026.pdf', bytes: report });
await insert(server.url, 'minutes', {
  name: 'Minutes of the harbour board.md',
  bytes: '# Minutes\n\nThe lighthouse lamp was discussed at length.',
});
await insert(server.url, 'tariffs', { name: 'Tariffs.csv', bytes: 'berth,fee\nnorth,120\nsouth,90\n' });
await insert(server.url, 'torn', { name: 'Old scan.pdf', bytes: '%PDF-1.4 torn off' });
for (const view of views) {
  await shoot(browser, view, { theme: 'light', language: 'en' });
  await shoot(browser, view, { theme: 'dark', language: 'zh' });
}
await browser.close();
await server.stop();
await removeDir(server.dataDir);

async function shoot(browser: Browser, view: View, look: { theme: 'light' | 'dark'; language: 'en' | 'zh' }): Promise<void> {
  const { page, close } = await openPage(browser, `${server.url}/${view.hash}`, { ...look, width: 1440, height: 860 });
  await view.prepare(page, server.url);
  await page.screenshot({ path: `${folder}${view.name}-${look.theme}.png` });
  await close();
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
    .filter({ hasText: /Parse|解析/ })
    .waitFor();
  await page.setInputFiles('#files', { name: 'Pilot rules.docx', mimeType: '', buffer: Buffer.from('x') });
  await page.locator('.doc-id').waitFor();
}

async function busyTasks(page: Page, url: string): Promise<void> {
  await insert(url, 'ships', { name: 'Register of ships 1870–1914.pdf', bytes: long(1501) }, asynchronous);
  await insert(url, 'rules', { name: '引航规则.pdf', bytes: long(5) }, asynchronous);
  await page.locator('.status-processing').waitFor();
  await page.locator('.status-pending').waitFor();
}

async function openHit(page: Page): Promise<void> {
  const isChinese = (await page.locator('html').getAttribute('lang')) === 'zh-CN';
  await page.locator('#query').fill(isChinese ? '守护人 灯塔' : 'lighthouse lamp keeper');
  await page.locator('.hit').filter({ hasText: '.pdf' }).first().click();
  await page.locator('.mark-word').first().waitFor();
}

/** Until the charts have something to show. */
async function systemInMotion(page: Page, url: string): Promise<void> {
  for (let index = 0; index < 5; index += 1)
    await insert(url, `m-${index}`, { name: `${index}.pdf`, bytes: long(60 + index) }, asynchronous);
  await page.waitForFunction(() => (document.querySelector('.chart-line')?.getAttribute('d')?.split('L').length ?? 0) > 6);
}
