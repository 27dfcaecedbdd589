/**
 * What others find in documents of old formats, to measure ours beside: LibreOffice in .doc, .wps, .ppt, .xls and .xlsb (as flat
 * OpenDocument, of which only text that a reader sees is taken), and a walk of the property streams in .msg.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { type CompoundStorage, describeCompoundFile, openCompoundFile } from '../../src/parse/containers/compound-file.ts';

/** By ending: what LibreOffice makes of it. */
const flatOf: Readonly<Record<string, string>> = {
  '.doc': 'fodt',
  '.wps': 'fodt',
  '.ppt': 'fodp',
  '.xls': 'fods',
  '.xlsb': 'fods',
};

export const isForLibreOffice = (path: string): boolean => extname(path).toLowerCase() in flatOf;

export const hasLibreOffice = (): boolean => spawnSync('soffice', ['--version']).error === undefined;

/** Of one conversion; a file that holds it up costs the others of its call. */
const [filesAtOnce, timeoutMs] = [40, 180_000];

/** By path, the text that LibreOffice finds; nothing of a file that it does not open. `work`: an empty folder. */
export function libreOfficeTexts(paths: readonly string[], work: string): Map<string, string> {
  const texts = new Map<string, string>();
  const groups = Map.groupBy(paths, (path) => flatOf[extname(path).toLowerCase()]!);
  for (const [kind, files] of groups) {
    for (let from = 0; from < files.length; from += filesAtOnce) convert(files.slice(from, from + filesAtOnce), kind, work);
    for (const path of files) if (!existsSync(flatPath(path, kind, work))) convert([path], kind, work);
    for (const path of files) {
      const flat = flatPath(path, kind, work);
      const text = existsSync(flat) ? flatText(readFileSync(flat, 'utf8')) : '';
      if (!isContainer(text)) texts.set(path, text);
    }
  }
  return texts;
}

/** Whether the bytes of a damaged container were taken for a text in which they are signs. */
function isContainer(text: string): boolean {
  return text.includes('ÐÏà¡±á');
}

function convert(paths: readonly string[], kind: string, work: string): void {
  mkdirSync(join(work, kind), { recursive: true });
  const profile = `-env:UserInstallation=file://${work}/profile`;
  spawnSync('soffice', [profile, '--headless', '--convert-to', kind, '--outdir', join(work, kind), ...paths], {
    stdio: 'ignore',
    timeout: timeoutMs,
  });
}

function flatPath(path: string, kind: string, work: string): string {
  return join(work, kind, `${basename(path, extname(path))}.${kind}`);
}

/**
 * No text of the document: what is deleted, who wrote a note and when, the sign of a note, what an embedded object is made of, the cells of
 * other workbooks, and what is worked out anew when a file is opened (dates, numbers of pages, names of files).
 */
const leftOut = new Set(
  [
    'text:tracked-changes text:note-citation dc:creator dc:date meta:creator-initials office:binary-data draw:object office:forms text:ruby-text',
    'text:date text:time text:page-number text:page-count text:file-name text:variable-decls text:sequence-decls text:user-field-decls',
    'table:tracked-changes table:database-ranges presentation:date-time',
  ].flatMap((names) => names.split(' ')),
);
const breaks = /^(?:text:(?:p|h|line-break|tab|list-item)|table:table-cell|draw:page|svg:(?:title|desc))$/;
/** Of one cell or row: a style may run to the end of the sheet. */
const repeatedMax = 2000;

/** The text of a flat OpenDocument file: its body with the names of sheets, and each running head of a text document once. */
export function flatText(xml: string): string {
  const body = /<office:body>([\s\S]*)<\/office:body>/.exec(xml)?.[1] ?? '';
  const isText = body.trimStart().startsWith('<office:text');
  const heads = isText ? [...xml.matchAll(/<style:(header|footer)(-left|-first)?\b[^>]*>([\s\S]*?)<\/style:\1\2>/g)] : [];
  const once = new Set(heads.map(([, , , inner]) => plainWords(inner!).trim()));
  const sheets = /<table:table\b[^>]*>(?:(?!<\/table:table>)[\s\S])*?<\/table:table>/g;
  if (body.trimStart().startsWith('<office:spreadsheet')) return (body.match(sheets) ?? []).map(sheetText).join('\n');
  return [...once, plainWords(body)].join('\n');
}

/** What is kept of another workbook, for its formulas, is no sheet of this one. A name alone is no text. */
function sheetText(xml: string): string {
  const name = /table:name="([^"]*)"/.exec(xml)?.[1] ?? '';
  if (xml.includes('<table:table-source ') || name === 'local-table') return '';
  const words = plainWords(asExcelShows(xml));
  return words.trim() === '' ? '' : `${unescaped(name)}\n${words}`;
}

/** Truth values by their names; no errors, which LibreOffice numbers in a way of its own. */
function asExcelShows(xml: string): string {
  const boolean = /(<table:table-cell\b[^>]*office:boolean-value="(\w+)"[^>]*>)<text:p>[^<]*<\/text:p>/g;
  return xml.replace(boolean, '$1<text:p>$2</text:p>').replace(/<text:p>(?:Err:\d+|#[A-Z/0-9]+[!?]?)<\/text:p>/g, '');
}

function plainWords(xml: string): string {
  let text = '';
  let skipping: string | null = null;
  let depth = 0;
  const deleted = deletions(xml);
  let hidden: string | null = null;
  const open: { readonly at: number; readonly times: number }[] = [];
  for (const [, closing, name, attributes, empty, words] of xml.matchAll(/<(\/?)([\w:-]+)([^>]*?)(\/?)>|([^<]+)/g)) {
    if (skipping !== null) {
      if (name === skipping && empty !== '/') depth += closing === '/' ? -1 : 1;
      if (depth === 0) skipping = null;
    } else if (words !== undefined) text += hidden === null ? unescaped(words) : '';
    else if (name === 'text:change-start' || name === 'text:change-end') {
      const id = /text:change-id="([^"]*)"/.exec(attributes!)?.[1] ?? '';
      if (hidden === null && name === 'text:change-start' && deleted.has(id)) hidden = id;
      else if (name === 'text:change-end' && hidden === id) hidden = null;
    } else if (leftOut.has(name!) && closing === '' && empty === '') [skipping, depth] = [name!, 1];
    else if (name === 'text:s') text += ' '.repeat(Number(/text:c="(\d+)"/.exec(attributes!)?.[1] ?? 1));
    else if (breaks.test(name!)) text += '\n';
    if (!/^table:table-(?:cell|row)$/.test(name ?? '') || empty === '/') continue;
    if (closing === '') open.push({ at: text.length, times: Number(/-repeated="(\d+)"/.exec(attributes!)?.[1] ?? 1) });
    else {
      const { at, times } = open.pop() ?? { at: text.length, times: 1 };
      const inner = text.slice(at);
      if (times <= repeatedMax && inner.trim() !== '') text += `\n${inner}`.repeat(times - 1);
    }
  }
  return text;
}

/** What was deleted and is still in its place, by the ids of its changes. */
function deletions(xml: string): Set<string> {
  return new Set([...xml.matchAll(/<text:changed-region[^>]*text:id="([^"]*)"[^>]*>\s*<text:deletion\b/g)].map(([, id]) => id!));
}

function unescaped(text: string): string {
  return text
    .replace(/&#(\d+);/g, (_all, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&')
    .replaceAll('\u00ad', '');
}

/** Texts of a message by their property tags (MS-OXPROPS): subject, from, its address, to, cc, body; of a recipient: name, addresses. */
const [messageTexts, bodyText] = [['0037', '0C1A', '5D01', '0C1F', '0E04', '0E03'], '1000'];
const recipientTexts = ['39FE', '3003'];
/** Of a person, a task or an appointment: company, job, department, telephones. */
const personTexts = ['3A16', '3A17', '3A18', '3A08', '3A1C', '3A09'];

/**
 * What the property streams of an Outlook message say to a reader: subject, people with their addresses, the plain body, or the words of the
 * HTML where there is no other. Texts of one byte a character are UTF-8 where they can be, else in the code page that the message names. What is kept inside of the
 * message's RTF alone, and dates, are not taken.
 */
export function messageText(bytes: Buffer): string {
  if (describeCompoundFile(bytes) !== 'msg') return '';
  const root = openCompoundFile(bytes, 2 ** 28);
  const encoding = encodingOf(root);
  const of = (storage: CompoundStorage, tag: string): string =>
    (
      storage.stream(`__substg1.0_${tag}001F`)?.read().toString('utf16le') ??
      narrowText(storage.stream(`__substg1.0_${tag}001E`)?.read() ?? Buffer.alloc(0), encoding)
    ).replaceAll('\0', '');
  const addresses = root.storages
    .filter(({ name }) => name.startsWith('__recip'))
    .map((each) => recipientTexts.map((tag) => of(each, tag)).find(isAddress) ?? '');
  const plain = of(root, bodyText);
  const body = plain.trim() === '' ? htmlWords(root, encoding) : plain;
  const isPerson = of(root, '001A').toLowerCase().startsWith('ipm.contact');
  const texts = [...messageTexts, ...(isPerson ? personTexts : [])].map((tag) => of(root, tag));
  const people = texts.filter((text) => !text.startsWith('/'));
  // A name is often the address once more; what a link leads to stands behind its text, and is no word of it.
  return [...new Set([...people, ...addresses]), body.replace(/<(?:https?|mailto):[^>]*>|\[https?:[^\]]*\]/g, ' ')].join('\n');
}

function isAddress(text: string): boolean {
  return text.includes('@') && !text.startsWith('/');
}

function narrowText(bytes: Buffer, encoding: string): string {
  const text = bytes.toString('utf8');
  return text.includes('\ufffd') ? new TextDecoder(encoding).decode(bytes) : text;
}

const encodings = new Map([
  [932, 'shift_jis'],
  [936, 'gbk'],
  [949, 'euc-kr'],
  [950, 'big5'],
]);

/** By PidTagMessageCodepage or, where that says nothing, PidTagInternetCodepage, in the list of the message's properties. */
function encodingOf(root: CompoundStorage): string {
  const list = root.stream('__properties_version1.0')?.read() ?? Buffer.alloc(0);
  for (const tag of [0x3ffd_0003, 0x3fde_0003]) {
    for (let at = 32; at + 16 <= list.length; at += 16)
      if (list.readUInt32LE(at) === tag && encodings.has(list.readUInt32LE(at + 8)))
        return encodings.get(list.readUInt32LE(at + 8))!;
  }
  return 'windows-1252';
}

function htmlWords(root: CompoundStorage, encoding: string): string {
  const html = root.stream('__substg1.0_10130102')?.read();
  if (html === undefined) return '';
  return unescaped(
    narrowText(html, encoding)
      .replace(/<(style|script|head)\b[\s\S]*?<\/\1>/gi, ' ')
      .replace(/<[^>]*>/g, ' ')
      .replaceAll('&nbsp;', ' '),
  );
}
