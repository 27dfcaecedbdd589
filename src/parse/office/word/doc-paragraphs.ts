/**
 * The paragraphs of a DOC file one after the other, each as text and look. Characters that stand for something else become what the
 * reader sees: symbols, marks of notes, results of fields without their codes; what is hidden or deleted is left out.
 */
import { fieldTarget, linkText } from '../../markdown/link.ts';
import type { DocHeader, Story } from './doc-header.ts';
import { pieceAt, type DocText } from './doc-pieces.ts';
import {
  changeCharacter,
  changeParagraph,
  inFull,
  plainCharacter,
  readRuns,
  type CharacterLook,
  type ParagraphLook,
} from './doc-properties.ts';
import type { DocStyles } from './doc-styles.ts';
import { symbolCharacter } from './symbol-fonts.ts';

/** What is hung on a place in the text, and shown there as `mark`. */
export type Hung = { readonly kind: 'footnote' | 'endnote' | 'comment' | 'box'; readonly index: number };

export type DocParagraph = {
  readonly text: string;
  readonly look: Readonly<ParagraphLook>;
  /** `\r` for a plain one, `\x07` for a cell or row, `\f` for a page or section. */
  readonly end: string;
  readonly hung: readonly Hung[];
  /** Its mark is deleted: the next one goes on in the same line. */
  readonly runsOn: boolean;
};

export type ParagraphSource = {
  readonly header: DocHeader;
  readonly content: DocText;
  readonly styles: DocStyles;
  readonly fonts: readonly string[];
  /** What is hung on a character, by its place. */
  readonly hungAt: ReadonlyMap<number, Hung>;
  /** The mark that is shown for what is hung there; '' for nothing. */
  readonly markOf: (hung: Hung) => string;
};

export interface Paragraphs {
  of(story: Story): Generator<DocParagraph>;
}

/** A field that is open: while its code is read nothing of it shows. `result`: the paragraph in which that begins, and its place there. */
type OpenField = { isCode: boolean; code: string; result: { readonly parts: string[]; readonly at: number } | null };

const paragraphEnd = /[\r\x07\f]/g; // eslint-disable-line no-control-regex
/** Fields in fields; and characters of a code that are kept. */
const fieldsMax = 100;
const codeCharactersMax = 1000;
/** Bytes of operations outside of pages, beside as many as the stream holds. */
const longBytesBase = 1_000_000;

export function createParagraphs(source: ParagraphSource): Paragraphs {
  const { header, content } = source;
  const paragraphRuns = readRuns(header, 'paragraphs');
  const looks = createCharacterLooks(source);
  let longLeft = longBytesBase + header.data.length;

  /** Operations that stand elsewhere may be named by any number of paragraphs; past the budget they are not read again. */
  function allOperations(operations: Buffer): Buffer {
    const full = inFull(operations, header);
    if (full === operations) return operations;
    longLeft -= full.length;
    return longLeft < 0 ? operations : full;
  }

  function lookAt(place: number): ParagraphLook {
    const piece = pieceAt(content.pieces, place);
    const run = piece === undefined ? null : paragraphRuns.at(piece.at + (place - piece.start) * piece.width);
    const operations = run === null ? Buffer.alloc(0) : allOperations(run.operations);
    const look: ParagraphLook = { ...source.styles(run?.style ?? 0).look };
    changeParagraph(look, operations, header.version);
    if (piece !== undefined) changeParagraph(look, piece.changes, header.version);
    return look;
  }

  return {
    *of({ start, end }) {
      const fields: OpenField[] = [];
      const last = Math.min(end, content.text.length);
      for (let at = start; at < last;) {
        paragraphEnd.lastIndex = at;
        const found = paragraphEnd.exec(content.text);
        const mark = found === null || found.index >= last ? last - 1 : found.index;
        const { text, hung } = readCharacters(source, looks, { start: at, end: mark + (found?.index === mark ? 0 : 1) }, fields);
        // A field whose code runs past its paragraph is broken, and would swallow the rest of the document.
        for (const field of fields) field.isCode = false;
        const isDeleted = looks.at(mark).look.isDeleted;
        yield { text, look: lookAt(mark), end: content.text[mark] ?? '\r', hung, runsOn: isDeleted && content.text[mark] === '\r' };
        at = mark + 1;
      }
    },
  };
}

interface CharacterLooks {
  /** The look of a character, and up to where it is the same. */
  at(place: number): { readonly look: CharacterLook; readonly end: number };
}

function createCharacterLooks({ header, content }: ParagraphSource): CharacterLooks {
  const runs = readRuns(header, 'characters');
  const { pieces } = content;
  const none = plainCharacter();
  let known: { start: number; end: number; look: CharacterLook } = { start: 0, end: 0, look: none };

  function find(place: number): { start: number; end: number; look: CharacterLook } {
    const piece = pieceAt(pieces, place);
    if (piece === undefined) return { start: place, end: Infinity, look: none };
    const run = runs.at(piece.at + (place - piece.start) * piece.width);
    if (run === null) return { start: place, end: place + 1, look: none };
    const look = plainCharacter();
    changeCharacter(look, run.operations, header.version);
    changeCharacter(look, piece.changes, header.version);
    const end = piece.start + Math.ceil((run.end - piece.at) / piece.width);
    return { start: place, end: Math.max(place + 1, Math.min(piece.end, end)), look };
  }

  return {
    at(place) {
      if (place < known.start || place >= known.end) known = find(place);
      return known;
    },
  };
}

type Read = { text: string; hung: Hung[] };

function readCharacters(source: ParagraphSource, looks: CharacterLooks, { start, end }: Story, fields: OpenField[]): Read {
  const { text } = source.content;
  const parts: string[] = [];
  const hung: Hung[] = [];
  for (let at = start; at < end;) {
    const { look, end: lookEnd } = looks.at(at);
    const stretch = text.slice(at, Math.min(end, lookEnd));
    // Nothing of a stretch that only looks otherwise has to be looked at by itself.
    if (look.symbol !== null && isShown(look, fields)) {
      const { font, code } = look.symbol;
      parts.push(symbolCharacter(source.fonts[font] ?? '', code));
    } else if (!special.test(stretch)) {
      if (isShown(look, fields)) parts.push(inItsFont(stretch, look, source));
      else keepCode(stretch, look, fields);
    } else {
      for (let index = 0; index < stretch.length; index++) {
        const one = source.hungAt.get(at + index);
        const open = fields.at(-1);
        parts.push(character(stretch[index]!, look, fields, one, source));
        if (stretch[index] === '\x14' && open !== undefined) open.result = { parts, at: parts.length };
        else if (stretch[index] === '\x15' && open !== undefined && isShown(look, fields)) linkResult(open, parts);
        if (one !== undefined && isShown(look, fields)) hung.push(one);
      }
    }
    at += stretch.length;
  }
  return { text: parts.join(''), hung };
}

/** Of a field that is a link, once it ends: where it leads, behind its result. */
function linkResult({ code, result }: OpenField, parts: string[]): void {
  const target = fieldTarget(code);
  if (target !== undefined && result?.parts === parts) parts.push(linkText(parts.splice(result.at).join(''), target));
}

/** What stands for something else: control characters, and the private area that symbol fonts use. */
const special = /[\0-\x1f\ue000-\uf8ff]/; // eslint-disable-line no-control-regex

function isShown({ isHidden, isDeleted }: CharacterLook, fields: readonly OpenField[]): boolean {
  return !isHidden && !isDeleted && !fields.some(({ isCode }) => isCode);
}

function keepCode(text: string, { isDeleted }: CharacterLook, fields: readonly OpenField[]): void {
  const field = fields.at(-1);
  if (field?.isCode === true && !isDeleted && field.code.length < codeCharactersMax) field.code += text.slice(0, codeCharactersMax);
}

function inItsFont(text: string, { font }: CharacterLook, { fonts }: ParagraphSource): string {
  return font !== null && /^symbol$/i.test(fonts[font] ?? '')
    ? Array.from(text, (each) => symbolCharacter('symbol', each.charCodeAt(0)) || each).join('')
    : text;
}

function character(one: string, look: CharacterLook, fields: OpenField[], hung: Hung | undefined, source: ParagraphSource): string {
  switch (one) {
    case '\x13':
      if (fields.length < fieldsMax) fields.push({ isCode: true, code: '', result: null });
      return '';
    case '\x14':
      if (fields.length > 0) fields.at(-1)!.isCode = false;
      return '';
    case '\x15': {
      const field = fields.pop();
      return field?.isCode === true && isShown(look, fields) ? shownCode(field.code) : '';
    }
    default:
  }
  if (!isShown(look, fields)) {
    keepCode(one, look, fields);
    return '';
  }
  if (hung !== undefined) return one > '\x1f' ? one + source.markOf(hung) : source.markOf(hung);
  if (one >= '\ue000' && one <= '\uf8ff') return symbolCharacter(source.fonts[look.font ?? -1] ?? '', one.charCodeAt(0));
  return plain[one] ?? (one < ' ' ? '' : inItsFont(one, look, source));
}

const plain: Readonly<Record<string, string>> = { '\t': '\t', '\n': '\n', '\v': '\n', '\x0e': '\n', '\x1e': '-', '\x1f': '' };

/** Of fields that show something without having a result: text below furigana, and single symbols. */
function shownCode(code: string): string {
  const [, kind, rest] = /^\s*(EQ|SYMBOL)\s+([^]*)$/i.exec(code) ?? [];
  if (kind === undefined || rest === undefined) return '';
  if (kind.toUpperCase() === 'SYMBOL') {
    const number = /^(0x)?([0-9a-f]+)/i.exec(rest);
    const font = /\\f\s+"?([^"\\]+)/i.exec(rest)?.[1]?.trim() ?? '';
    return number === null ? '' : symbolCharacter(font, Number.parseInt(number[2]!, number[1] === undefined ? 10 : 16));
  }
  // One text over another: the one that comes last is the line's own.
  if (!/\\o\b/i.test(rest)) return '';
  const end = rest.lastIndexOf(')');
  const start = Math.max(rest.lastIndexOf(',', end), rest.lastIndexOf(';', end), rest.lastIndexOf('、', end));
  return start === -1 || end === -1 ? '' : rest.slice(start + 1, end).trim();
}
