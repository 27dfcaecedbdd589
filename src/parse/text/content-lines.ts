/**
 * The lines that calendars (RFC 5545) and contacts (RFC 6350, vCard 2.1) are made of: `NAME;PARAMETER=value:text`, folded over several lines.
 */
import { canonicalEncoding, decodeAs } from './encoding.ts';

export type ContentLine = {
  /** Upper case, without the group before it. */
  readonly name: string;
  /** Names in upper case; those of vCard 2.1 that have no name stand under `TYPE`. */
  readonly parameters: Readonly<Record<string, string>>;
  /** As it is written, folds taken out and quoted-printable decoded: `\,` and the like are still there. */
  readonly value: string;
};

/** Longer lines are no text: pictures, sounds, keys. */
const nameCharactersMax = 4096;

/** The lines of a text whose line ends are `\n`; what is no such line is left out. Linear. */
export function* contentLines(text: string): Generator<ContentLine> {
  for (const line of unfolded(text)) {
    const colon = endOfHead(line);
    if (colon === -1) continue;
    const [name = '', ...parameters] = splitAt(line.slice(0, colon), ';');
    const named = parametersOf(parameters);
    yield {
      name: name.slice(name.lastIndexOf('.') + 1).toUpperCase(),
      parameters: named,
      value: decoded(line.slice(colon + 1), named),
    };
  }
}

/** A text with its escapes undone. */
export function plainValue(value: string): string {
  return value.replace(/\\([\s\S])/g, (_, character: string) => (character === 'n' || character === 'N' ? '\n' : character)).trim();
}

/** The fields of a value that has several (`N`, `ADR`, `ORG`), as text. */
export function fieldsOf(value: string, separator: ';' | ','): string[] {
  return splitAt(value, separator).map(plainValue);
}

/** A line that begins with white space goes on from the one before it, as one does that a quoted-printable `=` ends. */
function* unfolded(text: string): Generator<string> {
  let pieces: string[] = [];
  for (let start = 0; start <= text.length;) {
    const found = text.indexOf('\n', start);
    const end = found === -1 ? text.length : found;
    const line = text.slice(start, end);
    start = end + 1;
    const last = pieces.at(-1);
    if (last !== undefined && (line.startsWith(' ') || line.startsWith('\t'))) pieces.push(line.slice(1));
    else if (last?.endsWith('=') === true && /QUOTED-PRINTABLE/i.test(pieces[0]!.slice(0, 200))) pieces.push('\n', line);
    else {
      if (last !== undefined) yield pieces.join('');
      pieces = [line];
    }
  }
  if (pieces.length > 0) yield pieces.join('');
}

/** The colon before the value: the first outside of quotes. */
function endOfHead(line: string): number {
  let isQuoted = false;
  for (let at = 0; at < Math.min(line.length, nameCharactersMax); at++) {
    const character = line[at];
    if (character === '"') isQuoted = !isQuoted;
    else if (character === ':' && !isQuoted) return at;
  }
  return -1;
}

/** The pieces between separators that no backslash and no quotes protect. */
function splitAt(text: string, separator: string): string[] {
  const pieces: string[] = [];
  let isQuoted = false;
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '\\') at += 1;
    else if (character === '"') isQuoted = !isQuoted;
    else if (character === separator && !isQuoted) {
      pieces.push(text.slice(start, at));
      start = at + 1;
    }
  }
  pieces.push(text.slice(start));
  return pieces;
}

function parametersOf(pieces: readonly string[]): Record<string, string> {
  const found: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const piece of pieces) {
    const equals = piece.indexOf('=');
    const name = equals === -1 ? 'TYPE' : piece.slice(0, equals).toUpperCase();
    const value = piece.slice(equals + 1).replaceAll('"', '');
    found[name] = found[name] === undefined ? value : `${found[name]},${value}`;
  }
  return found;
}

function decoded(value: string, { ENCODING: encoding, TYPE: type, CHARSET: charset }: Record<string, string>): string {
  if (!/QUOTED-PRINTABLE/i.test(encoding ?? type ?? '')) return value;
  const quoted = value.replace(/=[ \t]*\n/g, '').replace(/[^\x20-\x7e]/g, '');
  const bytes = quoted.replace(/=([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
  return decodeAs(Buffer.from(bytes, 'latin1'), canonicalEncoding(charset ?? '') ?? 'utf-8');
}
