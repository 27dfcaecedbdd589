import type { Browser } from 'playwright-core';
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../support/until.ts';
import { axeFindings } from './support/axe.ts';
import { launchBrowser, openPage, setLook } from './support/browser.ts';
import { aDocument, aHit, startStandIn, type StandIn } from './support/stand-in.ts';

let server: StandIn;
let browser: Browser;
/** Questions that came, and the streams that wait for what is said on them. */
const questions: string[] = [];
const streams: ServerResponse[] = [];

beforeAll(async () => {
  [server, browser] = await Promise.all([startStandIn(), launchBrowser()]);
  server.config = { ...server.config, answers: true };
});

beforeEach(() => {
  questions.length = 0;
  streams.length = 0;
  server.documents = ['one', 'two'].map((id, index) => aDocument(index, { doc_id: id, filename: `${id}.txt` }));
  server.hits = [aHit('one', 0, 'Some text')];
  server.instead = async (req, res, path) => {
    if (path !== '/answer') return false;
    const pieces: Buffer[] = [];
    for await (const piece of req) pieces.push(piece as Buffer);
    questions.push((JSON.parse(Buffer.concat(pieces).toString()) as { question: string }).question);
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    streams.push(res);
    return true;
  };
});

afterAll(async () => {
  await browser.close();
  await server.close();
});

function say(event: string, data: object): void {
  streams.at(-1)?.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

const sources = {
  sources: [
    { number: 1, ...aHit('one', 0, 'Some text') },
    { number: 2, ...aHit('two', 0, 'Some text') },
    { number: 3, ...aHit('two', 3) },
  ],
};

describe('an answer', () => {
  it.each([
    { language: 'en' as const, ask: 'Answer this question', copy: 'Copy with citations', follow: 'Ask a follow-up question' },
    { language: 'zh' as const, ask: '回答这个问题', copy: '复制（含引用）', follow: '继续提问' },
  ])(
    'comes word by word with citations that open their passages, by keyboard alone ($language)',
    async ({ language, ask, copy, follow }) => {
      const { page, incidents, close } = await openPage(browser, `${server.url}/#/search?q=lamp`, { language, width: 1440 });
      await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
      await page.getByRole('button', { name: ask }).focus();
      await page.keyboard.press('Enter');
      await until('the server has the question', () => streams.length === 1);
      say('sources', sources);
      say('text', { text: 'The lamp is lit at dusk [1]. So it says [9], ' });
      await page.locator('.cite').first().waitFor();
      say('text', { text: 'and the fee is 120 [2].' });
      say('done', { cited: [1, 2] });
      await page.getByRole('button', { name: copy }).waitFor();

      expect(await page.locator('.answer-text').textContent()).toBe(
        'The lamp is lit at dusk [1]. So it says [9], and the fee is 120 [2].',
      );
      expect(await page.locator('.sources li').count()).toBe(2);
      await page.getByRole('button', { name: copy }).click();
      expect(await page.evaluate(() => navigator.clipboard.readText())).toContain(`[2] two.txt ${server.url}/#/search?read=two`);
      await page.getByLabel(follow).fill('And when is it put out?');
      await page.keyboard.press('Enter');
      await until('the server has the next one', () => streams.length === 2);
      say('sources', { sources: [] });
      say('text', { text: 'Nothing about this was found in the documents.' });
      say('done', { cited: [] });
      await page
        .locator('.turn')
        .nth(1)
        .filter({ hasText: language === 'en' ? 'Nothing in the documents fits' : '没有与此问题相关' })
        .waitFor();
      expect(questions).toEqual(['lamp', 'lamp\nAnd when is it put out?']);

      await page.locator('.cite').first().focus();
      await page.keyboard.press('Enter');
      await page.locator('.viewer .passage').first().waitFor();
      expect(await page.locator('.viewer h2').textContent()).toBe('one.txt');
      expect(await page.locator('.answer').count()).toBe(1);
      for (const theme of ['light', 'dark'] as const) {
        await setLook(page, { theme, language });
        expect(await axeFindings(page)).toEqual([]);
      }
      expect(incidents).toEqual([]);
      await close();
    },
  );

  it('stops when it is told to, and says when it broke off, at 360 px by touch', async () => {
    const { page, close } = await openPage(browser, `${server.url}/#/search?q=lamp`, { width: 360, height: 700, touch: true });
    await page.getByRole('button', { name: 'Answer this question' }).tap();
    await page.getByText('Reading the passages…').waitFor();
    await until('the server has the question', () => streams.length === 1);
    say('sources', sources);
    say('text', { text: 'The lamp' });
    await page.locator('.answer-text').filter({ hasText: 'The lamp' }).waitFor();
    await page.getByRole('button', { name: 'Stop' }).tap();
    await page.locator('.turn').getByText('Stopped.').waitFor();
    expect(await page.locator('.answer-text').textContent()).toBe('The lamp');

    await page.getByLabel('Ask a follow-up question').fill('Once more');
    await page.getByRole('button', { name: 'Ask', exact: true }).tap();
    await until('the server has the next one', () => streams.length === 2);
    say('error', { detail: 'The chat service cannot be reached.' });
    await page.getByText('The answer could not be finished. The chat service cannot be reached.').waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    await close();
  });

  it('is not offered where no chat service is set', async () => {
    server.config = { ...server.config, answers: false };
    const { page, close } = await openPage(browser, `${server.url}/#/search?q=lamp`);
    await page.locator('.hit').first().waitFor();

    expect(await page.getByRole('button', { name: 'Answer this question' }).count()).toBe(0);
    await close();
  });
});
