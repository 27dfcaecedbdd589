/**
 * `npm run bench -- before FOLDER…`: what version 0.1.0 read of a folder and this one does not, and what reading costs beside it. Both run in one
 * process, file by file in turn, round for round; of each file the least time counts, since whoever else works on the machine only adds to it.
 */
import { readdirSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../src/config.ts';
import { createDocumentParser } from '../../src/parse/document-parser.ts';
import type { Parser } from '../../src/parse/parser.ts';
import { checkOut } from '../crash/rolling.ts';
import { tempDir } from '../support/temp-dir.ts';
import type { Bench, Row } from './bench.ts';
import { type Kept, scoreText, sumKept } from './markdown-score.ts';

const rounds = 5;
const endings: readonly string[] = '.pdf .docx .pptx .xlsx .odt .ods .odp .epub .eml .html .xml .csv .md .txt .srt .vtt'.split(' ');

export const bench: Bench = {
  title: 'what is read beside version 0.1.0, and what it costs',
  argsAmongAll: [fileURLToPath(new URL('../../docs', import.meta.url))],
  async run(folders) {
    await using dir = await tempDir();
    const old = join(checkOut(dir.path), '..', 'parse', 'document-parser.ts');
    const before = ((await import(old)) as { createDocumentParser: typeof createDocumentParser }).createDocumentParser({});
    const now = createDocumentParser({});
    const paths = folders.flatMap((folder) =>
      (readdirSync(folder, { recursive: true }) as string[]).map((name) => join(folder, name)),
    );
    const files = paths.filter((path) => endings.includes(extname(path).toLowerCase()) && statSync(path).isFile());
    const rows: Row[] = [];
    for (const [ending, some] of Map.groupBy(files, (path) => extname(path).toLowerCase())) {
      const readings: Beside[] = [];
      for (const path of some) readings.push(await beside(before, now, path));
      rows.push(rowOf(ending, readings));
      console.log(JSON.stringify(rows.at(-1)));
    }
    return rows;
  },
};

type Reading = { markdown: string | null; ms: number };
type Beside = { readonly before: Reading; readonly now: Reading; readonly path: string };

async function beside(before: Parser, now: Parser, path: string): Promise<Beside> {
  const both = { before: { markdown: null, ms: Infinity }, now: { markdown: null, ms: Infinity }, path } as Beside;
  for (let round = 0; round < rounds; round++) {
    const turns = [
      [before, both.before],
      [now, both.now],
    ] as const;
    for (const [parser, reading] of round % 2 === 0 ? turns : turns.toReversed()) await readOnce(parser, path, reading);
  }
  return both;
}

async function readOnce(parser: Parser, path: string, reading: Reading): Promise<void> {
  const [fileBytes, filename] = [statSync(path).size, basename(path)];
  const input = { path, fileBytes, filename, declaredMediaType: null, limits: loadConfig({}), onProgress: () => undefined };
  const started = process.cpuUsage();
  try {
    reading.markdown = (await parser.parse(input)).markdown;
  } catch {
    // Refused: what it costs counts too.
  }
  const { user, system } = process.cpuUsage(started);
  reading.ms = Math.min(reading.ms, (user + system) / 1000);
}

function rowOf(ending: string, readings: readonly Beside[]): Row {
  const read = readings.filter(({ before }) => before.markdown !== null);
  const kept = sumKept(read.map(({ before, now }): Kept => scoreText(now.markdown ?? '', before.markdown!)));
  const cost = (of: 'before' | 'now'): number => readings.reduce((sum, each) => sum + each[of].ms, 0);
  return {
    ending,
    files: readings.length,
    'read before': read.length,
    'and not now': read.filter(({ now }) => now.markdown === null).length,
    'of its words kept': round(kept.matched / kept.expected),
    'words now to then': round(kept.got / kept.expected),
    'CPU ms then': round(cost('before')),
    'CPU now to then': round(cost('now') / cost('before')),
  };
}

function round(figure: number): number {
  return Math.round(1000 * figure) / 1000;
}
