/**
 * What a file is, by its content first: signatures, the members of an archive, the first lines of text. Its name and declared
 * media type decide only between kinds of text that look alike (Markdown, CSV, source code, plain text).
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { extname } from 'node:path';
import { constants, gunzipSync } from 'node:zlib';
import { isTar } from './archives/tar.ts';
import { isCms } from './mail/cms-kind.ts';
import { isCode } from './text/code-languages.ts';
import { type DecodedText, decodeText } from './text/encoding.ts';
import { charsetOf } from './input.ts';
import { describeCompoundFile, isCompoundFile } from './containers/compound-file.ts';
import type { ParseInput } from './parser.ts';
import { partOfPiece } from './containers/interleaved-zip.ts';
import { openZip } from './containers/zip.ts';

const textFormats = [
  'html',
  'markdown',
  'rtf',
  'eml',
  'csv',
  'json',
  'xml',
  'subtitles',
  'flat-odf',
  'office-xml',
  'sheet-xml',
  'mbox',
  'calendar',
  'contacts',
  'text',
] as const;
const archiveFormats = ['docx', 'pptx', 'xlsx', 'xlsb', 'odt', 'ods', 'odp', 'epub', 'ofd', 'xps', 'zip'] as const;

/** Told by their first bytes. */
const packedFormats = ['7z', 'tar', 'gzip', 'cms', 'tnef'] as const;

const compoundFormats = ['doc', 'encrypted-ooxml', 'msg', 'ole-package', 'ppt', 'xls'] as const;

export type Format =
  | 'pdf'
  | (typeof archiveFormats)[number]
  | (typeof compoundFormats)[number]
  | (typeof packedFormats)[number]
  | (typeof textFormats)[number]
  | 'image'
  | 'compound'
  | 'unsupported';

/** Whether a format is text whose encoding has to be known. */
export function isText(format: Format): boolean {
  return format !== 'rtf' && format !== 'eml' && format !== 'mbox' && textFormats.some((one) => one === format);
}

/** Of pictures, whose text needs OCR. */
const pictureEndings: readonly string[] = ['png', 'jpg', 'jpeg', 'tif', 'tiff', 'webp', 'gif', 'bmp'];

/** Endings of the names of files that are read, for people who choose files; what decides is the content. */
export const readableEndings: readonly string[] = [
  'pdf',
  'docx',
  'docm',
  'doc',
  'dot',
  'wps',
  'pptx',
  'pptm',
  'ppt',
  'pps',
  'pot',
  'dps',
  'xlsx',
  'xlsm',
  'xlsb',
  'xls',
  'xlt',
  'et',
  'odt',
  'ods',
  'odp',
  'epub',
  'ofd',
  'xps',
  'oxps',
  'fodt',
  'fods',
  'fodp',
  'html',
  'htm',
  'xhtml',
  'md',
  'markdown',
  'rtf',
  'eml',
  'mbox',
  'p7m',
  'zip',
  'tar',
  'tgz',
  'gz',
  '7z',
  'msg',
  'ics',
  'vcf',
  'csv',
  'tsv',
  'json',
  'jsonl',
  'ndjson',
  'xml',
  'rss',
  'atom',
  'opml',
  'svg',
  'fb2',
  'srt',
  'vtt',
  'txt',
  'text',
  'log',
  'rst',
  ...pictureEndings,
];

/** The same where no pictures are read. */
export const endingsWithoutOcr = readableEndings.filter((ending) => !pictureEndings.includes(ending));

/**
 * The format of a file, from its first 64 KiB and, for an archive, its directory. Never throws for a strange file, but for an
 * archive that breaks a limit or has no directory: DocumentError `corrupt`, `limit_exceeded`.
 */
export async function detectFormat(input: ParseInput): Promise<Format> {
  const head = readHead(input);
  if (isPdf(head)) return 'pdf';
  if (startsWith(head, 'PK\x03\x04') || startsWith(head, 'PK\x05\x06')) return archiveFormat(head, input);
  if (isCompoundFile(head)) return compoundFormat(input);
  if (isWorkbookStream(head)) return 'xls';
  if (isWord2(head)) return 'doc';
  if (imageType(head) !== null) return 'image';
  const packed = packedFormat(head, input.filename);
  if (packed !== null) return packed;
  if (noText.some((signature) => startsWith(head, signature))) return 'unsupported';
  const decoded = decodeText(head, null, charsetOf(input));
  return isBinary(decoded) ? 'unsupported' : textFormat(decoded.text, hintOf(input));
}

/** gzip is an archive where a tar is in it, and one packed file where its name says so. */
function packedFormat(head: Buffer, filename: string): Format | null {
  if (isSevenZip(head, filename)) return '7z';
  if (startsWith(head, '\x78\x9f\x3e\x22')) return 'tnef';
  if (startsWith(head, '\x1f\x8b')) return /\.(?:gz|tgz)$/i.test(filename) || isTar(unpackedHead(head)) ? 'gzip' : 'unsupported';
  if (isTar(head)) return 'tar';
  return isCms(head) ? 'cms' : null;
}

const sevenZipSignature = '7z\xbc\xaf\x27\x1c';

/** Whatever follows it, and where so much of the file is missing that only its name tells. */
function isSevenZip(head: Buffer, filename: string): boolean {
  if (head.length >= sevenZipSignature.length) return startsWith(head, sevenZipSignature);
  return /\.7z$/i.test(filename) && head.length > 1 && sevenZipSignature.startsWith(latin1(head));
}

/** The first block of what gzip holds, or nothing. */
function unpackedHead(head: Buffer): Buffer {
  try {
    return gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 64 * 1024 * 1024 }).subarray(0, 512);
  } catch {
    return Buffer.alloc(0); // damaged, or far more than a head of an archive: its name decides
  }
}

/** With which no text begins, however much of it follows. */
const signatures = {
  rar: 'Rar!\x1a\x07',
  xz: '\xfd7zXZ\0',
  zstd: '\x28\xb5\x2f\xfd',
  matroska: '\x1aE\xdf\xa3',
  database: 'SQLite format 3\0',
} as const;
const noText = Object.values(signatures);

/** What a file is that is known and not read, for the sentence that says what to do; null for one that is not known. */
export async function unreadKind(input: ParseInput): Promise<keyof typeof unreadKinds | null> {
  const head = readHead(input);
  if (startsWith(head, signatures.rar)) return 'rar';
  if (startsWith(head, signatures.xz)) return 'xz';
  if (startsWith(head, 'BZh')) return 'bzip2';
  if (startsWith(head, signatures.zstd)) return 'zstd';
  if (startsWith(head, 'MSCF')) return 'cab';
  if (startsWith(head, 'ITSF')) return 'chm';
  if (latin1(head.subarray(60, 68)) === 'BOOKMOBI') return 'mobi';
  if (latin1(head.subarray(4, 8)) === 'ftyp' || startsWith(head, 'ID3') || startsWith(head, signatures.matroska)) return 'media';
  if (startsWith(head, 'AC10')) return 'dwg';
  if (startsWith(head, signatures.database)) return 'database';
  if (startsWith(head, 'CHNKWKS')) return 'works';
  return startsWith(head, 'PK\x03\x04') && isIwork(memberNames(input)) ? 'iwork' : null;
}

function memberNames(input: ParseInput): ReadonlySet<string> {
  const zip = openZip(input, input.limits);
  try {
    return new Set(zip.names.map((name) => name.toLowerCase()));
  } finally {
    zip.close();
  }
}

/** What is said of each. */
export const unreadKinds = {
  rar: 'RAR archives are not supported: unpack it, pack its files as ZIP and upload that',
  xz: 'Files packed by xz are not supported: unpack it and upload what is in it',
  bzip2: 'Files packed by bzip2 are not supported: unpack it and upload what is in it',
  zstd: 'Files packed by Zstandard are not supported: unpack it and upload what is in it',
  cab: 'Cabinet archives are not supported: unpack it, pack its files as ZIP and upload that',
  chm: 'Compiled HTML help is not supported: unpack it (7-Zip does), pack its pages as ZIP and upload that',
  mobi: 'Kindle books are not supported: convert it to EPUB and upload that',
  media: 'Sound and video are not supported: upload a transcript or subtitles (.srt, .vtt)',
  dwg: 'DWG drawings are not supported: print it as PDF and upload that',
  database: 'SQLite databases are not supported: export the tables as CSV and upload those',
  works: 'Microsoft Works files are not supported: save it as .docx and upload it again',
  iwork:
    'Pages, Numbers and Keynote files are not supported: export it as PDF or in the format of Office (File, Export To) and upload that',
} as const;

/** The media type of a picture that is recognised, or null. */
export function imageType(head: Uint8Array): string | null {
  if (startsWith(head, '\x89PNG\r\n\x1a\n')) return 'image/png';
  if (startsWith(head, '\xff\xd8\xff')) return 'image/jpeg';
  if (startsWith(head, 'GIF87a') || startsWith(head, 'GIF89a')) return 'image/gif';
  if (startsWith(head, 'II*\0') || startsWith(head, 'MM\0*')) return 'image/tiff';
  if (startsWith(head, 'RIFF') && latin1(head.subarray(8, 12)) === 'WEBP') return 'image/webp';
  if (startsWith(head, 'BM') && head.length > 26 && latin1(head.subarray(6, 10)) === '\0\0\0\0') return 'image/bmp';
  return null;
}

/** What name and declared type say: an extension without its dot, lower case; '' when they say nothing. */
export function hintOf(input: Pick<ParseInput, 'filename' | 'declaredMediaType'>): string {
  const extension = extname(input.filename).slice(1).toLowerCase();
  const declared = (input.declaredMediaType ?? '').split(';')[0]!.trim().toLowerCase();
  return extension === '' || extension === 'txt' ? (extensionOfType[declared] ?? extension) : extension;
}

const extensionOfType: Readonly<Record<string, string>> = {
  'text/markdown': 'md',
  'text/x-markdown': 'md',
  'text/csv': 'csv',
  'text/tab-separated-values': 'tsv',
  'application/json': 'json',
  'application/x-ndjson': 'jsonl',
  'application/xml': 'xml',
  'text/xml': 'xml',
  'text/html': 'html',
  'message/rfc822': 'eml',
};

const headBytes = 64 * 1024;

/** Asked of the disk at once: a turn of the event loop for each of three questions costs more than all that is done with a small file. */
function readHead(input: ParseInput): Buffer {
  if (input.bytes !== undefined) return Buffer.from(input.bytes.subarray(0, headBytes));
  const file = openSync(input.path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(headBytes);
    return buffer.subarray(0, readSync(file, buffer, 0, headBytes, 0));
  } finally {
    closeSync(file);
  }
}

/** The header may come a little late, on a line of its own (ISO 32000-1 annex H.3.4.1). */
function isPdf(head: Buffer): boolean {
  const at = head.subarray(0, 1029).indexOf('%PDF-', 0, 'latin1');
  if (at <= 0) return at === 0;
  const before = head[at - 1];
  return before === 0x0a || before === 0x0d || head.subarray(0, at).every((byte) => byte <= 0x20 || byte >= 0x80);
}

/** Those of compound files that are not read are told apart where they are refused. */
function compoundFormat(input: ParseInput): Format {
  const kind = describeCompoundFile(input.bytes ?? input.path);
  return compoundFormats.find((format) => format === kind) ?? 'compound';
}

/** A workbook of Excel without a container: the record that begins it, with its usual length. */
function isWorkbookStream(head: Buffer): boolean {
  return ['09000400', '09020600', '09040600', '09080800', '09081000'].includes(head.toString('hex', 0, 4));
}

/** A document of Word for Windows 1 or 2, without a container. */
function isWord2(head: Buffer): boolean {
  return (head[0] === 0xdb || head[0] === 0x9b) && head[1] === 0xa5 && head[3] === 0;
}

function archiveFormat(head: Buffer, input: ParseInput): Format {
  const declared = mimetypeMember(head);
  if (declared === 'application/epub+zip') return 'epub';
  const kind = /^application\/vnd\.oasis\.opendocument\.(text|spreadsheet|presentation)/.exec(declared)?.[1];
  if (kind !== undefined) return kind === 'text' ? 'odt' : kind === 'spreadsheet' ? 'ods' : 'odp';
  return formatOfMembers(memberNames(input), hintOf(input));
}

/** ODF and EPUB put their type first, unpacked, so that it stands at a fixed place. */
function mimetypeMember(head: Buffer): string {
  if (head.length < 40 || head.readUInt16LE(8) !== 0 || head.toString('latin1', 30, 38) !== 'mimetype') return '';
  return head.toString('latin1', 38, 38 + Math.min(200, head.readUInt32LE(18))).trim();
}

function formatOfMembers(names: ReadonlySet<string>, hint: string): Format {
  const has = (prefix: string): boolean => names.values().some((name) => name.startsWith(prefix));
  if (names.has('ofd.xml')) return 'ofd';
  if (isXps(names)) return 'xps';
  if (names.has('meta-inf/container.xml') && !names.has('content.xml')) return 'epub';
  if (names.has('content.xml')) return hint === 'ods' || hint === 'ots' ? 'ods' : hint === 'odp' || hint === 'otp' ? 'odp' : 'odt';
  if (names.has('xl/workbook.bin')) return 'xlsb';
  if (has('word/')) return 'docx';
  if (has('ppt/')) return 'pptx';
  if (has('xl/')) return 'xlsx';
  if (names.values().some((name) => partOfPiece(name) === '[content_types].xml')) return officeHints[hint] ?? 'unsupported';
  return isIwork(names) ? 'unsupported' : 'zip';
}

/** A package by itself: an archive may hold the files of one in a folder. */
function isXps(names: ReadonlySet<string>): boolean {
  const parts = new Set(names.values().map(partOfPiece));
  const isPackage = parts.has('[content_types].xml') || parts.has('_rels/.rels');
  return isPackage && parts.values().some((name) => /\.(?:fdseq|fpage)$/.test(name));
}

/** Since 2013 of `.iwa` members, before of one of XML beside a preview. */
function isIwork(names: ReadonlySet<string>): boolean {
  if (names.values().some((name) => name.endsWith('.iwa') || name === 'index.zip')) return true;
  return ['index.xml', 'index.xml.gz', 'index.apxl', 'index.apxl.gz'].some(
    (name) =>
      names.has(name) && (names.has('quicklook/preview.pdf') || names.has('quicklook/thumbnail.jpg') || name.includes('apxl')),
  );
}

const officeHints: Readonly<Record<string, Format>> = {
  docx: 'docx',
  docm: 'docx',
  dotx: 'docx',
  dotm: 'docx',
  pptx: 'pptx',
  pptm: 'pptx',
  ppsx: 'pptx',
  potx: 'pptx',
  xlsx: 'xlsx',
  xlsm: 'xlsx',
  xltx: 'xlsx',
  xps: 'xps',
  oxps: 'xps',
};

/** Text has hardly any control characters, in whatever encoding: UTF-16 and UTF-32 are recognised first. */
function isBinary({ text, encoding }: DecodedText): boolean {
  const isWide = encoding.startsWith('utf-16') || encoding.startsWith('utf-32');
  let strange = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x20 ? unit !== 0x1b && (unit < 8 || unit > 13) : unit === 0x7f || (unit === 0xfffd && isWide)) strange += 1;
  }
  // One or two in a few words of text are an accident, in a few bytes of anything they are what the file is made of.
  return strange * 50 > text.length && (strange > 2 || strange * 4 > text.length);
}

function textFormat(text: string, hint: string): Format {
  const start = text.replace(/^[\s\ufeff]+/, '');
  if (start.startsWith('{\\rtf')) return 'rtf';
  if (/^From \S/.test(start) && isMail(start, hint)) return 'mbox';
  if (isMail(start, hint)) return 'eml';
  if (isSubtitles(start)) return 'subtitles';
  const lines = /^BEGIN:(VCALENDAR|VCARD)[ \t]*[\r\n]/i.exec(start);
  if (lines !== null) return lines[1]!.toUpperCase() === 'VCARD' ? 'contacts' : 'calendar';
  if (isCode(hint)) return 'text';
  if (start.startsWith('<')) {
    const markup = markupFormat(start, hint);
    if (markup !== null) return markup;
  }
  if (markdownHints.has(hint)) return 'markdown';
  if (hint === 'csv' || hint === 'tsv' || hint === 'tab' || hint === 'psv') return 'csv';
  if (jsonHints.has(hint) || (hint === '' && /^(?:\{\s*["}]|\[\s*[[{"\]\d])/.test(start))) return 'json';
  return htmlHints.has(hint) && /<[a-z!][^<>]*>/i.test(start) ? 'html' : 'text';
}

const markdownHints = new Set(['md', 'markdown', 'mdown', 'mkd', 'mdx', 'qmd', 'rmd']);
const jsonHints = new Set(['json', 'jsonl', 'ndjson', 'geojson', 'ipynb', 'jsonld']);
const htmlHints = new Set(['html', 'htm', 'xhtml', 'shtml']);
const htmlElements =
  /^(?:html|head|body|title|meta|link|base|script|style|div|p|span|table|h[1-6]|ul|ol|dl|a|br|hr|img|center|font|b|i|strong|em|article|section|main|nav|header|footer|form|iframe|pre|blockquote)$/i;

/** HTML, XML, or null for text that only happens to begin with a `<`. Comments, declarations and instructions are passed over. */
function markupFormat(start: string, hint: string): Format | null {
  let rest = start;
  let isXml = false;
  for (let step = 0; step < 50; step++) {
    if (/^<!doctype\s+html/i.test(rest)) return 'html';
    const skipped = /^<\?xml/i.test(rest) ? '?>' : rest.startsWith('<!--') ? '-->' : /^<[!?]/.test(rest) ? '>' : null;
    if (skipped === null) break;
    isXml ||= /^<\?xml\s/.test(rest);
    const end = rest.indexOf(skipped);
    if (end === -1) break;
    rest = rest.slice(end + skipped.length).trimStart();
  }
  const name = /^<([A-Za-z_][\w:.-]{0,100})(?=[\s/>])/.exec(rest)?.[1];
  if (name === undefined) return isXml || hint === 'xml' ? 'xml' : null;
  const dialect = xmlDialect(name, rest.slice(0, 16 * 1024));
  if (dialect !== null) return dialect;
  const isNamedXml = isXml || xmlHints.has(hint);
  const isHtml = /^html$/i.test(name) || (!isNamedXml && htmlElements.test(name));
  if (isHtml) return markdownHints.has(hint) && !/^html$/i.test(name) ? null : 'html';
  if (isNamedXml || /\sxmlns(?::\w+)?=/.test(rest.slice(0, 2000))) return 'xml';
  return hint === '' && rest.includes(`</${name}>`) ? 'xml' : null;
}

/** Whole document formats in one file of XML, by root and namespace. */
function xmlDialect(name: string, rest: string): Format | null {
  const local = name.slice(name.lastIndexOf(':') + 1);
  const tag = rest.slice(0, rest.indexOf('>') + 1);
  if (local === 'document' && tag.includes('urn:oasis:names:tc:opendocument:xmlns:office:1.0')) return 'flat-odf';
  if (local === 'package' && tag.includes('schemas.microsoft.com/office/2006/xmlPackage')) return 'office-xml';
  if (local === 'wordDocument' && tag.includes('schemas.microsoft.com/office/word/2003/wordml')) return 'office-xml';
  if (local === 'Workbook' && tag.includes('urn:schemas-microsoft-com:office:spreadsheet')) return 'sheet-xml';
  return null;
}

const xmlHints = new Set(['xml', 'nxml', 'rss', 'atom', 'svg', 'xbrl', 'opml', 'kml', 'gpx', 'tmx', 'xlf', 'dita', 'fb2']);

/** `WEBVTT`, or SubRip's number and times. */
function isSubtitles(start: string): boolean {
  return /^WEBVTT(?:\s|$)/.test(start) || /^\d{1,6}[ \t]*\r?\n\d{1,3}:\d\d:\d\d[,.]\d{1,3}[ \t]*-->/.test(start);
}

const mailFields = new Set(
  'from to cc subject date received return-path message-id mime-version content-type delivered-to reply-to sender x-mailer dkim-signature'.split(
    ' ',
  ),
);

/** Header lines from the first line on, two of them known; one is enough for a file that calls itself a mail. */
function isMail(start: string, hint: string): boolean {
  const known = new Set<string>();
  const lines = start.slice(0, 16 * 1024).split(/\r?\n|\r/);
  if (/^From \S+/.test(lines[0]!)) lines.shift();
  for (const line of lines) {
    if (/^[ \t]/.test(line)) continue;
    const name = /^([!-9;-~]{1,76}):(?:\s|$)/.exec(line)?.[1]?.toLowerCase();
    if (name === undefined) break;
    if (mailFields.has(name)) known.add(name);
  }
  return known.size >= (hint === 'eml' || hint === 'mht' || hint === 'mhtml' ? 1 : 3);
}

function startsWith(bytes: Uint8Array, signature: string): boolean {
  return latin1(bytes.subarray(0, signature.length)) === signature;
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
