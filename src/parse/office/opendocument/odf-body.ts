/** Reads the content of OpenDocument texts and presentations as events, one paragraph at a time; lists, tables and pages as they open and close. */
import { DocumentError } from '../../../errors.ts';
import type { Repeats } from '../../repeats.ts';
import { elements, replay, textOf, type Attributes, type XmlHandler, type XmlNode } from '../../containers/xml.ts';
import { createTextWriter, type BlockWriter, type TextWriter } from '../block-writer.ts';
import { descriptionOf } from '../description.ts';
import { readPartEvents } from '../part-events.ts';
import type { OdfStyles } from './odf-styles.ts';
import { objectOf, readOdfText, type OdfObjects } from './odf-text.ts';

export type OdfContext = {
  readonly styles: OdfStyles;
  /** Objects by their folder's name (`Object 1`). */ readonly objects: OdfObjects;
  readonly cellsMax: number;
  readonly repeats: Repeats;
  /** Called at each `draw:page`, before its text. */ readonly onPage: (isHidden: boolean) => void;
};

type Item = { readonly texts: string[]; label: string | null; readonly isHeader: boolean };
type List = { readonly style: string | undefined; count: number; item: Item | null };
type Cell = {
  /** Lists that began in this cell. */ readonly lists: List[];

  readonly writer: TextWriter;
  readonly columns: number;
  readonly rows: number;
  readonly repeat: number;
  readonly isCovered: boolean;
};
type Table = {
  readonly rows: string[][];
  /** By column: the text that goes on down, and the number of the last row that it reaches. */
  readonly spans: Map<number, { lastRow: number; text: string }>;
  cells: Cell[];
  repeat: number;
  /** The only cell so far: a table of one cell is a frame around text, not a table. */ single: TextWriter | null;
};

const spanMax = 100;
const captured = new Set([
  'text:p',
  'text:h',
  'style:style',
  'text:list-style',
  'office:annotation',
  'svg:title',
  'svg:desc',
  'draw:object',
]);
const dropped = new Set([
  'text:tracked-changes',
  'office:scripts',
  'office:forms',
  'office:font-face-decls',
  'text:sequence-decls',
  'text:variable-decls',
  'text:user-field-decls',
  'presentation:footer-decl',
  'presentation:date-time-decl',
  'table:table-columns',
  'office:binary-data',
  'office:master-styles',
  'table:shapes',
]);
/** Frames of a slide that repeat on every one. */
const repeatedClasses = new Set(['page-number', 'header', 'footer', 'date-time', 'page', 'handout']);

/** A handler that writes what it is handed to `out`. */
export function createOdfReader(out: BlockWriter, context: OdfContext): XmlHandler {
  const { styles, objects, repeats } = context;
  const outerLists: List[] = [];
  const tables: Table[] = [];
  const headingCounts: number[] = [];
  const listCounts = new Map<string, number>();
  /** Classes of the frames that are open: `title`, `notes`, … */
  const frames: string[] = [];
  let cells = 0;
  let hasTitle = false;
  let isPageHeaded = true;
  let hasNotes = false;

  return readPartEvents({
    part: 'content.xml',
    captured,
    isDropped: (name, attributes) => dropped.has(name) || isRepeated(name, attributes),
    begin,
    end,
    whole(node) {
      if (node.name === 'text:p' || node.name === 'text:h') paragraph(node);
      else if (node.name === 'office:annotation') comment(node);
      else if (node.name === 'draw:object') object(node, writer());
      else if (node.name.startsWith('svg:')) description(node);
      else styles.add(node);
    },
  });

  function isRepeated(name: string, attributes: Attributes): boolean {
    return name.startsWith('draw:') && repeatedClasses.has(attributes['presentation:class'] ?? '');
  }

  function lists(): List[] {
    return tables.at(-1)?.cells.at(-1)?.lists ?? outerLists;
  }

  function writer(): BlockWriter {
    return tables.at(-1)?.cells.at(-1)?.writer ?? out;
  }

  function begin(name: string, attributes: Attributes): void {
    switch (name) {
      case 'text:list':
        endItem(lists().at(-1));
        beginList(attributes);
        break;
      case 'text:list-item':
      case 'text:list-header':
        beginItem(name, attributes);
        break;
      case 'table:table':
        tables.push({ rows: [], spans: new Map(), cells: [], repeat: 1, single: null });
        break;
      case 'table:table-row':
        beginRow(attributes);
        break;
      case 'table:table-cell':
      case 'table:covered-table-cell':
        beginCell(name, attributes);
        break;
      case 'draw:page':
        beginPage(attributes);
        break;
      case 'presentation:notes':
        frames.push('notes');
        hasNotes = false;
        break;
      case 'draw:frame':
      case 'draw:custom-shape':
        frames.push(attributes['presentation:class'] ?? frames.at(-1) ?? '');
        break;
      default:
    }
  }

  function end(name: string): void {
    switch (name) {
      case 'text:list':
        endItem(lists().at(-1));
        lists().pop();
        break;
      case 'text:list-item':
      case 'text:list-header':
        endItem(lists().at(-1));
        break;
      case 'table:table-row':
        endRow();
        break;
      case 'table:table': {
        const table = tables.pop();
        if (table?.single) table.single.replay(writer());
        else if (table !== undefined) writer().table(table.rows);
        break;
      }
      case 'presentation:notes':
      case 'draw:frame':
      case 'draw:custom-shape':
        frames.pop();
        break;
      case 'draw:page':
        out.flush();
        break;
      default:
    }
  }

  function beginPage(attributes: Attributes): void {
    context.onPage(attributes['presentation:visibility'] === 'hidden');
    isPageHeaded = false;
  }

  function beginList(attributes: Attributes): void {
    const style = attributes['text:style-name'] ?? lists().at(-1)?.style;
    const level = lists().length;
    const key = `${style ?? ''}/${level}`;
    const goesOn = attributes['text:continue-numbering'] === 'true' || attributes['text:continue-list'] !== undefined;
    lists().push({ style, count: goesOn ? (listCounts.get(key) ?? 0) : styles.start(style, level) - 1, item: null });
  }

  function beginItem(name: string, attributes: Attributes): void {
    const list = lists().at(-1);
    if (list === undefined) return;
    const isHeader = name === 'text:list-header';
    if (!isHeader) {
      const start = Number.parseInt(attributes['text:start-value'] ?? '', 10);
      list.count = Number.isSafeInteger(start) ? start : list.count + 1;
      listCounts.set(`${list.style ?? ''}/${lists().length - 1}`, list.count);
    }
    const counts = lists().map((each) => Math.max(1, each.count));
    list.item = { texts: [], label: isHeader ? null : styles.label(list.style, counts), isHeader };
  }

  /** Writes what the item holds so far, when a list inside it begins or when it ends. */
  function endItem(list: List | undefined): void {
    const item = list?.item;
    if (item === null || item === undefined || item.texts.length === 0) return;
    const text = item.texts.splice(0).join('\n');
    if (item.isHeader) writer().paragraph(text);
    else writer().item({ text, level: lists().length - 1, label: item.label, list: lists()[0]?.style ?? '' });
  }

  function paragraph(node: XmlNode): void {
    const read = readOdfText(node, (each) => objectOf(each, objects)?.formula ?? null);
    const to = writer();
    const text = read.text.trim();
    const item = lists().at(-1)?.item;
    const level = levelOf(node);
    const role = frames.at(-1);
    if (role === 'title' && tables.length === 0) writeTitle(text);
    else if (level !== null) writeHeading(node, text, level, to);
    else if (item !== null && item !== undefined) {
      if (text !== '') item.texts.push(text);
    } else if (role === 'notes') writeNote(text, to);
    else if (styles.isCode(node.attributes['text:style-name'])) for (const line of read.text.split('\n')) to.codeLine(line);
    else to.paragraph(text.replace(/\t+/g, ' '));
    for (const { mark, body } of read.notes) to.note(mark, noteText(body));
    for (const each of read.comments) if (isSigned(each)) to.remark(commentText(each));
    for (const frame of read.frames) {
      const wrapped: XmlNode = { name: 'office:text', attributes: {}, children: [frame] };
      replay(wrapped, createOdfReader(to, context));
    }
  }

  function writeTitle(text: string): void {
    if (text === '') return;
    if (isPageHeaded) out.paragraph(text);
    else out.heading(1, text);
    isPageHeaded = true;
  }

  function writeNote(text: string, to: BlockWriter): void {
    if (text === '') return;
    to.paragraph(hasNotes ? text : `Notes: ${text}`);
    hasNotes = true;
  }

  function levelOf(node: XmlNode): number | null {
    const named = styles.headingLevel(node.attributes['text:style-name']);
    if (node.name === 'text:p') return named === 0 ? 0 : null;
    const level = Number.parseInt(node.attributes['text:outline-level'] ?? '1', 10);
    return named === 0 ? 0 : Math.min(9, Math.max(1, level || 1));
  }

  function writeHeading(node: XmlNode, text: string, level: number, to: BlockWriter): void {
    if (text === '') return;
    const label = level === 0 ? null : headingLabel(node, level);
    if (level === 0) hasTitle = true;
    to.heading(level === 0 ? 1 : level + (hasTitle ? 1 : 0), label === null ? text : `${label} ${text}`);
  }

  /** A heading counts in the list it stands in, else in the document's outline. */
  function headingLabel(node: XmlNode, level: number): string | null {
    const item = lists().at(-1)?.item;
    if (item !== null && item !== undefined) return item.label;
    if (styles.outline === undefined || node.attributes['text:is-list-header'] === 'true') return null;
    headingCounts.length = Math.min(headingCounts.length, level);
    for (let at = 0; at < level - 1; at++) headingCounts[at] ??= styles.start(styles.outline, at);
    headingCounts[level - 1] = (headingCounts[level - 1] ?? styles.start(styles.outline, level - 1) - 1) + 1;
    return styles.label(styles.outline, headingCounts.slice(0, level));
  }

  function noteText(body: XmlNode): string {
    const writer = createTextWriter();
    replay(body, createOdfReader(writer, context));
    return writer.text().replaceAll('\n', ' ');
  }

  /** Of whole cells and pages. */
  function comment(node: XmlNode): void {
    writer().paragraph(commentText(node));
  }

  /** What a picture shows, as its author says it. */
  function description(node: XmlNode): void {
    const text = descriptionOf(textOf(node));
    if (text !== '') writer().remark(`Picture: ${repeats.first(text)}`);
  }

  function object(node: XmlNode, to: BlockWriter): void {
    const found = objectOf(node, objects);
    if (found === undefined) return;
    if (found.formula !== null) to.paragraph(`$$${found.formula}$$`);
    to.paragraph(found.title);
    if (found.rows.length > 0) to.table(found.rows);
  }

  function beginRow(attributes: Attributes): void {
    const table = tables.at(-1);
    if (table === undefined) return;
    table.cells = [];
    table.repeat = clamp(attributes['table:number-rows-repeated']);
  }

  function beginCell(name: string, attributes: Attributes): void {
    tables.at(-1)?.cells.push({
      lists: [],
      writer: createTextWriter(),
      columns: clamp(attributes['table:number-columns-spanned']),
      rows: Math.min(100_000, Number.parseInt(attributes['table:number-rows-spanned'] ?? '1', 10) || 1),
      repeat: clamp(attributes['table:number-columns-repeated']),
      isCovered: name === 'table:covered-table-cell',
    });
  }

  /** Merged cells repeat their text over the cells that they cover. */
  function endRow(): void {
    const table = tables.at(-1);
    if (table === undefined) return;
    const texts: string[] = [];
    const row = table.rows.length;
    let covering: { left: number; text: string; rows: number } = { left: 0, text: '', rows: 1 };
    for (const cell of table.cells) {
      const own = repeats.first(cell.writer.text());
      for (let count = 0; count < cell.repeat; count++) {
        const at = texts.length;
        const above = table.spans.get(at);
        if (cell.isCovered && covering.left > 0) {
          covering.left--;
          texts.push(repeats.again(covering.text));
          if (covering.rows > 1) table.spans.set(at, { lastRow: row + covering.rows - 1, text: covering.text });
        } else if (cell.isCovered && above !== undefined && above.lastRow >= row) texts.push(repeats.again(above.text));
        else {
          texts.push(count === 0 ? own : repeats.again(own));
          covering = { left: cell.columns - 1, text: own, rows: cell.rows };
          if (cell.rows > 1) table.spans.set(at, { lastRow: row + cell.rows - 1, text: own });
        }
      }
    }
    table.single = table.rows.length === 0 && texts.length === 1 ? (table.cells[0]?.writer ?? null) : null;
    table.cells = [];
    countCells(texts.length * table.repeat);
    table.rows.push(texts);
    for (let count = 1; count < table.repeat; count++) {
      const same = texts.map((text) => repeats.again(text));
      table.rows.push(same.every((text, at) => text === texts[at]) ? texts : same);
    }
  }

  function countCells(count: number): void {
    cells += count;
    if (cells > context.cellsMax) {
      throw new DocumentError('limit_exceeded', `The document has more than ${context.cellsMax} table cells (MAX_CELLS)`);
    }
  }
}

function clamp(value: string | undefined): number {
  return Math.min(spanMax, Math.max(1, Number.parseInt(value ?? '1', 10) || 1));
}

/** Comments of people have a date, or a name; what has neither is a converter's. */
function isSigned(comment: XmlNode): boolean {
  return elements(comment).some(({ name }) => name === 'dc:creator' || name === 'dc:date');
}

/** `Comment (author): text` of an `office:annotation`. */
export function commentText(node: XmlNode): string {
  const author = elements(node, 'dc:creator').map(textOf).join('').trim();
  const text = elements(node)
    .filter((each) => each.name === 'text:p' || each.name === 'text:list')
    .map(textOf)
    .join(' ')
    .trim();
  return text === '' ? '' : `Comment${author === '' ? '' : ` (${author})`}: ${text}`;
}
