/**
 * Entities that an XML file declares in itself (`<!ENTITY company "Acme">`): what they stand for takes the place of their references, as a
 * person would read it. What lies outside the file is never read, and what would grow beyond bounds stays as it is written.
 */

/** Of what one entity stands for; of all that is put in, and of what is kept in mind for it; how many are declared. */
const valueCharactersMax = 64 * 1024;
const addedCharactersMax = 4 * 1024 * 1024;
const entitiesMax = 10_000;

export type Expanded = {
  readonly text: string;
  /** False when a reference was left that the file itself declares: it would grow beyond bounds, or is made of itself. */
  readonly isWhole: boolean;
};

/** The file with its own entities in place. Linear in its length and what is added, which is bounded. */
export function expandEntities(xml: string): Expanded {
  const { declared, end } = readDeclarations(xml);
  if (declared.size === 0) return { text: xml, isWhole: true };
  return replaceReferences(xml, end, declared, resolver(declared));
}

type Declarations = { readonly declared: ReadonlyMap<string, string>; /** Behind the declarations. */ readonly end: number };

const declaration = /<!ENTITY\s{1,100}([\p{L}_:][\p{L}\p{N}._:-]{0,99})\s{1,100}(?:"([^"]*)"|'([^']*)')\s{0,100}>/uy;

/** Those with a value, of which the first of a name counts; what is fetched from elsewhere and what only declarations use is passed over. */
function readDeclarations(xml: string): Declarations {
  const declared = new Map<string, string>();
  const doctype = /<!DOCTYPE[^[\]<>"']{0,1000}(?:(?:"[^"]{0,1000}"|'[^']{0,1000}')\s{0,100}){0,2}\[/.exec(xml.slice(0, 64 * 1024));
  if (doctype === null) return { declared, end: xml.length };
  let at = doctype.index + doctype[0].length;
  while (at < xml.length && xml[at] !== ']') {
    declaration.lastIndex = at;
    const found = declaration.exec(xml);
    const [, name, double, single] = found ?? [];
    if (name !== undefined && !declared.has(name) && declared.size < entitiesMax)
      declared.set(name, withoutCharacterReferences(double ?? single ?? ''));
    at = found === null ? behindMarkup(xml, at) : declaration.lastIndex;
  }
  return { declared, end: at };
}

/** Behind a comment, an instruction, a declaration with its quoted parts, or one character of anything else. */
function behindMarkup(xml: string, at: number): number {
  const closing = closingOf(xml, at);
  if (closing !== null) return endOf(xml, closing, at);
  if (xml[at] !== '<') return at + 1;
  let quote = '';
  for (let next = at; next < xml.length; next++) {
    const sign = xml[next]!;
    if (quote !== '') quote = sign === quote ? '' : quote;
    else if (sign === '"' || sign === "'") quote = sign;
    else if (sign === '>') return next + 1;
  }
  return xml.length;
}

/** In a declaration they are read at once (XML 1.0, 4.4.5), so that `&#38;lt;` is `&lt;` where the entity is used. */
function withoutCharacterReferences(value: string): string {
  return value.replace(/&#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}));/g, (written, hex?: string, decimal?: string) => {
    const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return point > 0x10ffff || point === 0 ? written : String.fromCodePoint(point);
  });
}

const reference = /&([\p{L}_:][\p{L}\p{N}._:-]{0,99});/uy;
const references = new RegExp(reference.source, 'gu');

/** What an entity stands for, those in it in place; null when that is too long or the entity is part of itself. */
function resolver(declared: ReadonlyMap<string, string>): (name: string) => string | null {
  const known = new Map<string, string | null>();
  let held = 0;
  const resolve = (name: string, depth: number): string | null => {
    const before = known.get(name);
    if (before !== undefined) return before;
    // While it is being looked up, and for good when it turns out to be part of itself.
    known.set(name, null);
    const parts: string[] = [];
    let [length, from] = [0, 0];
    const value = declared.get(name)!;
    const add = (part: string): boolean => (parts.push(part), (length += part.length) <= valueCharactersMax);
    for (const found of value.matchAll(references)) {
      const inner = declared.has(found[1]!) ? (depth < depthMax ? resolve(found[1]!, depth + 1) : null) : found[0];
      if (inner === null || !add(value.slice(from, found.index) + inner)) return null;
      from = found.index + found[0].length;
    }
    const resolved = add(value.slice(from)) && (held += length) <= addedCharactersMax ? parts.join('') : null;
    known.set(name, resolved);
    return resolved;
  };
  return (name) => resolve(name, 0);
}

/** Entities within entities. */
const depthMax = 100;

/** Not in comments, instructions and CDATA; in a tag as text, whatever signs it holds. */
function replaceReferences(
  xml: string,
  start: number,
  declared: ReadonlyMap<string, string>,
  resolve: (name: string) => string | null,
): Expanded {
  const pieces: string[] = [];
  let [copied, added, isWhole] = [0, 0, true];
  let [isInTag, quote] = [false, ''];

  function replaceAt(at: number): number {
    reference.lastIndex = at;
    const name = reference.exec(xml)?.[1];
    if (name === undefined || !declared.has(name)) return at + 1;
    const value = resolve(name);
    if (value === null || added + value.length > addedCharactersMax) {
      isWhole = false;
      return at + 1;
    }
    added += value.length;
    pieces.push(xml.slice(copied, at), isInTag ? asAttribute(value) : value);
    return (copied = at + name.length + 2);
  }

  const signs = /[<>&"']/g;
  signs.lastIndex = start;
  for (let found = signs.exec(xml); found !== null; found = signs.exec(xml)) {
    const [sign, at] = [found[0], found.index];
    if (sign === '&') signs.lastIndex = replaceAt(at);
    else if (quote !== '') quote = sign === quote ? '' : quote;
    else if (isInTag && (sign === '"' || sign === "'")) quote = sign;
    else if (sign === '>') isInTag = false;
    else if (sign === '<' && !isInTag) {
      const closing = closingOf(xml, at);
      if (closing === null) isInTag = true;
      else signs.lastIndex = endOf(xml, closing, at);
    }
  }
  return { text: pieces.join('') + xml.slice(copied), isWhole };
}

/** Of what is no tag: its end. */
function closingOf(xml: string, at: number): string | null {
  if (xml.startsWith('<!--', at)) return '-->';
  if (xml.startsWith('<![CDATA[', at)) return ']]>';
  return xml.startsWith('<?', at) ? '?>' : null;
}

function endOf(xml: string, closing: string, from: number): number {
  const end = xml.indexOf(closing, from);
  return end === -1 ? xml.length : end + closing.length;
}

function asAttribute(value: string): string {
  return value.replace(/["'<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
