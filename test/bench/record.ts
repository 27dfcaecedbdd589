/**
 * Keeps what a benchmark printed: its figures as JSON and, where it has one, its chart, in docs/benchmarks/; and the table between
 * its marks in docs/benchmarks.md, with machine, commit and date. The charts need `npm ci --prefix test/bench/peers`.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Row } from './bench.ts';

/** Bars in groups: one group for each category, one bar in each for every series. */
export type Chart = {
  readonly title: string;
  readonly unit: string;
  readonly categories: readonly string[];
  readonly series: readonly { readonly name: string; readonly values: readonly number[] }[];
  /** For figures that are apart by orders of magnitude. */
  readonly logarithmic?: boolean;
  readonly goal?: number;
};

export type Recording = {
  readonly name: string;
  readonly args: readonly string[];
  readonly machine: string;
  readonly rows: readonly Row[];
  readonly chart: Chart | null;
};

/** A chart of the rows that have these figures: a group for each row, and a bar in it for each figure. */
export function barsOf(
  rows: readonly Row[],
  label: (row: Row) => string,
  figures: readonly string[],
  about: Omit<Chart, 'categories' | 'series'>,
): Chart {
  const shown = rows.filter((row) => figures.some((figure) => typeof row[figure] === 'number'));
  const series = figures.map((name) => ({ name, values: shown.map((row) => Number(row[name] ?? NaN)) }));
  return { ...about, categories: shown.map(label), series };
}

/** As `barsOf`, with one figure, and a bar for everybody who is measured beside the others. */
export function besideEachOther(
  rows: readonly Row[],
  { label, who, figure }: { label: (row: Row) => string; who: readonly string[]; figure: string },
  about: Omit<Chart, 'categories' | 'series'>,
): Chart {
  const categories = [...new Set(rows.filter((row) => who.includes(String(row['who']))).map(label))];
  const valueOf = (name: string, category: string): number =>
    Number(rows.find((row) => row['who'] === name && label(row) === category)?.[figure] ?? NaN);
  return {
    ...about,
    categories,
    series: who.map((name) => ({ name, values: categories.map((category) => valueOf(name, category)) })),
  };
}

const root = new URL('../../', import.meta.url);
const folder = new URL('docs/benchmarks/', root);
const page = new URL('docs/benchmarks.md', root);

/** Overwrites what was kept of this benchmark before. */
export function record({ name, args, machine, rows, chart }: Recording): void {
  const git = (...words: string[]): string => execFileSync('git', words, { cwd: root, encoding: 'utf8' }).trim();
  const changed = git('status', '--porcelain', '--', 'src', 'workers').length > 0 ? ' and changes on top' : '';
  const kept = {
    machine,
    commit: git('rev-parse', '--short', 'HEAD') + changed,
    date: new Date().toISOString().slice(0, 10),
    // Where somebody's documents lie says nothing to others.
    command: ['npm run bench --', name, ...args.map((each) => (each.includes('/') ? 'FOLDER' : each))].join(' '),
    rows,
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify(kept, null, 2)}\n`);
  if (chart !== null) writeFileSync(new URL(`${name}.svg`, folder), draw(chart));
  const picture = chart === null ? [] : [`![${chart.title}](benchmarks/${name}.svg)`, ''];
  const lines = [`\`${kept.command}\` on ${kept.date}, commit ${kept.commit}, ${kept.machine}`, '', ...picture, ...tableOf(rows)];
  writeFileSync(page, betweenMarks(readFileSync(page, 'utf8'), name, lines.join('\n')));
}

/** Draws the chart again, from the figures that were kept. */
export function redraw(name: string, chartOf: (rows: readonly Row[]) => Chart): void {
  const { rows } = JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as { rows: readonly Row[] };
  writeFileSync(new URL(`${name}.svg`, folder), draw(chartOf(rows)));
}

function betweenMarks(text: string, name: string, content: string): string {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`docs/benchmarks.md has no place for ${name}: write ${begin} and ${end} into it`);
  return `${text.slice(0, from + begin.length)}\n\n${content}\n\n${text.slice(to)}`;
}

function tableOf(rows: readonly Row[]): string[] {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map((row) => line(columns.map((column) => row[column] ?? '')))];
}

/** As much of it as is used here: it is installed with the peers only. */
type Echarts = {
  init(
    element: null,
    theme: null,
    options: { renderer: 'svg'; ssr: true; width: number; height: number },
  ): { setOption(option: object): void; renderToSVGString(): string; dispose(): void };
};

/** An SVG of its own size with a white ground, so that it can be read on a dark page too. */
function draw({ title, unit, categories, series, logarithmic = false, goal }: Chart): string {
  const echarts = createRequire(new URL('peers/package.json', import.meta.url))('echarts') as Echarts;
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: 960, height: 400 });
  const goalLine = { silent: true, symbol: 'none', data: [{ yAxis: goal }], label: { formatter: `${goal}` } };
  chart.setOption({
    animation: false,
    backgroundColor: '#fff',
    title: { text: title, textStyle: { fontSize: 15 }, left: 12, top: 8 },
    // One below the other: without a browser the widths of words are guesses.
    legend: { orient: 'vertical', left: 716, top: 48, show: series.length > 1 },
    grid: { left: 64, right: series.length > 1 ? 260 : 40, top: 56, bottom: 64 },
    xAxis: {
      type: 'category',
      data: [...categories],
      axisLabel: { interval: 0, width: 560 / categories.length, overflow: 'break', fontSize: 10 },
    },
    yAxis: { type: logarithmic ? 'log' : 'value', name: unit, nameLocation: 'middle', nameGap: 44 },
    series: series.map(({ name, values }, position) => ({
      type: 'bar',
      name,
      data: [...values],
      label: { show: categories.length * series.length <= 24, position: 'top', fontSize: 10 },
      ...(goal !== undefined && position === 0 ? { markLine: goalLine } : {}),
    })),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}
