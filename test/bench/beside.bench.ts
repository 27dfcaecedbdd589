/**
 * How long a small upload takes while a large document is worked on: `npm run bench -- beside [TEXT MB] [PAGES] [CELLS]`, a text of 90 MB, a PDF
 * of 2,000 pages and a sheet of a million cells by default. One small upload after the other, from the moment that the large one is taken to
 * its end, at least 200; the longest beside the p99 of 200 while nothing else is done, in the same run.
 */
import { getTask, insert, makeDataDir, removeDir, startServer, type TestServer } from '../support/server.ts';
import { makePdf } from '../support/pdf-writer.ts';
import { pageLines } from '../support/prose.ts';
import { makeXlsx } from '../support/office-writer.ts';
import type { Bench, Row } from './bench.ts';
import { createText } from './made-text.ts';
import { percentile, round } from './process-figures.ts';
import { barsOf } from './record.ts';
import { type Sender, senderTo, smallText } from './small-uploads.ts';

const uploads = 200;
const columns = 50;

type Large = { readonly what: string; readonly name: string; readonly make: () => Uint8Array };

export const bench: Bench = {
  title: 'small uploads beside a large document, to those of a quiet server',
  argsAmongAll: ['20', '400', '200000'],
  async run([megabytes = '90', pages = '2000', cells = '1000000']) {
    const dataDir = await makeDataDir();
    const server = await startServer({ dataDir, env: { LOG_LEVEL: 'error', MAX_CONCURRENT_TASKS: '2' } });
    const sender = senderTo(server.url, 1);
    try {
      await sendUntil(sender, 'warm', () => true);
      const quiet = await sendUntil(sender, 'quiet', () => true);
      const quietP99 = percentile(quiet, 0.99);
      const rows: Row[] = [toRow('nothing', quiet, quietP99)];
      for (const large of largeFiles(Number(megabytes), Number(pages), Number(cells)))
        rows.push(toRow(large.what, await besideOf(server, sender, large), quietP99));
      return rows;
    } finally {
      sender.close();
      await server.stop();
      await removeDir(dataDir);
    }
  },
  chart: (rows) =>
    barsOf(rows, (row) => String(row['beside']), ['longest ÷ quiet p99'], {
      title: 'The longest of at least 200 small uploads beside a large document',
      unit: '÷ p99 of a quiet server',
      goal: 5,
      logarithmic: true,
    }),
};

function largeFiles(megabytes: number, pages: number, cells: number): Large[] {
  return [
    { what: `a text of ${megabytes} MB`, name: 'large.txt', make: () => Buffer.from(largeText(megabytes * 1e6)) },
    {
      what: `a PDF of ${pages} pages`,
      name: 'large.pdf',
      make: () => makePdf({ pages: Array.from({ length: pages }, (_, page) => pageLines(page, 45)) }),
    },
    {
      what: `a sheet of ${cells} cells`,
      name: 'large.xlsx',
      make: () => makeXlsx({ sheets: [{ name: 'Figures', rows: figures(cells / columns) }] }),
    },
  ];
}

function largeText(bytes: number): string {
  const text = createText(5);
  const paragraphs: string[] = [];
  for (let length = 0; length < bytes; length += paragraphs.at(-1)!.length + 2) paragraphs.push(text.words(120));
  return paragraphs.join('\n\n');
}

/** Numbers that are hardly ever the same. */
function figures(rows: number): number[][] {
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_unused, column) => (Math.imul(row * columns + column + 1, 2_654_435_761) >>> 0) / 100),
  );
}

/** What each small upload took, one after the other: at least 200, and until the large one is done. */
async function besideOf(server: TestServer, sender: Sender, { what, name, make }: Large): Promise<number[]> {
  const answer = await insert(server.url, name, { name, bytes: make() }, { Prefer: 'respond-async' });
  if (answer.status !== 202) throw new Error(`${what} was answered ${answer.status}: ${await answer.text()}`);
  const { task_id: taskId } = (await answer.json()) as { task_id: string };
  let status = 'pending';
  const watching = (async () => {
    while (status === 'pending' || status === 'processing') {
      await new Promise((resolve) => setTimeout(resolve, 200));
      ({ status } = await getTask(server.url, taskId));
    }
  })();
  const times = await sendUntil(sender, name, () => status !== 'pending' && status !== 'processing');
  await watching;
  if (status !== 'completed') throw new Error(`${what} ended as ${status}`);
  return times;
}

async function sendUntil(sender: Sender, name: string, isDone: () => boolean): Promise<number[]> {
  const times: number[] = [];
  while (times.length < uploads || !isDone()) {
    const sentAt = performance.now();
    await sender.send(`${name}-${times.length}`, smallText());
    times.push(performance.now() - sentAt);
  }
  return times;
}

function toRow(beside: string, times: readonly number[], quietP99: number): Row {
  const longest = Math.max(...times);
  return {
    beside,
    uploads: times.length,
    'p50 ms': round(percentile(times, 0.5)),
    'p99 ms': round(percentile(times, 0.99)),
    'longest ms': round(longest),
    'longest ÷ quiet p99': round(longest / quietP99),
  };
}
