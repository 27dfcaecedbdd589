/**
 * RTF: its groups and words are followed with one state per open group; what comes out are paragraphs, which become headings
 * (by style name or outline level), list items (by their label) and table rows.
 */
import { DocumentError } from '../../errors.ts';
import { canonicalEncoding, decodeAs } from '../text/encoding.ts';
import { readInput } from '../input.ts';
import { createMarkdownBuilder, type ListItem, type MarkdownBuilder } from '../markdown/markdown-builder.ts';
import type { ParsedDocument, ParseInput, Parser } from '../parser.ts';
import { isPageNumber, withoutPageNumbers } from '../page-number.ts';
import { fieldTarget, linkText } from '../markdown/link.ts';
import { readTokens } from './rtf-tokens.ts';

export function createRtfParser(): Parser {
  return { parse };
}

async function parse(input: ParseInput): Promise<ParsedDocument> {
  const data = readInput(input);
  const builder = createMarkdownBuilder(input.limits);
  const info = readRtf(data.subarray(Math.max(0, data.indexOf('{\\rtf'))), createRtfWriter(builder), input.limits.depthMax);
  return {
    mediaType: 'application/rtf',
    title: info.get('title') ?? null,
    author: info.get('author') ?? null,
    language: null,
    pages: null,
    ...builder.finish(),
    warnings: [],
  };
}

/** Where the text of a group goes. */
type Destination = 'body' | 'skip' | 'info' | 'fonts' | 'styles' | 'label' | 'title' | 'author' | 'code' | 'result' | Aside;

/** What stands beside the text: gathered while its group is open, and written by itself. */
type Aside = 'header' | 'footer' | 'comment' | 'reviewer';

/** What `{` saves and `}` brings back. */
type State = {
  destination: Destination;
  font: number;
  /** Fallback characters after each `\u`. */
  fallbacks: number;
  isHidden: boolean;
};

type ParagraphFormat = { style: number; outline: number | null; listLevel: number; isInTable: boolean };

/** Reads the file into `writer`. Returns the fields of its `\info`. @throws DocumentError `limit_exceeded`. */
function readRtf(data: Buffer, writer: RtfWriter, depthMax: number): ReadonlyMap<string, string> {
  let state: State = { destination: 'body', font: -1, fallbacks: 1, isHidden: false };
  const stack: State[] = [];
  const fonts = new Map<number, string>();
  const styles = new Map<number, string>();
  const info = new Map<string, string>();
  let defaultFont = 0;
  let pageEncoding = 'windows-1252';
  let format = plainFormat();
  /** The number of the font or style that is being defined. */
  let defining = 0;
  let isStarred = false;
  /** Nothing has come in the group at hand: `\*` speaks of a group only as its first word (RTF 1.9.1, "Destination control words"). */
  let isAtStart = true;
  let fallbacksLeft = 0;
  /** Bytes that wait for the rest of their character. */
  let pending: Uint8Array[] = [];

  for (const token of readTokens(data)) {
    if (token.kind === 'bytes') {
      const bytes = fallbacksLeft > 0 ? token.bytes.subarray(Math.min(fallbacksLeft, token.bytes.length)) : token.bytes;
      fallbacksLeft -= token.bytes.length - bytes.length;
      if (bytes.length > 0 && state.destination !== 'skip' && !state.isHidden) pending.push(bytes);
      isStarred = false;
      isAtStart = false;
      continue;
    }
    flushBytes();
    if (token.kind === 'open') {
      if (stack.length >= depthMax) {
        throw new DocumentError('limit_exceeded', `The RTF is nested deeper than ${depthMax} groups (MAX_NESTING)`);
      }
      stack.push(state);
      state = { ...state };
      fallbacksLeft = 0;
    } else if (token.kind === 'close') {
      const { destination } = state;
      state = stack.pop() ?? state;
      if (destination !== state.destination) endDestination(destination);
      fallbacksLeft = 0;
    } else if (token.kind === 'word') readWord(token.word, token.value);
    isStarred = token.kind === 'word' && token.word === '*' && isAtStart;
    isAtStart = token.kind === 'open';
  }
  flushBytes();
  writer.end(format, styles);
  return info;

  function readWord(word: string, value: number | null): void {
    if (word === '*') return;
    if (isStarred && !starredKept.has(word)) {
      state.destination = 'skip';
      return;
    }
    const destination = destinations[word];
    if (destination !== undefined) {
      if (state.destination !== 'skip')
        state.destination = isAside(state.destination) && destination === 'body' ? state.destination : destination;
      if (destination === 'code') writer.beginLink();
      if (word === 'listtext' || word === 'pntext') writer.beginLabel();
      return;
    }
    if (fallbacksLeft > 0 && word.length === 1) {
      fallbacksLeft -= 1;
      return;
    }
    if (state.destination === 'fonts' || state.destination === 'styles') readDefinition(word, value ?? 0);
    else if (state.destination !== 'skip') readBodyWord(word, value);
  }

  function endDestination(destination: Destination): void {
    if (isAside(destination)) writer.endAside(destination);
    else if (destination === 'result') writer.endLink();
  }

  function readDefinition(word: string, value: number): void {
    if (state.destination === 'styles') {
      if (word === 's' || word === 'cs' || word === 'ds' || word === 'ts') defining = word === 's' ? value : -1;
    } else if (word === 'f') defining = value;
    else if (word === 'fcharset') fonts.set(defining, encodingOfCharset(value) ?? pageEncoding);
    else if (word === 'cpg') fonts.set(defining, encodingOfPage(value) ?? pageEncoding);
  }

  function readBodyWord(word: string, value: number | null): void {
    const character = characters[word];
    if (character !== undefined) return text(character);
    switch (word) {
      case 'u':
        text(String.fromCharCode((value ?? 0) & 0xffff));
        fallbacksLeft = state.fallbacks;
        break;
      case 'uc':
        state.fallbacks = Math.min(16, Math.max(0, value ?? 1));
        break;
      case 'f':
        state.font = value ?? defaultFont;
        break;
      case 'plain':
        state.font = defaultFont;
        state.isHidden = false;
        break;
      case 'v':
      case 'deleted':
        state.isHidden = value !== 0;
        break;
      case 'deff':
        defaultFont = value ?? 0;
        break;
      case 'ansicpg':
        pageEncoding = encodingOfPage(value ?? 1252) ?? pageEncoding;
        break;
      case 'mac':
        pageEncoding = 'macintosh';
        break;
      case 'pc':
        pageEncoding = 'ibm437';
        break;
      case 'pca':
        pageEncoding = 'ibm850';
        break;
      default:
        readParagraphWord(word, value ?? 0);
    }
  }

  function readParagraphWord(word: string, value: number): void {
    if (isAside(state.destination)) {
      if (word === 'par' || word === 'cell') text(' ');
      return;
    }
    switch (word) {
      case 'pard':
        format = plainFormat();
        break;
      case 's':
        format.style = value;
        break;
      case 'outlinelevel':
        format.outline = value;
        break;
      case 'ilvl':
        format.listLevel = Math.min(8, Math.max(0, value));
        break;
      case 'intbl':
      case 'itap':
        format.isInTable = word === 'intbl' || value > 0;
        break;
      case 'par':
      case 'sect':
      case 'page':
      case '\n':
      case '\r':
        writer.endParagraph(format, styles);
        break;
      case 'cell':
      case 'nestcell':
        writer.endCell(word === 'nestcell');
        break;
      case 'row':
        writer.endRow();
        break;
      default:
    }
  }

  function flushBytes(): void {
    if (pending.length === 0) return;
    const bytes = pending.length === 1 ? pending[0]! : Buffer.concat(pending);
    pending = [];
    text(decodeAs(bytes, fonts.get(state.font === -1 ? defaultFont : state.font) ?? pageEncoding));
  }

  function text(value: string): void {
    if (state.isHidden) return;
    switch (state.destination) {
      case 'body':
      case 'result':
        writer.text(value);
        break;
      case 'code':
        writer.codeText(value);
        break;
      case 'header':
      case 'footer':
      case 'comment':
      case 'reviewer':
        writer.asideText(value);
        break;
      case 'label':
        writer.labelText(value);
        break;
      case 'styles':
        if (defining >= 0) addName(styles, defining, value);
        break;
      case 'title':
      case 'author':
        addName(info, state.destination, value);
        break;
      default:
    }
  }
}

const asides: ReadonlySet<Destination> = new Set<Destination>(['header', 'footer', 'comment', 'reviewer']);

function isAside(destination: Destination): destination is Aside {
  return asides.has(destination);
}

/** No name, title or author is longer; each paragraph asks for its style's again. */
const nameCharactersMax = 1000;

function addName<Key>(names: Map<Key, string>, key: Key, more: string): void {
  const name = names.get(key) ?? '';
  if (name.length < nameCharactersMax) names.set(key, `${name}${more}`.slice(0, nameCharactersMax));
}

interface RtfWriter {
  text(value: string): void;
  beginLabel(): void;
  labelText(value: string): void;
  /** A field begins: its code follows, then its result. */
  beginLink(): void;
  codeText(value: string): void;
  endLink(): void;
  asideText(value: string): void;
  endAside(kind: Aside): void;
  endParagraph(format: ParagraphFormat, styles: ReadonlyMap<number, string>): void;
  /** A cell of a table inside a cell joins the text around it. */
  endCell(isNested: boolean): void;
  endRow(): void;
  end(format: ParagraphFormat, styles: ReadonlyMap<number, string>): void;
}

/** Gathers paragraphs into lists and rows into tables. */
function createRtfWriter(builder: MarkdownBuilder): RtfWriter {
  let run: string[] = [];
  let label: string[] | null = null;
  let items: ListItem[] = [];
  let row: string[] = [];
  let rows: string[][] = [];
  let aside: string[] = [];
  let reviewer = '';
  /** Written behind the paragraph that they hang on. */
  let remarks: string[] = [];
  const footers: string[] = [];
  const margins = new Set<string>();
  /** Where the result of each open field begins in the run, and its code. */
  let link: { readonly at: number; code: string } | null = null;

  const writeRemarks = (): void => {
    if (remarks.length === 0) return;
    flushList();
    for (const remark of remarks) builder.paragraph(remark);
    remarks = [];
  };

  const takeText = (): string => {
    const joined = run
      .join('')
      .replace(/[ \t\u00a0]+/g, ' ')
      .replace(/ ?\n ?/g, '\n')
      .trim();
    run = [];
    return joined;
  };
  const flushList = (): void => {
    builder.list(items);
    items = [];
  };
  const flushTable = (): void => {
    if (row.length > 0) rows.push(row);
    builder.table(rows);
    row = [];
    rows = [];
  };

  const writer: RtfWriter = {
    text: (value) => void run.push(value),
    beginLabel() {
      label = [];
    },
    labelText: (value) => void label?.push(value),
    beginLink() {
      link = { at: run.length, code: '' };
    },
    codeText(value) {
      if (link !== null && link.code.length < codeCharactersMax) link.code += value;
    },
    endLink() {
      const target = fieldTarget(link?.code ?? '');
      if (link !== null && target !== undefined) run.push(linkText(run.splice(link.at).join(''), target));
      link = null;
    },
    asideText: (value) => void aside.push(value),
    endAside(kind) {
      const text = aside.join('').replace(/\s+/g, ' ').trim();
      aside = [];
      if (kind === 'reviewer') reviewer = text.slice(0, nameCharactersMax);
      else if (kind === 'comment') {
        if (text !== '') remarks.push(reviewer === '' ? `Comment: ${text}` : `Comment (${reviewer}): ${text}`);
        reviewer = '';
      } else if (text !== '' && !isPageNumber(text.slice(0, 200)) && !margins.has(withoutPageNumbers(text))) {
        margins.add(withoutPageNumbers(text));
        if (kind === 'footer') footers.push(text);
        else {
          remarks.push(text);
          if (run.length === 0 && row.length === 0 && rows.length === 0) writeRemarks();
        }
      }
    },
    endParagraph(format, styles) {
      if (format.isInTable) {
        run.push('\n');
        return;
      }
      flushTable();
      link = null;
      const text = takeText();
      const marker = label === null ? null : label.join('').trim();
      label = null;
      if (text === '') return writeRemarks();
      const level = headingLevel(format, styles);
      if (marker !== null && level === null) {
        items.push(listItem(marker, text, format.listLevel));
        return writeRemarks();
      }
      flushList();
      if (level === null) builder.paragraph(text);
      else builder.heading(level, marker === null || marker === '' ? text : `${marker} ${text}`);
      writeRemarks();
    },
    endCell(isNested) {
      if (isNested) {
        run.push(' ');
        return;
      }
      flushList();
      const marker = label?.join('').trim() ?? '';
      label = null;
      row.push(`${marker} ${takeText()}`.trim());
    },
    endRow() {
      if (row.length > 0) rows.push(row);
      row = [];
      if (remarks.length > 0) {
        flushTable();
        writeRemarks();
      }
    },
    end(format, styles) {
      writer.endParagraph({ ...format, isInTable: false }, styles);
      flushTable();
      flushList();
      writeRemarks();
      for (const footer of footers) builder.paragraph(footer);
    },
  };
  return writer;
}

/** `3.` and `3)` number the item; a bullet says nothing; any other label (`a)`, `IV.`) stays with the text. */
function listItem(marker: string, text: string, depth: number): ListItem {
  const number = /^\(?(\d{1,9})[.)]?$/.exec(marker)?.[1];
  if (number !== undefined) return { text, depth, ordered: true, number: Number(number) };
  return { text: /[\p{L}\p{N}]/u.test(marker) && marker.length > 1 ? `${marker} ${text}` : text, depth, ordered: false };
}

/** By outline level (0–8; 9 is body text) or by the style's name as Word and WPS write it in English and Chinese. */
function headingLevel(format: ParagraphFormat, styles: ReadonlyMap<number, string>): number | null {
  if (format.outline !== null) return format.outline < 9 ? format.outline + 1 : null;
  const name = (styles.get(format.style) ?? '').replace(/;.*$/s, '').trim().toLowerCase();
  if (name === 'title' || name === '标题' || name === '標題') return 1;
  const level = /^(?:heading|标题|標題|überschrift|titre|título|titolo)\s?([1-9])$/.exec(name)?.[1];
  return level === undefined ? null : Number(level);
}

function plainFormat(): ParagraphFormat {
  return { style: 0, outline: null, listLevel: 0, isInTable: false };
}

const destinations: Readonly<Record<string, Destination>> = {
  fonttbl: 'fonts',
  stylesheet: 'styles',
  title: 'title',
  author: 'author',
  info: 'info',
  listtext: 'label',
  pntext: 'label',
  fldinst: 'code',
  fldrslt: 'result',
  ...Object.fromEntries(['header', 'headerl', 'headerr', 'headerf'].map((word) => [word, 'header'] as const)),
  ...Object.fromEntries(['footer', 'footerl', 'footerr', 'footerf'].map((word) => [word, 'footer'] as const)),
  annotation: 'comment',
  atnauthor: 'reviewer',
  footnote: 'body',
  shptxt: 'body',
  result: 'body',
  ...Object.fromEntries(
    (
      'colortbl pict object objdata listtable listoverridetable ' +
      'revtbl rsidtbl generator filetbl xmlnstbl mmathPr themedata colorschememapping latentstyles datastore bkmkstart bkmkend ' +
      'pntxta pntxtb nonesttables falt panose operator company category keywords comment doccomm subject manager hlinkbase creatim ' +
      'revtim printim buptim atnid atntime atnref xe tc docvar sp'
    )
      .split(' ')
      .map((word) => [word, 'skip'] as const),
  ),
};

/** Groups marked "skip if unknown" that are known. */
const starredKept = new Set(['listtext', 'pntext', 'shptxt', 'footnote', 'fldinst', 'annotation', 'atnauthor']);

/** Of a field's code; the address of a link is shorter. */
const codeCharactersMax = 4000;

const characters: Readonly<Record<string, string>> = {
  '\\': '\\',
  '{': '{',
  '}': '}',
  '~': ' ',
  _: '-',
  '-': '',
  tab: ' ',
  line: '\n',
  lbr: '\n',
  softline: '\n',
  emdash: '—',
  endash: '–',
  emspace: ' ',
  enspace: ' ',
  qmspace: ' ',
  bullet: '•',
  lquote: '‘',
  rquote: '’',
  ldblquote: '“',
  rdblquote: '”',
  zwj: '\u200d',
  zwnj: '\u200c',
  ltrmark: '',
  rtlmark: '',
};

function encodingOfCharset(charset: number): string | null {
  const page = pagesOfCharsets[charset];
  return page === undefined ? null : encodingOfPage(page);
}

/** Windows' character set numbers and their code pages. */
const pagesOfCharsets: Readonly<Record<number, number>> = {
  0: 1252,
  77: 10_000,
  128: 932,
  129: 949,
  130: 1361,
  134: 936,
  136: 950,
  161: 1253,
  162: 1254,
  163: 1258,
  177: 1255,
  178: 1256,
  186: 1257,
  204: 1251,
  222: 874,
  238: 1250,
  254: 437,
  255: 850,
};

function encodingOfPage(page: number): string | null {
  if (page === 65_001) return 'utf-8';
  return canonicalEncoding(page === 10_000 ? 'macintosh' : page === 10_007 ? 'x-mac-cyrillic' : `cp${page}`);
}
