/**
 * Each thing that people do on the page, as a path through it: with a mouse, with the keyboard alone, and by touch on a screen of
 * 360 px, in both languages. The names of controls are the page's own sentences, as a screen reader says them.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { en, type Catalogue } from '../../src/web/en.ts';
import { zh } from '../../src/web/zh.ts';
import { until } from '../support/until.ts';
import { launchBrowser, openPage } from './support/browser.ts';
import { otherPdf } from './support/documents.ts';
import { handOf, type Hand, type HandName } from './support/hands.ts';
import { aDocument, aHit, aTask, startStandIn, type StandIn } from './support/stand-in.ts';

let server: StandIn;
let browser: Browser;
/** What was asked to be changed, `METHOD /path`. */
const changes: string[] = [];
let keys: readonly object[] = [];

beforeAll(async () => {
  [server, browser] = await Promise.all([startStandIn(), launchBrowser()]);
  server.collections = ['default', 'hr'].map(aCollection);
  server.instead = work;
});

afterAll(async () => {
  await browser.close();
  await server.close();
});

function reset(): void {
  changes.length = 0;
  server.documents = [
    aDocument(1, { doc_id: 'one', filename: 'one.txt' }),
    aDocument(2, { doc_id: 'two', filename: 'two.txt' }),
    aDocument(3, { doc_id: 'paper', filename: 'paper.pdf', media_type: 'application/pdf', pages: 2 }),
  ];
  server.tasks = [
    aTask(3, { status: 'processing', stage: 'parsing', filename: 'running.pdf' }),
    aTask(2, { status: 'pending', stage: 'queued', filename: 'waiting.pdf' }),
    aTask(1, { status: 'failed', error: 'x', error_code: 'stalled', retryable: true, filename: 'failed.pdf' }),
  ];
  server.hits = [aHit('one', 0, 'Some text'), aHit('one', 1), aHit('two', 1), pageHit];
}

function aCollection(name: string): object {
  const settings = { chunk_tokens: null, chunk_overlap: null, language: null, synonyms: [] };
  return { name, title: null, description: null, documents: 3, chunks: 3, bytes: 30, created_at: null, settings, rereading: false };
}

const pageHit = (() => {
  const hit = aHit('paper', 0, otherPdf.passage);
  return { ...hit, citation: { ...hit.citation, filename: 'paper.pdf', page: 1, page_end: 1 } };
})();

/** Takes every change for good. */
async function work(req: IncomingMessage, res: ServerResponse, path: string): Promise<boolean> {
  const done = (value: object, status = 200): true => {
    res.writeHead(status, { 'content-type': 'application/json', etag: '"1"' }).end(JSON.stringify(value));
    return true;
  };
  if (path.endsWith('/file')) {
    res.writeHead(200, { 'content-type': 'application/pdf' }).end(otherPdf.bytes);
    return true;
  }
  if (req.method === 'GET' && path.startsWith('/task/')) return done(aTask(9, { task_id: path.slice(6) }));
  if (req.method === 'GET' && path === '/keys') return done({ keys, can_change: true });
  if (req.method === 'GET' || path === '/search') return false;
  changes.push(`${req.method} ${path}`);
  for await (const _ of req);
  if (path === '/insert') {
    const task = aTask(100 + changes.length, { status: 'completed' });
    return done(task, 202);
  }
  if (path.startsWith('/keys')) {
    const clerk = { name: 'clerk', scope: 'write', collections: null, source: 'file' };
    keys = req.method === 'POST' ? [clerk] : [];
    return done(req.method === 'POST' ? { ...clerk, key: 'rk_0123456789abcdef' } : {}, req.method === 'POST' ? 201 : 200);
  }
  if (req.method === 'PATCH') return done(aDocument(1, { doc_id: 'one', filename: 'one.txt', title: 'Given' }));
  if (req.method === 'PUT') {
    server.collections = [...server.collections, aCollection(path.split('/').at(-1) ?? '')];
    return done({});
  }
  if (path.startsWith('/collections/')) server.collections = server.collections.slice(0, 2);
  if (path.startsWith('/documents/')) server.documents = server.documents.filter(({ doc_id: id }) => path !== `/documents/${id}`);
  return done({});
}

type Walk = {
  readonly page: Page;
  readonly hand: Hand;
  readonly t: Catalogue;
  readonly button: (name: string, within?: Locator) => Locator;
  readonly link: (name: string) => Locator;
  readonly goTo: (hash: string) => Promise<void>;
};

type Path = { readonly name: string; readonly walk: (walk: Walk) => Promise<void> };

const asked = (change: string): Promise<void> => until(`${change} is asked for`, () => changes.includes(change));

const paths: readonly Path[] = [
  {
    name: 'files are chosen, named, sent and cleared',
    async walk({ page, hand, t, button, goTo }) {
      await goTo('#/upload');
      const chooser = page.waitForEvent('filechooser');
      await hand.press(button(t.upload.choose));
      await (
        await chooser
      ).setFiles(['new.txt', 'one'].map((name) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(name) })));
      await page.locator('.taken-one').waitFor();
      await hand.press(button(t.upload.actionOn(t.upload.keepBoth, 'one')));
      await hand.press(button(t.upload.details));
      await hand.write(page.getByLabel(t.upload.docId('new.txt')), 'another name');
      await hand.press(button(t.upload.send(1)));
      await page.locator('.upload-row.is-completed').nth(1).waitFor();
      await hand.press(button(t.upload.copySummary));
      await hand.press(button(t.upload.clear));
      await page.locator('.upload-row').first().waitFor({ state: 'detached' });
      expect(changes.filter((change) => change === 'POST /insert')).toHaveLength(2);
    },
  },
  {
    name: 'a waiting task is cancelled, a running one stopped, a failed one retried, and looked at',
    async walk({ page, hand, t, button, link, goTo }) {
      await goTo('#/tasks');
      await hand.press(button(t.tasks.actionOn(t.tasks.cancel, 'waiting.pdf')));
      await asked(`DELETE /task/${aTask(2).task_id}`);
      await hand.press(button(t.tasks.actionOn(t.tasks.stop, 'running.pdf')));
      await hand.press(button(t.tasks.stop, page.getByRole('dialog')));
      await asked(`DELETE /task/${aTask(3).task_id}`);
      await hand.press(page.locator('.segments a').filter({ hasText: t.statuses.failed }));
      await hand.press(link(t.tasks.details('failed.pdf')));
      await page.getByRole('dialog').getByText(t.advice.stalled).waitFor();
      await hand.press(page.getByRole('dialog').getByText(t.details, { exact: true }));
      await page.getByText(t.tasks.fields.attempts).waitFor();
      await hand.press(button(t.close, page.getByRole('dialog')));
      await hand.press(page.getByRole('checkbox', { name: t.selection.choose('failed.pdf') }));
      await hand.press(button(t.tasks.many(t.tasks.retry, '1')));
      await asked(`POST /task/${aTask(1).task_id}/retry`);
      await hand.write(page.getByLabel(t.tasks.find), 'nothing has this name');
      await page.getByText(t.tasks.none).waitFor();
    },
  },
  {
    name: 'documents are found, sorted, deleted, and kept after all',
    async walk({ page, hand, t, button, goTo }) {
      await goTo('#/documents');
      await hand.write(page.getByLabel(t.documents.find), 'two');
      await until('one is left', async () => (await page.locator('.document-row').count()) === 1);
      await hand.write(page.getByLabel(t.documents.find), '');
      await hand.choose(page.getByLabel(t.documents.sort), 'filename');
      await until('they are sorted', () => server.asked.some((line) => line.includes('sort=filename')));
      await hand.press(button(t.documents.actionOn(t.documents.remove, 'two.txt')));
      await hand.press(button(t.documents.confirm, page.getByRole('dialog')));
      await hand.press(button(t.documents.actionOn(t.documents.undo, 'two.txt')));
      await button(t.documents.actionOn(t.documents.remove, 'two.txt')).waitFor();
      expect(changes).toEqual([]);
    },
  },
  {
    name: 'documents are chosen, described together, and moved to another collection',
    async walk({ page, hand, t, button, goTo }) {
      await goTo('#/documents');
      await hand.press(page.getByRole('checkbox', { name: t.selection.choose('two.txt') }));
      await hand.press(button(t.documents.describe));
      await hand.write(page.getByLabel(t.describe.memberName, { exact: true }), 'year');
      await hand.write(page.getByLabel(t.describe.memberValue, { exact: true }), '2026');
      await hand.press(button(t.describe.save));
      await asked('PATCH /documents/two');
      await hand.press(button(t.moving.start));
      await hand.press(page.getByRole('dialog').locator('button[type=submit]'));
      await asked('DELETE /documents/two');
      await page.locator('.notice').filter({ hasText: 'hr' }).waitFor();
      expect(changes).toContain('POST /insert');
    },
  },
  {
    name: 'a document is read and its details are changed',
    async walk({ page, hand, t, button, link, goTo }) {
      await goTo('#/documents');
      await hand.press(link(t.documents.actionOn(t.documents.text, 'one.txt')));
      await page.getByRole('heading', { name: 'Some text' }).waitFor();
      await hand.press(page.getByText(t.details, { exact: true }));
      await hand.press(button(t.describe.edit));
      await hand.write(page.getByLabel(t.describe.title, { exact: true }), 'Given');
      await hand.press(button(t.describe.save));
      await asked('PATCH /documents/one');
      await hand.press(link(t.documents.back));
      await page.locator('.document-row').first().waitFor();
    },
  },
  {
    name: 'a search is narrowed, widened, and its passages are gone through',
    async walk({ page, hand, t, button, link, goTo }) {
      await goTo('#/search');
      await hand.write(page.getByRole('searchbox', { name: t.search.label }), 'passage');
      await page.locator('.hit').first().waitFor();
      await hand.choose(page.getByLabel(t.search.kind, { exact: true }), 'pdf');
      await hand.choose(page.getByLabel(t.search.age, { exact: true }), '7');
      await hand.choose(page.getByLabel(t.search.where, { exact: true }), '*');
      await until('it is in the address', () => /where=\*|where=%2A/.test(page.url()) && page.url().includes('kind=pdf'));
      await hand.press(button(t.search.moreOf(1)));
      await hand.press(page.locator('.hit').nth(1));
      await page.getByText(t.search.hitOf('2', '2')).waitFor();
      await hand.press(button(t.search.previousHit));
      await page.getByText(t.search.hitOf('1', '2')).waitFor();
      await hand.press(button(t.search.copyCitation));
      await until('it is copied', async () =>
        (await page.evaluate(() => navigator.clipboard.readText())).includes(`${server.url}/#/search?`),
      );
      await hand.press(button(t.close, page.locator('.viewer')));
      await page.locator('.viewer').waitFor({ state: 'detached' });
      await goTo('#/search?q=passage&doc=one');
      await hand.press(link(t.search.everywhere));
      await until('it is searched everywhere', () => !page.url().includes('doc='));
    },
  },
  {
    name: 'a page of a PDF is turned, made larger, and left for its text',
    async walk({ page, hand, t, button, goTo }) {
      await goTo('#/search?q=anchor');
      await hand.press(page.locator('.hit').filter({ hasText: 'paper.pdf' }));
      await page.locator('.mark-passage').first().waitFor();
      const size = (): Promise<number[]> => page.locator('.sheet').evaluate((sheet) => [sheet.clientWidth, sheet.clientHeight]);
      const [width = 0, height = 0] = await size();
      expect(height).toBeGreaterThan(width);
      await hand.press(button(t.search.larger));
      await until('it is larger', async () => ((await size())[0] ?? 0) > width);
      await hand.press(button(t.search.turn));
      await until('it lies on its side', async () => {
        const [wide = 0, high = 0] = await size();
        return wide > high;
      });
      await hand.press(button(t.search.showText));
      await page.locator('.viewer .text').waitFor();
      await hand.press(button(t.search.showPage));
      await page.locator('.sheet').waitFor();
    },
  },
  {
    name: 'a collection is made and deleted, and another one opened',
    async walk({ page, hand, t, button, link, goTo }) {
      await goTo('#/upload');
      await hand.press(link(t.views.system));
      await page.getByText(t.settings.who, { exact: true }).waitFor();
      await hand.press(button(t.collections.manage));
      await hand.press(
        page
          .locator('.actions > button')
          .filter({ has: page.locator('.icon') })
          .last(),
      );
      const dialog = page.getByRole('dialog');
      await hand.write(dialog.locator('input').first(), 'ships');
      await hand.press(dialog.locator('button[type=submit]'));
      const row = page.locator('.plain-row').filter({ hasText: 'ships' });
      await row.waitFor();
      await hand.press(row.getByRole('button').last());
      await hand.write(dialog.locator('input').first(), 'ships');
      await hand.press(dialog.locator('button[type=submit]'));
      await row.waitFor({ state: 'detached' });
      expect(changes).toEqual(['PUT /collections/ships', 'DELETE /collections/ships']);
    },
  },
  {
    name: 'a key is made and revoked',
    async walk({ page, hand, t, button, link, goTo }) {
      await goTo('#/upload');
      await hand.press(link(t.views.system));
      await hand.press(button(t.keys.manage));
      await hand.press(
        page
          .locator('.actions > button')
          .filter({ has: page.locator('.icon') })
          .last(),
      );
      const dialog = page.getByRole('dialog');
      await hand.write(dialog.locator('input').first(), 'clerk');
      await hand.press(dialog.locator('button[type=submit]'));
      await dialog.locator('input[readonly]').waitFor();
      await hand.press(dialog.getByRole('button').last());
      const row = page.locator('.plain-row').filter({ hasText: 'clerk' });
      await hand.press(row.getByRole('button'));
      await hand.press(dialog.getByRole('button').last());
      await row.waitFor({ state: 'detached' });
      expect(changes).toEqual(['POST /keys', 'DELETE /keys/clerk']);
    },
  },
  {
    name: 'language and colours are changed, and back',
    async walk({ page, hand, t, button, goTo }) {
      await goTo('#/system');
      const other = t === en ? zh : en;
      await hand.press(button(t.otherLanguage));
      await page.getByRole('heading', { level: 1, name: other.views.system }).waitFor();
      await hand.press(button(other.toDark));
      await page.locator('html[data-theme=dark]').waitFor();
      await hand.press(button(other.toLight));
      await hand.press(button(other.otherLanguage));
      await page.getByRole('heading', { level: 1, name: t.views.system }).waitFor();
    },
  },
];

const hands: readonly HandName[] = ['mouse', 'keyboard', 'touch'];
const languages = ['en', 'zh'] as const;

it.each(hands.flatMap((hand) => languages.map((language) => ({ hand, language }))))(
  'everything is done by $hand in $language',
  async ({ hand: name, language }) => {
    const look = name === 'touch' ? { width: 360, height: 740, touch: true } : { width: 1440, height: 900 };
    const { page, incidents, close } = await openPage(browser, server.url, { language, ...look });
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    const walk: Walk = {
      page,
      hand: handOf(name, page),
      t: language === 'en' ? en : zh,
      button: (each, within) => (within ?? page).getByRole('button', { name: each, exact: true }),
      link: (each) => page.getByRole('link', { name: each, exact: true }),
      // Loaded anew: what the path before has left in the page is gone.
      goTo: async (hash) => {
        await page.goto('about:blank');
        await page.goto(`${server.url}/${hash}`);
        await page.locator('h1').first().waitFor({ state: 'attached' });
      },
    };
    const failures: string[] = [];
    for (const path of paths) {
      reset();
      const startMs = performance.now();
      await path.walk(walk).catch((error: Error) => failures.push(`${path.name}: ${error.stack ?? error.message}`));
      if (process.env['TIMES'] !== undefined)
        console.log(`${name} ${language} ${path.name}: ${Math.round(performance.now() - startMs)} ms`);
      const width = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      if (width > 0) failures.push(`${path.name}: ${width} px wider than the screen`);
    }
    expect(failures).toEqual([]);
    expect(incidents).toEqual([]);
    await close();
  },
);
