/**
 * Office documents in one file of XML: packages written flat (Flat OPC, of Word and PowerPoint since 2007) and Word 2003's own. Both are
 * put together again as the package that they stand for and read as that one, so that nothing is read in two ways.
 */
import { DocumentError } from '../../errors.ts';
import { storedZip, type ZipPart } from '../containers/zip-writer.ts';
import { declaredCharset } from '../html/html-parser.ts';
import { readText } from '../input.ts';
import type { ParseInput, Parser } from '../parser.ts';

/** `whole` reads the package: the parser of all formats. */
export function createOfficeXmlParser(whole: Parser): Parser {
  return {
    async parse(input) {
      const text = readText(input, declaredCharset);
      const parts = /<(?:\w+:)?wordDocument[\s>]/.test(text.slice(0, headCharacters))
        ? partsOf2003(text)
        : partsOfPackage(text, input);
      return whole.parse(asPackage(input, storedZip(parts)));
    },
  };
}

const headCharacters = 16 * 1024;

function asPackage(input: ParseInput, bytes: Buffer): ParseInput {
  return { ...input, bytes, fileBytes: bytes.length, declaredMediaType: null };
}

/** The parts of a package in the order of the file: XML as it stands there, the others in base64. Linear. */
function partsOfPackage(text: string, { limits }: ParseInput): ZipPart[] {
  const parts: ZipPart[] = [];
  const open = /<((?:\w{1,30}:)?)part\s([^<>]{0,4000})>/g;
  for (let match = open.exec(text); match !== null; match = open.exec(text)) {
    const [, prefix = '', attributes = ''] = match;
    const end = text.indexOf(`</${prefix}part>`, open.lastIndex);
    if (end === -1) break;
    const name = /(?:^|\s)(?:\w{1,30}:)?name\s*=\s*["']\/?([^"']{1,1000})["']/.exec(attributes)?.[1];
    if (name !== undefined) parts.push({ name, bytes: contentOf(text.slice(open.lastIndex, end), prefix) });
    if (parts.length > limits.entriesMax)
      throw new DocumentError('limit_exceeded', `The file has more than ${limits.entriesMax} parts (MAX_ARCHIVE_ENTRIES)`);
    open.lastIndex = end;
  }
  if (parts.length === 0) throw new DocumentError('corrupt', 'The office document in XML is damaged: it has no parts');
  return parts;
}

function contentOf(part: string, prefix: string): Buffer {
  const xml = within(part, `${prefix}xmlData`);
  if (xml !== null) return Buffer.from(xml);
  return Buffer.from(within(part, `${prefix}binaryData`) ?? '', 'base64');
}

/** What stands between the first tag of that name and the last that closes it. */
function within(text: string, name: string, from = 0): string | null {
  const open = text.indexOf(`<${name}`, from);
  const start = open === -1 ? -1 : text.indexOf('>', open);
  const end = text.lastIndexOf(`</${name}>`);
  return start === -1 || end < start ? null : text.slice(start + 1, end);
}

const wordMl = 'http://schemas.openxmlformats.org/wordprocessingml/2006/main';
const relationsMl = 'http://schemas.openxmlformats.org/package/2006/relationships';
const relationType = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';

/** Number formats of Word 2003 (`w:nfc`), as they are named since. */
const numberFormats: Readonly<Record<string, string>> = {
  '0': 'decimal',
  '1': 'upperRoman',
  '2': 'lowerRoman',
  '3': 'upperLetter',
  '4': 'lowerLetter',
  '23': 'bullet',
  '255': 'none',
};

/** The language of Word 2003 differs in its namespace, in where styles and lists stand, and in how lists are named. */
function partsOf2003(text: string): ZipPart[] {
  const open = /<(?:\w+:)?wordDocument([^<>]*)>/.exec(text.slice(0, headCharacters));
  if (open === null) throw new DocumentError('corrupt', 'The Word document in XML is damaged: it does not begin as one');
  const namespaces = open[1]!.replaceAll('http://schemas.microsoft.com/office/word/2003/wordml', wordMl);
  const renamed = text
    .replaceAll('http://schemas.microsoft.com/office/word/2003/wordml', wordMl)
    .replace(/<(\/?)w:listPr\b/g, '<$1w:numPr')
    .replace(/<w:ilfo\b/g, '<w:numId')
    .replace(/<\?xml[^<>]*\?>/, '');
  const part = (name: string, root: string, inside: string | null): ZipPart[] =>
    inside === null ? [] : [{ name, bytes: Buffer.from(`<w:${root} ${namespaces}>${inside}</w:${root}>`) }];
  const margins = [...slices(text, 'w:hdr', 'header'), ...slices(text, 'w:ftr', 'footer')].flatMap(({ kind, inside, at }) =>
    part(`word/${kind}${at}.xml`, kind === 'header' ? 'hdr' : 'ftr', inside),
  );
  const parts: ZipPart[] = [
    { name: 'word/document.xml', bytes: Buffer.from(renamed) },
    ...part('word/styles.xml', 'styles', within(renamed, 'w:styles')),
    ...part('word/numbering.xml', 'numbering', numberingOf(within(renamed, 'w:lists'))),
    ...margins,
  ];
  return [{ name: '_rels/.rels', bytes: relations([['officeDocument', 'word/document.xml']]) }, ...parts, documentRelations(parts)];
}

type Slice = { readonly kind: string; readonly inside: string; readonly at: number };

/** Headers and footers of all sections, to a bound as for packages. */
function slices(text: string, name: string, kind: string): Slice[] {
  const found: Slice[] = [];
  const open = new RegExp(`<${name}\\b[^<>]*>`, 'g');
  for (let match = open.exec(text); match !== null && found.length < 300; match = open.exec(text)) {
    const end = text.indexOf(`</${name}>`, open.lastIndex);
    if (end === -1) break;
    found.push({ kind, inside: text.slice(open.lastIndex, end), at: found.length });
    open.lastIndex = end;
  }
  return found;
}

function numberingOf(lists: string | null): string | null {
  if (lists === null) return null;
  return lists
    .replace(/<(\/?)w:listDef\b/g, '<$1w:abstractNum')
    .replace(/\bw:listDefId=/g, 'w:abstractNumId=')
    .replace(/<(\/?)w:list\b/g, '<$1w:num')
    .replace(/\bw:ilfo=/g, 'w:numId=')
    .replace(/<w:ilst\b/g, '<w:abstractNumId')
    .replace(/<w:nfc w:val="(\d{1,3})"/g, (_, code: string) => `<w:numFmt w:val="${numberFormats[code] ?? 'decimal'}"`);
}

function documentRelations(parts: readonly ZipPart[]): ZipPart {
  const related = parts.slice(1).map(({ name }): [string, string] => {
    const file = name.slice('word/'.length);
    return [/^[a-z]{1,20}/.exec(file)?.[0] ?? '', file];
  });
  return { name: 'word/_rels/document.xml.rels', bytes: relations(related) };
}

function relations(targets: readonly (readonly [type: string, target: string])[]): Buffer {
  const rows = targets.map(([type, target], at) => `<Relationship Id="r${at}" Type="${relationType}/${type}" Target="${target}"/>`);
  return Buffer.from(`<Relationships xmlns="${relationsMl}">${rows.join('')}</Relationships>`);
}
