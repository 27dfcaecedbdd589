/** The shapes of a slide in their own order, which is the one that a screen reader follows: text, tables, charts, diagrams, groups. */
import { DocumentError } from '../../../errors.ts';
import type { Repeats } from '../../repeats.ts';
import { child, descend, elements, type XmlNode } from '../../containers/xml.ts';
import { chosen } from '../alternate-content.ts';
import type { BlockWriter } from '../block-writer.ts';
import { descriptionsOf } from '../description.ts';
import { references, type Drawings } from '../drawing.ts';
import { drawingText, paragraphText } from '../drawing-text.ts';
import { formatNumber } from '../word/number-label.ts';
import { bulletsOf, levelOf, placeholderOf, type Bullet, type Masters } from './slide-bullets.ts';

type Context = {
  readonly out: BlockWriter;
  readonly masters: Masters;
  readonly drawings: Drawings;
  readonly cellsMax: number;
  readonly repeats: Repeats;
  /** Where links of the slide lead, by their relationships. */
  readonly links: ReadonlyMap<string, string>;
  /** Lines that stand on slide after slide (footers, dates), each to be written once. */
  readonly running: Set<string>;
};

/** Placeholders that number and date slides, and the title, which is the slide's heading already. */
const leftOut = new Set(['title', 'ctrTitle', 'dt', 'sldNum', 'sldImg']);
/** Placeholders that repeat on every slide. */
const repeated = new Set(['ftr', 'hdr']);
/** Columns of one cell; a wider span is a lie that would be filled with text. */
const spanMax = 100;

/** Writes all shapes of a `p:spTree` or `p:grpSp`. @throws DocumentError `limit_exceeded` (MAX_CELLS). */
export function writeShapes(tree: XmlNode, context: Context): void {
  for (const shape of elements(tree)) {
    switch (shape.name) {
      case 'p:sp':
        writePlaceholder(shape, context);
        break;
      case 'p:grpSp':
        writeShapes(shape, context);
        break;
      case 'mc:AlternateContent':
        writeShapes(chosen(shape), context);
        break;
      case 'p:graphicFrame':
        writeFrame(shape, context);
        break;
      case 'p:pic':
        writeDescription(shape, context);
        break;
      default: // connectors hold no text
    }
  }
}

function writePlaceholder(shape: XmlNode, context: Context): void {
  const type = placeholderOf(shape)?.attributes['type'] ?? '';
  if (repeated.has(type)) writeRunning(shape, context);
  else if (!leftOut.has(type)) writeText(shape, context);
}

function writeRunning(shape: XmlNode, { out, running }: Context): void {
  for (const line of drawingText(textBody(shape))) {
    if (running.has(line)) continue;
    running.add(line);
    out.paragraph(line);
  }
}

/** What a picture, chart or diagram shows, as its author says it. */
function writeDescription(shape: XmlNode, { out, repeats }: Context): void {
  for (const text of descriptionsOf(shape)) out.paragraph(`Picture: ${repeats.first(text)}`);
}

function writeText(shape: XmlNode, { out, masters, links }: Context): void {
  const numbers = createNumbers();
  const bulletOf = bulletsOf(shape, masters);
  for (const paragraph of elements(textBody(shape), 'a:p')) {
    const text = paragraphText(paragraph, links).trim();
    if (text === '') continue;
    const bullet = bulletOf(paragraph);
    const level = levelOf(paragraph);
    const label = numbers(bullet, level);
    if (bullet === null) out.paragraph(text);
    else out.item({ text, level, label });
  }
  out.flush();
}

/** The body itself, or in whole paragraphs that are written twice (equations) the newer of them. */
function textBody(shape: XmlNode): XmlNode | undefined {
  const body = child(shape, 'p:txBody');
  if (body === undefined || child(body, 'mc:AlternateContent') === undefined) return body;
  const children = body.children.flatMap((each) =>
    typeof each !== 'string' && each.name === 'mc:AlternateContent' ? chosen(each).children : [each],
  );
  return { ...body, children };
}

/** Counts numbered paragraphs of one shape: a level goes on until something else stands at it or above. */
export function createNumbers(): (bullet: Bullet | null, level: number) => string | null {
  const counts: number[] = [];
  return (bullet, level) => {
    counts.length = Math.min(counts.length, level + 1);
    if (bullet?.kind !== 'number') {
      counts.length = Math.min(counts.length, level);
      return null;
    }
    const count = (counts[level] ?? bullet.start - 1) + 1;
    counts[level] = count;
    return label(count, bullet.format);
  };
}

/** `arabicPeriod` → `1.`, `romanLcParenBoth` → `(i)` (ST_TextAutonumberScheme). */
function label(count: number, format: string): string {
  const formats: Readonly<Record<string, string>> = {
    alphaLc: 'lowerLetter',
    alphaUc: 'upperLetter',
    romanLc: 'lowerRoman',
    romanUc: 'upperRoman',
    circleNum: 'decimalEnclosedCircle',
    ea1Chs: 'chineseCounting',
    ea1Cht: 'taiwaneseCounting',
    ea1Jpn: 'japaneseCounting',
  };
  const [, scheme = '', ending = ''] = /^(.{1,40}?)(Period|ParenBoth|ParenR|Plain|DbPlain|WdBlackPlain)?$/.exec(format) ?? [];
  const name = Object.keys(formats).find((each) => scheme.startsWith(each));
  const number = formatNumber(count, name === undefined ? 'decimal' : formats[name]!);
  if (ending === 'ParenBoth') return `(${number})`;
  if (ending === 'ParenR') return `${number})`;
  return ending === 'Period' ? `${number}.` : number;
}

function writeFrame(frame: XmlNode, context: Context): void {
  const { out, drawings } = context;
  const table = descend(frame, 'a:graphic', 'a:graphicData', 'a:tbl');
  if (table !== undefined) out.table(tableRows(table, context));
  for (const reference of references(frame)) drawings.write(reference, out);
  writeDescription(frame, context);
}

/** Merged cells repeat their text. */
function tableRows(table: XmlNode, { cellsMax, repeats, links }: Context): string[][] {
  const rows: string[][] = [];
  let cells = 0;
  for (const row of elements(table, 'a:tr')) {
    const texts: string[] = [];
    for (const cell of elements(row, 'a:tc')) {
      const { attributes } = cell;
      const at = texts.length;
      if (isOn(attributes['hMerge'])) texts.push(repeats.again(texts[at - 1] ?? ''));
      else if (isOn(attributes['vMerge'])) texts.push(repeats.again(rows.at(-1)?.[at] ?? ''));
      else texts.push(repeats.first(drawingText(child(cell, 'a:txBody'), links).join('\n')));
      cells += spanOf(cell);
    }
    if (cells > cellsMax) throw new DocumentError('limit_exceeded', `A slide has more than ${cellsMax} table cells (MAX_CELLS)`);
    rows.push(spread(row, texts, repeats));
  }
  return rows;
}

/** Some writers leave out the cells that a span covers instead of marking them. */
function spread(row: XmlNode, texts: readonly string[], repeats: Repeats): string[] {
  const cells = elements(row, 'a:tc');
  if (cells.some((cell) => isOn(cell.attributes['hMerge']))) return [...texts];
  return cells.flatMap((cell, at) => {
    const text = texts[at]!;
    return Array.from({ length: spanOf(cell) }, (_, place) => (place === 0 ? text : repeats.again(text)));
  });
}

function spanOf(cell: XmlNode): number {
  return Math.min(spanMax, Math.max(1, Number.parseInt(cell.attributes['gridSpan'] ?? '1', 10) || 1));
}

function isOn(value: string | undefined): boolean {
  return value === '1' || value === 'true';
}
