/** How an ingest run shows itself while it runs: bars on a terminal, a line for each file elsewhere, nothing with --json. */
import { MultiBar, Presets, type SingleBar } from 'cli-progress';
import { basename } from 'node:path';
import type { FileOutcome } from './ingest-report.ts';
import { counted, printable } from './terminal-text.ts';

export interface IngestProgress {
  begin(files: number): void;
  /** `percent` is the server's, from 0 to 100. */
  at(path: string, stage: string, percent: number): void;
  done(outcome: FileOutcome): void;
  /** Something to know that concerns no file: the server is busy or away. */
  note(sentence: string): void;
  end(): void;
}

export const silentProgress: IngestProgress = { begin() {}, at() {}, done() {}, note() {}, end() {} };

/** One line for each file that ended, for logs and pipes. */
export function lineProgress(print: (line: string) => void): IngestProgress {
  let total = 0;
  let count = 0;
  return {
    begin(files) {
      total = files;
    },
    at() {},
    done(outcome) {
      count += 1;
      print(`${count}/${total} ${describe(outcome)}`);
    },
    note: print,
    end() {},
  };
}

/** A bar for the whole run, and one for each file on its way. */
export function barProgress(stream: NodeJS.WritableStream): IngestProgress {
  const bars = new MultiBar(
    { stream, clearOnComplete: true, hideCursor: true, format: '{bar} {percentage}% {name} {stage}', barsize: 24 },
    Presets.shades_grey,
  );
  const files = new Map<string, SingleBar>();
  let whole: SingleBar | null = null;
  let failed = 0;
  return {
    begin(total) {
      whole = bars.create(total, 0, { name: `of ${counted(total, 'file')}`, stage: '' });
    },
    at(path, stage, percent) {
      const bar = files.get(path) ?? bars.create(100, 0, { name: shortName(path), stage });
      files.set(path, bar);
      bar.update(Math.floor(percent), { stage });
    },
    done(outcome) {
      const bar = files.get(outcome.path);
      if (bar !== undefined) bars.remove(bar);
      files.delete(outcome.path);
      if (outcome.outcome === 'failed') {
        failed += 1;
        bars.log(`${describe(outcome)}\n`);
      }
      whole?.increment(1, { stage: failed === 0 ? '' : `${failed} failed` });
    },
    note: (sentence) => bars.log(`${printable(sentence)}\n`),
    end: () => bars.stop(),
  };
}

function describe({ path, outcome, error, pages, chunks }: FileOutcome): string {
  const name = printable(path);
  if (outcome === 'failed') return `FAILED ${name}: ${printable(error ?? 'unknown')}`;
  if (outcome === 'present') return `already there ${name}`;
  const size = [pages === null ? null : counted(pages, 'page'), chunks === null ? null : counted(chunks, 'chunk')].filter(
    (part) => part !== null,
  );
  return `ok ${name}${size.length === 0 ? '' : ` (${size.join(', ')})`}`;
}

function shortName(path: string): string {
  const name = printable(basename(path));
  return name.length > 40 ? `${name.slice(0, 25)}…${name.slice(-12)}` : name;
}
