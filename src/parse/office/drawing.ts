/** What drawings hold that can be read: text in shapes, charts (their cached values as a table) and SmartArt. */
import { child, descend, descendants, elements, textOf, type XmlNode } from '../containers/xml.ts';
import type { BlockWriter } from './block-writer.ts';
import { drawingText } from './drawing-text.ts';
import type { OfficePackage } from './office-package.ts';

/** Points of a chart, and series, that are read; more is data that nobody looks at as a table. */
const chartPointsMax = 2000;
const chartSeriesMax = 100;
/** Charts and diagrams of one part. */
const drawingsMax = 1000;

/** The charts and diagrams that a part points to, read ahead, so that they can be written where the part shows them. */
export interface Drawings {
  /** Writes what `c:chart`, `cx:chart` or `dgm:relIds` points to; nothing when it points nowhere. */
  write(reference: XmlNode, out: BlockWriter): void;
}

type Drawing = { readonly title: string; readonly rows: readonly (readonly string[])[]; readonly items: readonly string[] };

/** Reads them by the relationships of `part`; parts outside the archive are never among those. */
export async function readDrawings(office: OfficePackage, part: string): Promise<Drawings> {
  const drawings = new Map<string, Drawing>();
  const read = new Map<string, Drawing>();
  for (const [id, { type, target }] of await office.relationsOf(part)) {
    if (drawings.size >= drawingsMax) break;
    const reader = readers[type];
    if (reader === undefined) continue;
    const drawing = read.get(target) ?? reader(await office.tree(target));
    read.set(target, drawing);
    drawings.set(id, drawing);
  }
  const written = new Set<Drawing>();
  return {
    write(reference, out) {
      const drawing = drawings.get(reference.attributes[reference.name === 'dgm:relIds' ? 'r:dm' : 'r:id'] ?? '');
      // A drawing stands once; a part that shows one ten thousand times is an attack.
      if (drawing === undefined || written.has(drawing)) return;
      written.add(drawing);
      out.paragraph(drawing.title);
      if (drawing.rows.length > 0) out.table(drawing.rows);
      for (const text of drawing.items) out.item({ text, level: 0, label: null, list: 'diagram' });
      if (drawing.items.length > 0) out.flush();
    },
  };
}

/** By the last word of the relationship's type. */
const readers: Readonly<Record<string, (root: XmlNode | null) => Drawing>> = {
  chart: readChart,
  chartEx: readExtendedChart,
  diagramData: readDiagram,
};

/** The references to charts and diagrams below `node`. */
export function* references(node: XmlNode): Generator<XmlNode> {
  for (const name of ['c:chart', 'cx:chart', 'dgm:relIds']) yield* descendants(node, name);
}

/** SmartArt: the texts of its points, in their order. */
function readDiagram(root: XmlNode | null): Drawing {
  const points = elements(child(root, 'dgm:ptLst'), 'dgm:pt').filter((point) => {
    const type = point.attributes['type'] ?? 'node';
    return type === 'node' || type === 'asst';
  });
  const items = points.map((point) => drawingText(child(point, 'dgm:t')).join(' ')).filter((text) => text !== '');
  return { title: '', rows: [], items };
}

function readChart(root: XmlNode | null): Drawing {
  const chart = child(root, 'c:chart');
  const title = drawingText(descend(chart, 'c:title', 'c:tx', 'c:rich')).join(' ');
  const series = [...descendants(child(chart, 'c:plotArea'), 'c:ser')].slice(0, chartSeriesMax).map(readSeries);
  return { title: title !== '' ? title : series.length === 1 ? (series[0]?.name ?? '') : '', rows: seriesRows(series), items: [] };
}

type Series = {
  readonly name: string;
  readonly categories: ReadonlyMap<number, string>;
  readonly values: ReadonlyMap<number, string>;
};

function readSeries(node: XmlNode): Series {
  const categories = child(node, 'c:cat') ?? child(node, 'c:xVal');
  const values = child(node, 'c:val') ?? child(node, 'c:yVal');
  const name = child(node, 'c:tx');
  return {
    name: [...points(name).values()].join(' ') || textOf(child(name, 'c:v')).trim(),
    categories: points(categories),
    values: points(values),
  };
}

/** Cached values by index. Categories on several levels: the innermost one. */
function points(node: XmlNode | undefined): ReadonlyMap<number, string> {
  const holder = node === undefined ? undefined : (descendants(node, 'c:lvl').next().value ?? node);
  const found = new Map<number, string>();
  for (const point of descendants(holder, 'c:pt')) {
    if (found.size >= chartPointsMax) break;
    found.set(Number.parseInt(point.attributes['idx'] ?? '', 10), chartNumber(textOf(child(point, 'c:v')).trim()));
  }
  return found;
}

/** 0.30000000000000004 as the chart shows it. */
function chartNumber(text: string): string {
  return /^-?\d+\.\d{12,}(?:[eE][-+]?\d+)?$/.test(text) ? String(Number(Number(text).toPrecision(12))) : text;
}

function seriesRows(series: readonly Series[]): string[][] {
  const indexes = [...new Set(series.flatMap((each) => [...each.values.keys(), ...each.categories.keys()]))].sort((a, b) => a - b);
  if (indexes.length === 0) return [];
  const label = (index: number) => series.map((each) => each.categories.get(index)).find((text) => text !== undefined) ?? '';
  return [
    ['', ...series.map((each) => each.name)],
    ...indexes.slice(0, chartPointsMax).map((index) => [label(index), ...series.map((each) => each.values.get(index) ?? '')]),
  ];
}

/** Charts of 2016 and later (waterfall, treemap, funnel …): the title and each dimension's points. */
function readExtendedChart(root: XmlNode | null): Drawing {
  const title = [...descendants(descend(root, 'cx:chart', 'cx:title'), 'a:t')].map(textOf).join(' ');
  const columns = [...descendants(child(root, 'cx:chartData'), 'cx:lvl')]
    .slice(0, chartSeriesMax)
    .map((level) => elements(level, 'cx:pt').slice(0, chartPointsMax).map(textOf));
  const length = columns.reduce((longest, column) => Math.max(longest, column.length), 0);
  const rows = Array.from({ length }, (_, row) => columns.map((column) => chartNumber((column[row] ?? '').trim())));
  return { title, rows: length === 0 ? [] : [columns.map(() => ''), ...rows], items: [] };
}
