/**
 * The system's Chromium, and pages in it that are watched: whatever a page must never do (an error in the console, a breach of its
 * own policy, a request to another origin, a dialog) is written down as an incident, and tests expect none.
 */
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { buildPage } from '../../../scripts/build-page.ts';

/** Longest wait for one thing on the page: machines that test are busy, and a slow step is no wrong one. */
const waitMs = 90_000;

// Not for the script that takes screenshots.
if (process.env['VITEST'] !== undefined) (await import('vitest')).vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

export type Look = {
  readonly language?: 'en' | 'zh';
  readonly theme?: 'light' | 'dark';
  readonly width?: number;
  readonly height?: number;
  /** A screen that is touched. */
  readonly touch?: boolean;
};

export type WatchedPage = {
  readonly page: Page;
  /** What it must not have done, one line each. */
  readonly incidents: string[];
  readonly close: () => Promise<void>;
};

/** The page is built first when its sources have changed. */
export async function launchBrowser(): Promise<Browser> {
  await buildPage();
  return chromium.launch({
    executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
    // Without a language of the system Chromium names no download in Chinese.
    env: { ...process.env, LANG: 'C.UTF-8' },
  });
}

/** Opens `url` in a context of its own. Incidents name the origin that the page came from as the only one allowed. */
export async function openPage(browser: Browser, url: string, look: Look = {}): Promise<WatchedPage> {
  const context = await browser.newContext({
    viewport: { width: look.width ?? 1280, height: look.height ?? 800 },
    colorScheme: look.theme ?? 'light',
    locale: look.language === 'zh' ? 'zh-CN' : 'en-US',
    timezoneId: 'UTC',
    reducedMotion: 'reduce',
    hasTouch: look.touch ?? false,
  });
  const incidents: string[] = [];
  context.setDefaultTimeout(waitMs);
  const page = await context.newPage();
  watch(page, new URL(url).origin, incidents);
  await guard(context, new URL(url).origin, incidents);
  await page.goto(url);
  await page.locator('h1').first().waitFor({ state: 'attached' });
  return { page, incidents, close: () => context.close() };
}

function watch(page: Page, origin: string, incidents: string[]): void {
  page.on('console', (message) => {
    const text = message.text();
    if (text.startsWith('[policy]')) incidents.push(text);
    else if (['error', 'warning'].includes(message.type())) incidents.push(`console ${message.type()}: ${text}`);
  });
  page.on('pageerror', (error) => incidents.push(`error: ${error.stack ?? error.message}`));
  page.on('dialog', (dialog) => {
    // The browser's own question before unsent files are left behind.
    if (dialog.type() === 'beforeunload') return void dialog.accept().catch(() => undefined);
    incidents.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    const { protocol, origin: to } = new URL(request.url());
    if (!['blob:', 'data:'].includes(protocol) && to !== origin) incidents.push(`request to ${request.url()}`);
  });
}

/** Requests elsewhere are stopped as well as noted (workers' too), and breaches of the policy are noted in the page itself. */
async function guard(context: BrowserContext, origin: string, incidents: string[]): Promise<void> {
  await context.route(
    (url) => url.origin !== origin && !['blob:', 'data:'].includes(url.protocol),
    (route) => {
      incidents.push(`stopped request to ${route.request().url()}`);
      return route.abort();
    },
  );
  await context.addInitScript(() => {
    // The system's own window for choosing files is out of a test's reach; that of an input is not.
    delete (window as { showOpenFilePicker?: unknown }).showOpenFilePicker;
    document.addEventListener('securitypolicyviolation', (event) => {
      console.log(`[policy] ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
    });
  });
}

/** Changes theme and language of a page that is open, as its reader would; the view stays in the state it is in. */
export async function setLook(page: Page, { theme, language }: { theme: 'light' | 'dark'; language: 'en' | 'zh' }): Promise<void> {
  await page.emulateMedia({ colorScheme: theme });
  const isChinese = (await page.locator('html').getAttribute('lang')) === 'zh-CN';
  // By script: an open dialog keeps the mouse away from the rest of the page.
  if (isChinese !== (language === 'zh'))
    await page.locator('.tools button[lang]').evaluate((button: HTMLElement) => button.click());
  await page.locator(`html[data-theme=${theme}][lang=${language === 'zh' ? 'zh-CN' : 'en'}]`).waitFor();
}

/** Drops files on the page as a file manager does. */
export async function dropFiles(page: Page, files: readonly { readonly name: string; readonly text: string }[]): Promise<void> {
  await page.evaluate((given) => {
    const transfer = new DataTransfer();
    for (const { name, text } of given) transfer.items.add(new File([text], name));
    const target = document.querySelector('.drop') ?? document.body;
    for (const type of ['dragenter', 'dragover', 'drop']) {
      target.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }));
    }
  }, files);
}
