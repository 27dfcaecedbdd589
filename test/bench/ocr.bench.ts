/**
 * `npm run bench -- ocr [DPI…]`: pages made here, read by what comes with the program, and by the installed Tesseract (or the one that
 * TESSERACT names) where there is one. Errors are characters (Levenshtein's distance) of those on the page, spaces between Chinese
 * characters and ends of lines left aside. Processor time is of the whole process and its children.
 */
import { readFileSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { readPng, writePgm } from '../../src/parse/images/grey-picture.ts';
import { createOcr, type Ocr, ocrCommand } from '../../src/parse/images/ocr.ts';
import { quarterTurned } from '../../src/parse/images/picture-turns.ts';
import { createWasmOcr } from '../../src/parse/images/wasm-ocr.ts';
import { launchBrowser } from '../web/support/browser.ts';
import type { Bench, Row } from './bench.ts';
import { ended, insert, makeDataDir, removeDir, search, startServer } from '../support/server.ts';
import { pdfOfPictures, type ScanKind, scanOf, scanOfLines, scanTexts, textOn } from './ocr-pages.ts';

const kinds: readonly ScanKind[] = ['clean', 'turned by 2°', 'specks'];
const options = { languages: '', timeoutMs: 300_000, clockMs: 3_000_000 };

export const bench: Bench = {
  title: 'what is read wrongly in scans of one page, and what it costs',
  async run(args) {
    const resolutions = args.length > 0 ? args.map(Number) : [150, 300];
    const own = createWasmOcr(options);
    if (own === null) throw new Error('tesseract.js-core or its models are not installed');
    const installed = await createOcr({ ...options, command: process.env['TESSERACT'] ?? ocrCommand });
    const browser = await launchBrowser();
    const rows: Row[] = [];
    const turned: Row[] = [];
    let [pages, scripts]: [Row, Row] = [{}, {}];
    try {
      pages = await scannedBook(browser);
      console.log(JSON.stringify(pages));
      for (const text of Object.keys(scanTexts))
        for (const dpi of resolutions)
          for (const kind of kinds) {
            const picture = await scanOf(browser, text, dpi, kind);
            rows.push({ text, dpi, page: kind, ...(await figures(text, picture, own, installed)) });
            console.log(JSON.stringify(rows.at(-1)));
          }
      for (const text of Object.keys(scanTexts)) {
        const page = readPng(await scanOf(browser, text, 150, 'clean'))!;
        for (const turn of [1, 2, 3] as const) {
          const picture = writePgm(quarterTurned(page, turn));
          turned.push({ text, dpi: 150, page: `turned by ${turn * 90}°`, ...(await figures(text, picture, own, installed)) });
          console.log(JSON.stringify(turned.at(-1)));
        }
      }
      scripts = await linesInWrongScript(browser, own);
      console.log(JSON.stringify(scripts));
    } finally {
      await browser.close();
    }
    return [...rows, ...Object.keys(scanTexts).map((text) => meanOf(rows, text)), ...turned, scripts, pages];
  },
};

const pageCount = 20;
const months = ['January', 'February', 'March', 'April', 'May'];

/** A scan of many pages, uploaded to a server; how many of them a search for what only they say names as the page of its first hit. */
async function scannedBook(browser: Browser): Promise<Row> {
  const dataDir = await makeDataDir();
  const server = await startServer({ dataDir, env: { LOG_LEVEL: 'warn', PAGE_TIMEOUT_MS: '120000' } });
  try {
    const chapters = Array.from({ length: pageCount }, (_, index) =>
      index % 2 === 0
        ? [
            `Inventory of room ${index + 101}`,
            `The inventory of room ${index + 101} was taken in ${months[index % 5]} and signed by two clerks.`,
          ]
        : [`第${index + 101}号房间清点记录`, `第${index + 101}号房间的物品由两名职员清点并签字，一共有${index + 3}把椅子。`],
    );
    const pictures: Buffer[] = [];
    for (const lines of chapters) pictures.push(await scanOfLines(browser, lines, { dpi: 150, kind: 'clean' }));
    const bytes = await pdfOfPictures(browser, pictures);
    const answer = await insert(server.url, 'book', { name: 'book.pdf', bytes }, { prefer: 'respond-async' });
    const { task_id: taskId } = (await answer.json()) as { task_id: string };
    const task = await ended(server.url, taskId, 1_800_000);
    let right = 0;
    for (const [index, [title]] of chapters.entries()) {
      const [hit] = await search(server.url, title!, { top_k: 1 });
      if (hit?.citation.page === index + 1) right += 1;
    }
    return {
      text: `a scan of ${pageCount} pages, ${task.status}`,
      dpi: 150,
      page: 'found by search on its page',
      'pages found': right,
    };
  } finally {
    await server.stop();
    await removeDir(dataDir);
  }
}

/** Pictures of one line in either Chinese script, the same lines: how many are read as lines of the other. */
async function linesInWrongScript(browser: Browser, ocr: Ocr): Promise<Row> {
  const linesOf = (text: string): string[] =>
    textOn(text)
      .split(/[。；，：\n]/)
      .filter((line) => line.length >= 7);
  const [simplified, traditional] = [linesOf('simplified Chinese'), linesOf('traditional Chinese')];
  let [all, wrong] = [0, 0];
  for (const [lines, others, isTraditional] of [
    [simplified, traditional, false],
    [traditional, simplified, true],
  ] as const)
    for (const [index, line] of lines.entries()) {
      const picture = await scanOfLines(browser, [line], { dpi: index % 2 === 0 ? 100 : 150, kind: 'clean', isTraditional });
      const said = comparable(await ocr.read(picture));
      const away = (from: string): number => distance(Array.from(comparable(from)), Array.from(said));
      all += 1;
      if (away(line) > away(others[index]!)) wrong += 1;
    }
  return { text: `${all} lines, in the other script`, dpi: '100, 150', page: 'clean', 'errors %': ratio(100 * wrong, all) };
}

async function figures(text: string, picture: Buffer, own: Ocr, installed: Ocr | null): Promise<Row> {
  const ours = await measured(own, text, picture);
  const peak = Math.round(peakMb());
  if (installed === null) return { 'errors %': ours.errors, 'CPU s': ours.cpuS, 'peak memory MB': peak };
  const peer = await measured(installed, text, picture);
  return {
    'errors %': ours.errors,
    'installed: errors %': peer.errors,
    'CPU s': ours.cpuS,
    'times the installed': ratio(ours.wallS, peer.wallS),
    'peak memory MB': peak,
  };
}

async function measured(ocr: Ocr, text: string, picture: Buffer): Promise<{ errors: number; cpuS: number; wallS: number }> {
  const [cpu, startedAt] = [process.cpuUsage(), performance.now()];
  const read = await ocr.read(picture);
  const { user, system } = process.cpuUsage(cpu);
  const wanted = comparable(textOn(text));
  const wrong = distance(Array.from(wanted), Array.from(comparable(read)));
  return {
    errors: ratio(100 * wrong, Array.from(wanted).length),
    cpuS: ratio(user + system, 1_000_000),
    wallS: (performance.now() - startedAt) / 1000,
  };
}

/** Spaces beside Chinese characters and their marks say nothing; quotation marks are as they are drawn. */
function comparable(text: string): string {
  const wide = '[\\u2e80-\\u9fff\\uff00-\\uff60\\u3000-\\u303f]';
  return text
    .replaceAll('’', "'")
    .replace(/\s+/g, ' ')
    .replace(new RegExp(`(?<=${wide}) | (?=${wide})`, 'gu'), '')
    .trim();
}

/** Levenshtein: insertions, deletions and changes that make one of the other. */
function distance(from: readonly string[], to: readonly string[]): number {
  let row = to.map((_, index) => index + 1);
  for (const [at, character] of from.entries()) {
    let [diagonal, left] = [at, at + 1];
    row = row.map((above, column) => {
      const cost = Math.min(above + 1, left + 1, diagonal + (character === to[column] ? 0 : 1));
      [diagonal, left] = [above, cost];
      return cost;
    });
  }
  return row.at(-1) ?? from.length;
}

function meanOf(rows: readonly Row[], text: string): Row {
  const own = rows.filter((row) => row['text'] === text);
  const mean = (figure: string): number =>
    ratio(
      own.reduce((sum, row) => sum + Number(row[figure] ?? NaN), 0),
      own.length,
    );
  const peer = own.some((row) => 'installed: errors %' in row);
  return {
    text,
    dpi: '',
    page: 'mean',
    'errors %': mean('errors %'),
    ...(peer ? { 'installed: errors %': mean('installed: errors %'), 'times the installed': mean('times the installed') } : {}),
    'CPU s': mean('CPU s'),
  };
}

/** Of this process, in which the thread's memory lies. */
function peakMb(): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? NaN) / 1024;
}

function ratio(part: number, whole: number): number {
  return Math.round((1000 * part) / whole) / 1000;
}
