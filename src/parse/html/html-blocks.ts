/**
 * HTML to a tree of blocks: headings, paragraphs, lists, tables, code, quotes. Works on htmlparser2's tokenizer and keeps only
 * the contexts that matter to structure (lists, items, tables, rows, cells, quotes), so that unclosed or 100,000-deep elements
 * cost what their characters cost. Nothing but scripts, styles, navigation and their like is left out.
 */
import { DocumentError } from '../../errors.ts';
import { linkText } from '../markdown/link.ts';
import { blockCharacters } from '../markdown/markdown-builder.ts';
import type { ParseLimits } from '../parser.ts';
import { type Attributes, readTags, type TagHandler } from './html-tags.ts';

export type HtmlBlock =
  | { readonly kind: 'heading'; readonly level: number; readonly text: string }
  | { readonly kind: 'paragraph'; readonly text: string }
  | { readonly kind: 'code'; readonly text: string; readonly language: string }
  | { readonly kind: 'quote'; readonly blocks: HtmlBlock[] }
  | HtmlList
  | HtmlTable;

export type HtmlList = {
  readonly kind: 'list';
  readonly ordered: boolean;
  readonly start: number;
  readonly items: HtmlItem[];
};
/** `indent` 1 is a description under its term. */
export type HtmlItem = { readonly blocks: HtmlBlock[]; readonly indent: 0 | 1; readonly number: number | null };

export type HtmlTable = {
  readonly kind: 'table';
  readonly rows: HtmlCell[][];
  /** What the page says: `role="presentation"`. */
  readonly isLayout: boolean;
  isData: boolean;
};
export type HtmlCell = { readonly blocks: HtmlBlock[]; readonly columns: number; readonly rows: number };

export type HtmlDocument = {
  readonly blocks: readonly HtmlBlock[];
  readonly title: string | null;
  readonly author: string | null;
  readonly language: string | null;
};

export type HtmlReadOptions = {
  /** Lists, tables and quotes below `depthMax` are read as text of the level above; the others end the reading. */
  readonly limits: HtmlLimits;
  /** Leave out navigation and what shows only without scripts. */
  readonly mainOnly: boolean;
};

export type HtmlLimits = Pick<ParseLimits, 'depthMax' | 'charactersMax' | 'cellsMax'>;

type Context =
  | { readonly kind: 'root' | 'quote' | 'item' | 'cell'; readonly blocks: HtmlBlock[] }
  | { readonly kind: 'list'; readonly list: HtmlList; next: number }
  | { readonly kind: 'table'; readonly table: HtmlTable }
  | { readonly kind: 'row'; readonly row: HtmlCell[] };

/** Never fails for broken HTML. Linear in the text. @throws DocumentError `limit_exceeded` for more blocks or cells than memory should hold. */
export function readHtmlBlocks(html: string, options: HtmlReadOptions): HtmlDocument {
  const reader = createBlockReader(options);
  readTags(html, reader);
  return reader.finish();
}

export interface BlockReader extends TagHandler {
  finish(): HtmlDocument;
}

/** Takes tags, of HTML or of anything that was turned into it, and gives the blocks at the end. */
export function createBlockReader(options: HtmlReadOptions): BlockReader {
  const root: HtmlBlock[] = [];
  const contexts: Context[] = [{ kind: 'root', blocks: root }];
  const meta = new Map<string, string>();
  let run: string[] = [];
  let blockCount = 0;
  let cellCount = 0;
  /** The last character of the run: white space is folded into one. */
  let last = '\n';
  let headingLevel = 0;
  let pre: { readonly tag: string; language: string } | null = null;
  /** The element whose content is left out, and how many of its name are open. */
  let skipped: { readonly tag: string; depth: number } | null = null;
  let title: string[] | null = null;
  /** The link that is open, and where in the run its text begins. */
  let link: { readonly target: string; readonly at: number } | null = null;
  /** Inside a drawing, whose labels stand apart from each other. */
  let isDrawing = false;
  /** The choice that is open, and what of it a page shows: the option that is chosen, else the first. */
  let choice: { shown: string[] | null; isChosen: boolean; isReading: boolean } | null = null;

  return { open, close, text, finish };

  function finish(): HtmlDocument {
    if (pre !== null) closePre();
    flush();
    return {
      blocks: root,
      title: meta.get('title') ?? meta.get('og:title') ?? null,
      author: meta.get('author') ?? meta.get('dc.creator') ?? meta.get('article:author') ?? null,
      language: meta.get('lang') ?? meta.get('content-language') ?? null,
    };
  }

  function open(tag: string, attributes: Attributes, isEmpty: boolean): void {
    if (skipped !== null) {
      if (skipped.tag === 'nav' && mainTags.has(tag)) skipped = null;
      else {
        if (tag === skipped.tag && !isEmpty) skipped.depth += 1;
        if (!(ruby.has(skipped.tag) && ruby.has(tag) && tag !== skipped.tag)) return;
        skipped = null;
      }
    }
    if (choice !== null && tag === 'option') return openOption(attributes);
    if (isDrawing && drawingTexts.has(tag)) return append(' ');
    if (alwaysSkipped.has(tag) || (options.mainOnly && asideTags.has(tag))) {
      if (tag === 'math' && attributes['alttext'] !== undefined) append(` ${attributes['alttext']} `);
      if (!isEmpty && (tag !== 'math' || attributes['alttext'] !== undefined)) skipped = { tag, depth: 1 };
      if (blockTags.has(tag)) flush();
      return;
    }
    if (blockTags.has(tag)) {
      if (headingLevel === 0 || structureTags.has(tag)) flush();
      if (structureTags.has(tag)) headingLevel = 0;
    }
    openElement(tag, attributes, isEmpty);
  }

  function openElement(tag: string, attributes: Attributes, isEmpty: boolean): void {
    const heading = /^h([1-6])$/.exec(tag)?.[1];
    if (heading !== undefined) headingLevel = Number(heading);
    else if (tag === 'br') append('\n', true);
    else if (tag === 'pre' || tag === 'listing' || tag === 'xmp') pre ??= { tag, language: languageOf(attributes) };
    else if (tag === 'code' && pre !== null) pre.language ||= languageOf(attributes);
    else if (tag === 'ul' || tag === 'ol' || tag === 'dl' || tag === 'menu' || tag === 'dir') openList(tag, attributes);
    else if (tag === 'li' || tag === 'dt' || tag === 'dd') openItem(tag, attributes);
    else if (tag === 'table') openTable(attributes);
    else if (tag === 'tr') openRow();
    else if (tag === 'td' || tag === 'th') openCell(tag, attributes);
    else if (tag === 'caption' || tag === 'thead') markData();
    else if (tag === 'blockquote') openQuote();
    else if (tag === 'a' && !isEmpty) openLink(attributes);
    else if (tag === 'img') appendAlt(attributes);
    else if (tag === 'input') appendField(attributes);
    else if (tag === 'select' && !isEmpty) choice = { shown: null, isChosen: false, isReading: false };
    else if (tag === 'title' && !isEmpty) title ??= [];
    else if (tag === 'svg') isDrawing = !isEmpty;
    else if (tag === 'html') remember('lang', attributes['lang'] ?? attributes['xml:lang']);
    else if (tag === 'meta') {
      remember(
        (attributes['name'] ?? attributes['property'] ?? attributes['http-equiv'] ?? '').toLowerCase(),
        attributes['content'],
      );
    }
  }

  function close(tag: string): void {
    if (skipped !== null) {
      if (tag === skipped.tag) skipped.depth -= 1;
      const isOver = skipped.depth === 0 || tag === 'body' || tag === 'html' || (tag === 'ruby' && ruby.has(skipped.tag));
      if (isOver) skipped = null;
      if (!isOver || tag !== 'ruby') return;
    }
    if (isDrawing && (tag === 'svg' || drawingTexts.has(tag))) {
      append(' ');
      isDrawing = tag !== 'svg';
    } else if (choice !== null && (tag === 'option' || tag === 'select')) closeOption(tag);
    else if (tag === 'title' && title !== null) {
      remember('title', title.join(''));
      title = null;
    } else if (pre !== null && tag === pre.tag) closePre();
    else if (tag === 'a') closeLink();
    else if (blockTags.has(tag)) {
      flush();
      if (/^h[1-6]$/.test(tag)) headingLevel = 0;
      const kind = contextOf[tag];
      if (kind !== undefined) pop(kind);
    } else if (tag === 'td' || tag === 'th') append(' ');
  }

  function text(data: string): void {
    if (skipped !== null) return;
    if (title !== null) title.push(data);
    else if (choice === null) append(data);
    else if (choice.isReading) choice.shown!.push(data);
  }

  function openOption(attributes: Attributes): void {
    const isChosen = attributes['selected'] !== undefined && !choice!.isChosen;
    choice!.isReading = choice!.shown === null || isChosen;
    if (choice!.isReading) choice!.shown = [];
    choice!.isChosen ||= isChosen;
  }

  function closeOption(tag: string): void {
    choice!.isReading = false;
    if (tag === 'option') return;
    const shown = choice!.shown?.join('') ?? '';
    choice = null;
    append(` ${shown} `);
  }

  function append(data: string, isBreak = false): void {
    if (pre !== null || isBreak) {
      run.push(data);
      last = '\n';
      return;
    }
    let folded = data.replace(/[\u00ad\u200b]/g, '').replace(whiteRuns, foldSpace);
    if (last === '\n' || last === ' ') folded = folded.replace(/^ /, '');
    else if (folded.startsWith(' ') && /^\s*\n/.test(data) && isWideCharacter(last) && isWideCharacter(folded.charAt(1)))
      folded = folded.slice(1);
    if (folded === '') return;
    run.push(folded);
    last = folded.charAt(folded.length - 1);
  }

  function appendAlt(attributes: Attributes): void {
    const alt = attributes['alt']?.trim() ?? '';
    if (alt !== '' && attributes['aria-hidden'] !== 'true' && attributes['role'] !== 'presentation') append(` ${alt} `);
  }

  /** What is written in a field or on a button. */
  function appendField(attributes: Attributes): void {
    const value = attributes['value'] ?? '';
    if (value !== '' && !unseenFields.has((attributes['type'] ?? 'text').toLowerCase())) append(` ${value} `);
  }

  /** A heading stays as it reads: sections are named by it. */
  function openLink(attributes: Attributes): void {
    closeLink();
    const target = attributes['href'];
    if (target !== undefined && pre === null && !isDrawing) link = { target, at: run.length };
  }

  /** Its text is what stands in the run by now: of a link around several blocks the first one's that is no heading. */
  function closeLink(): void {
    if (link === null) return;
    const { target, at } = link;
    link = null;
    if (run.length > at && headingLevel === 0) run.push(linkText(run.splice(at).join(''), target));
  }

  /** Ends the inline run: what it holds becomes a block of the context on top. */
  function flush(): void {
    if (pre !== null) return;
    if (link !== null && headingLevel === 0 && run.length > link.at) closeLink();
    else if (link !== null) link = { ...link, at: 0 };
    if (run.length > 0) {
      const joined = run.length === 1 ? run[0]! : run.join('');
      const inline = joined.includes('\n')
        ? joined
            .replace(/ ?\n ?/g, '\n')
            .replace(/\n{3,}/g, '\n\n')
            .trim()
        : joined.trim();
      if (inline !== '')
        add(headingLevel > 0 ? { kind: 'heading', level: headingLevel, text: inline } : { kind: 'paragraph', text: inline });
      run = [];
    }
    last = '\n';
  }

  function closePre(): void {
    const { language } = pre!;
    pre = null;
    const code = run.join('').replace(/^\n/, '');
    run = [];
    last = '\n';
    if (code.trim() !== '') add({ kind: 'code', text: code, language });
  }

  /** Text outside any cell of a table goes before the table, text outside any item of a list becomes one. */
  function add(block: HtmlBlock): void {
    countBlock();
    const top = contexts.at(-1)!;
    if (top.kind === 'list') top.list.items.push({ blocks: [block], indent: 0, number: null });
    else if (top.kind === 'table' || top.kind === 'row') {
      const holder = contexts.findLast((context) => context.kind !== 'table' && context.kind !== 'row')!;
      if (holder.kind === 'list') holder.list.items.push({ blocks: [block], indent: 0, number: null });
      else if ('blocks' in holder) holder.blocks.splice(Math.max(0, holder.blocks.length - 1), 0, block);
    } else top.blocks.push(block);
  }

  /** As the builder counts: a paragraph takes some hundred bytes, however short it is. */
  function countBlock(): void {
    blockCount += 1;
    const { charactersMax } = options.limits;
    if (blockCount * blockCharacters > charactersMax) {
      throw new DocumentError(
        'limit_exceeded',
        `The document has more than ${charactersMax} characters of text, ${blockCharacters} counted for each paragraph (MAX_CHARACTERS)`,
      );
    }
  }

  function countCell(): void {
    cellCount += 1;
    const { cellsMax } = options.limits;
    if (cellCount > cellsMax)
      throw new DocumentError('limit_exceeded', `The document has more than ${cellsMax} table cells (MAX_CELLS)`);
  }

  function addContainer(block: HtmlBlock, context: Context): void {
    countBlock();
    let top = contexts.at(-1)!;
    if (top.kind === 'list') {
      const item: HtmlItem = top.list.items.at(-1) ?? { blocks: [], indent: 0, number: null };
      if (top.list.items.length === 0) top.list.items.push(item);
      top = { kind: 'item', blocks: item.blocks };
      contexts.push(top);
    }
    if ('blocks' in top) top.blocks.push(block);
    else add(block);
    contexts.push(context);
  }

  function openList(tag: string, attributes: Attributes): void {
    if (isTooDeep()) return;
    const start = Math.max(0, Number.parseInt(attributes['start'] ?? '1', 10) || 1);
    const list: HtmlList = { kind: 'list', ordered: tag === 'ol', start, items: [] };
    addContainer(list, { kind: 'list', list, next: start });
  }

  function openItem(tag: string, attributes: Attributes): void {
    unwindTo('list', 'cell');
    const top = contexts.at(-1)!;
    if (top.kind !== 'list') return;
    const value = Number.parseInt(attributes['value'] ?? '', 10);
    const number = Number.isNaN(value) ? top.next : value;
    top.next = number + 1;
    countBlock();
    const item: HtmlItem = { blocks: [], indent: tag === 'dd' && top.list.items.length > 0 ? 1 : 0, number };
    top.list.items.push(item);
    contexts.push({ kind: 'item', blocks: item.blocks });
  }

  function openTable(attributes: Attributes): void {
    if (isTooDeep()) return;
    const table: HtmlTable = {
      kind: 'table',
      rows: [],
      isLayout: /^(?:presentation|none)$/.test(attributes['role'] ?? ''),
      isData: false,
    };
    addContainer(table, { kind: 'table', table });
  }

  function openRow(): void {
    unwindTo('table', 'root');
    const top = contexts.at(-1)!;
    if (top.kind !== 'table') return;
    countCell();
    const row: HtmlCell[] = [];
    top.table.rows.push(row);
    contexts.push({ kind: 'row', row });
  }

  function openCell(tag: string, attributes: Attributes): void {
    unwindTo('row', 'table');
    if (contexts.at(-1)!.kind === 'table') openRow();
    const top = contexts.at(-1)!;
    if (top.kind !== 'row') return;
    countCell();
    if (tag === 'th') markData();
    const cell: HtmlCell = { blocks: [], columns: span(attributes['colspan'], 1000), rows: span(attributes['rowspan'], 65_534) };
    top.row.push(cell);
    contexts.push({ kind: 'cell', blocks: cell.blocks });
  }

  function markData(): void {
    const context = contexts.findLast((each) => each.kind === 'table');
    if (context !== undefined) context.table.isData = true;
  }

  function openQuote(): void {
    if (isTooDeep()) return;
    const quote: HtmlBlock = { kind: 'quote', blocks: [] };
    addContainer(quote, { kind: 'quote', blocks: quote.blocks });
  }

  function isTooDeep(): boolean {
    return contexts.length > options.limits.depthMax;
  }

  /** Closes what is open above the nearest context of that kind; nothing when `border` comes first or there is none. */
  function unwindTo(kind: Context['kind'], border: Context['kind']): boolean {
    for (let at = contexts.length - 1; at > 0; at--) {
      const each = contexts[at]!.kind;
      if (each === kind) {
        contexts.length = at + 1;
        return true;
      }
      if (each === border || each === 'table') {
        if (each === 'table' && border === 'table') contexts.length = at + 1;
        return false;
      }
    }
    return false;
  }

  function pop(kind: Context['kind']): void {
    if (unwindTo(kind, borders[kind] ?? 'cell')) contexts.pop();
  }

  function remember(key: string, value: string | undefined): void {
    const folded = value?.replace(/\s+/g, ' ').trim() ?? '';
    if (key !== '' && folded !== '' && !meta.has(key)) meta.set(key, folded.slice(0, 1000));
  }
}

const alwaysSkipped = new Set('script style template iframe audio video math datalist rt rp head-only'.split(' '));
const unseenFields = new Set(['hidden', 'password', 'checkbox', 'radio', 'file', 'image', 'color', 'range', 'reset']);
/** Left out where the page holds other text. */
const asideTags = new Set(['nav']);
/** What no navigation holds: one that was never closed ends here. */
const mainTags = new Set(['main', 'article', 'h1']);
/** A drawing's labels, and what it is called. */
const drawingTexts = new Set(['text', 'title', 'desc']);
const ruby = new Set(['rt', 'rp', 'rb', 'rtc']);

/** Elements that end the line of text before them and after them. */
const blockTags = new Set(
  (
    'address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption figure footer form ' +
    'h1 h2 h3 h4 h5 h6 head header hgroup hr html legend li main menu nav noembed noframes noscript object ol optgroup option p pre listing xmp ' +
    'section summary table tbody td tfoot th thead tr ul'
  ).split(' '),
);

/** Block elements that cannot be inside a heading, so that they end one that was never closed. */
const structureTags = new Set('h1 h2 h3 h4 h5 h6 p ul ol dl li dt dd table tr td th pre blockquote hr section article'.split(' '));

const contextOf: Readonly<Record<string, Context['kind']>> = {
  ul: 'list',
  ol: 'list',
  dl: 'list',
  menu: 'list',
  dir: 'list',
  li: 'item',
  dt: 'item',
  dd: 'item',
  table: 'table',
  tr: 'row',
  td: 'cell',
  th: 'cell',
  blockquote: 'quote',
};

/** Where an end tag's effect stops; a cell otherwise. */
const borders: Partial<Record<Context['kind'], Context['kind']>> = { table: 'root', row: 'table', item: 'list' };

const whiteRuns = /[ \t\n\r\f\u00a0]+/g;

/** A line break between two wide characters is no space (CSS Text 3 §4.1.2): Chinese and Japanese are wrapped anywhere. */
function foldSpace(run: string, offset: number, whole: string): string {
  if (!run.includes('\n')) return ' ';
  const before = whole.charAt(offset - 1);
  return offset > 0 && isWideCharacter(before) && isWideCharacter(whole.charAt(offset + run.length)) ? '' : ' ';
}

function isWideCharacter(character: string): boolean {
  const unit = character.charCodeAt(0);
  return (unit >= 0x2e80 && unit <= 0x9fff) || (unit >= 0xf900 && unit <= 0xfaff) || (unit >= 0xff00 && unit <= 0xff60);
}

function span(value: string | undefined, max: number): number {
  return Math.min(max, Math.max(1, Number.parseInt(value ?? '1', 10) || 1));
}

/** `language-js`, `lang-js`, `highlight-source-js`, `brush: js`. */
function languageOf(attributes: Attributes): string {
  return (
    /(?:^|[\s-])(?:lang(?:uage)?-|highlight-source-|brush:\s*)([\w+#-]{1,20})/.exec(
      (attributes['class'] ?? '').slice(0, 500),
    )?.[1] ?? ''
  );
}
