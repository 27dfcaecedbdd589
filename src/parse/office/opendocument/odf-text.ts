/** The text of one OpenDocument paragraph (`text:p`, `text:h`), and the frames, notes and comments that hang on it. */
import { child, descendants, elements, textOf, type XmlNode } from '../../containers/xml.ts';
import { linkText } from '../../markdown/link.ts';

export type OdfText = {
  readonly text: string;
  /** Frames and shapes, for the caller to read after the paragraph. */ readonly frames: readonly XmlNode[];
  readonly notes: readonly { readonly mark: string; readonly body: XmlNode }[];
  /** `office:annotation`. */ readonly comments: readonly XmlNode[];
};

/** Blanks that one `text:s` may stand for. */
const blanksMax = 1000;

/** Reads a paragraph. `formulaOf` gives the text of an embedded formula by its `draw:object`, null for other objects. */
export function readOdfText(paragraph: XmlNode, formulaOf: (object: XmlNode | undefined) => string | null): OdfText {
  const parts: string[] = [];
  const frames: XmlNode[] = [];
  const notes: { mark: string; body: XmlNode }[] = [];
  const comments: XmlNode[] = [];

  function inline(node: XmlNode): void {
    for (const each of node.children) {
      if (typeof each === 'string') {
        addText(each);
        continue;
      }
      switch (each.name) {
        case 'text:s':
          parts.push(' '.repeat(Math.min(blanksMax, Math.max(1, Number(each.attributes['text:c'] ?? '1') || 1))));
          break;
        case 'text:tab':
          parts.push('\t');
          break;
        case 'text:line-break':
          parts.push('\n');
          break;
        case 'text:note':
          note(each);
          break;
        case 'text:ruby':
          for (const base of elements(each, 'text:ruby-base')) inline(base);
          break;
        case 'text:a':
          link(each);
          break;
        case 'draw:frame':
          frame(each);
          break;
        case 'office:annotation':
          comments.push(each);
          break;
        case 'office:annotation-end':
        case 'text:hidden-text':
        case 'text:hidden-paragraph':
        case 'text:number':
        case 'text:soft-page-break':
          break;
        default:
          if (each.name.startsWith('draw:') && each.name !== 'draw:a') frames.push(each);
          else inline(each);
      }
    }
  }

  function link(node: XmlNode): void {
    const at = parts.length;
    inline(node);
    if (parts.length > at) parts.push(linkText(parts.splice(at).join(''), node.attributes['xlink:href']));
  }

  /** White space counts once, and not after white space (ODF 1.3 part 3, 6.1.2). */
  function addText(data: string): void {
    const text = data.replace(/[ \t\r\n]+/g, ' ');
    const before = parts.at(-1);
    const isAfterBlank = before === undefined || before.endsWith(' ') || before.endsWith('\n');
    parts.push(isAfterBlank ? text.replace(/^ /, '') : text);
  }

  function note(node: XmlNode): void {
    const body = child(node, 'text:note-body');
    if (body === undefined) return;
    const citation = textOf(child(node, 'text:note-citation')).trim();
    const mark = (node.attributes['text:note-class'] === 'endnote' ? 'e' : '') + (citation === '' ? '*' : citation);
    notes.push({ mark, body });
    parts.push(`[^${mark}]`);
  }

  function frame(node: XmlNode): void {
    const formula = formulaOf(child(node, 'draw:object'));
    if (formula === null) frames.push(node);
    else parts.push(`$${formula}$`);
  }

  inline(paragraph);
  return { text: parts.join(''), frames, notes, comments };
}

/** An object inside the file, read ahead: a formula, or a chart's own table. */
export type OdfObject = { readonly formula: string | null; readonly title: string; readonly rows: readonly (readonly string[])[] };

const objectRowsMax = 2000;

/** Reads the `content.xml` of an embedded object. */
export function readOdfObject(root: XmlNode | null): OdfObject {
  if (root?.name === 'math:math') return { formula: formulaText(root), title: '', rows: [] };
  const titles = [...descendants(root, 'chart:title')].map((title) => textOf(title).trim());
  const table = descendants(root, 'table:table').next().value;
  const rows = [...descendants(table, 'table:table-row')]
    .slice(0, objectRowsMax)
    .map((row) => elements(row).map((cell) => elements(cell, 'text:p').map(textOf).join(' ').trim()));
  return { formula: null, title: titles[0] ?? '', rows: rows.some((row) => row.some((text) => text !== '')) ? rows : [] };
}

/** As its author typed it (StarMath), which reads like a formula; else the symbols one after the other. */
function formulaText(math: XmlNode): string {
  const typed = descendants(math, 'math:annotation').next().value;
  return textOf(typed ?? math)
    .replace(/\s+/g, ' ')
    .trim();
}

/** Objects by their folders' names. */
export type OdfObjects = Pick<ReadonlyMap<string, OdfObject>, 'get'>;

/** The object that a `draw:object` shows: inside of it in a file of one piece, else one of `objects` by their folders' names. */
export function objectOf(node: XmlNode | undefined, objects: OdfObjects): OdfObject | undefined {
  const inline = child(node, 'math:math') ?? child(node, 'office:document');
  return inline === undefined ? objects.get(objectFolder(node?.attributes['xlink:href'] ?? '')) : readOdfObject(inline);
}

/** The folder of an object as references name it: `./Object 1` → `Object 1`. */
function objectFolder(href: string): string {
  return href.replace(/^\.\//, '');
}
