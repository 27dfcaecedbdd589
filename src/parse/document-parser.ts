/**
 * The parser of all formats: recognises the file by its content, then hands it to the parser of that format. Each of those is
 * loaded when the first file of its kind comes, so a thread holds only what it uses.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DocumentError } from '../errors.ts';
import { describeCompoundFile, type CompoundKind } from './containers/compound-file.ts';
import { detectFormat, isText, unreadKind, unreadKinds } from './detect.ts';
import { canonicalEncoding } from './text/encoding.ts';
import { charsetOf } from './input.ts';
import { guessLanguage } from './text/language.ts';
import type { NoOcr, Ocr } from './images/ocr.ts';
import type { ParsedDocument, ParseInput, Parser } from './parser.ts';
import type { ReadFormat } from './reading.ts';

export type DocumentParserOptions = {
  /** Reads pictures and scanned pages; without it they end in a sentence. */
  readonly ocr?: Ocr | null;
  /** Why there is none. Absent: it is not installed. */
  readonly withoutOcr?: NoOcr;
};

/** A document, and which format it turned out to have. */
export type RecognisedDocument = ParsedDocument & { readonly format: ReadFormat };

export interface DocumentParser extends Parser {
  parse(input: ParseInput): Promise<RecognisedDocument>;
}

/**
 * Reads any supported file.
 * @throws DocumentError `unsupported_format` (`Unsupported file format: {filename}`), `encrypted`, and what the parsers throw.
 */
export function createDocumentParser(options: DocumentParserOptions): DocumentParser {
  const loaded = new Map<ReadFormat, Promise<Parser>>();
  const whole: DocumentParser = { parse };
  const { ocr = null, withoutOcr } = options;
  const seeing = { ...(ocr === null ? {} : { ocr }), ...(withoutOcr === undefined ? {} : { withoutOcr }) };
  return whole;

  async function parse(input: ParseInput): Promise<RecognisedDocument> {
    const format = await detectFormat(input);
    if (format === 'unsupported') throw unsupported(input, await unreadKind(input));
    if (format === 'compound') throw refusal(describeCompoundFile(input.bytes ?? input.path), input);
    const parser = await parserOf(format);
    const parsed = await onPages(format, input, () =>
      format === 'pdf' ? withPath(input, (onDisk) => parser.parse(onDisk)) : parser.parse(input),
    );
    if (parsed.blocks.length === 0) throw new DocumentError('no_text', `No text found in ${input.filename}`);
    const warnings = [...(isText(format) ? warningsOf(input) : []), ...parsed.warnings];
    return { ...parsed, format, warnings, language: parsed.language ?? guessLanguage(parsed.markdown) };
  }

  function parserOf(format: ReadFormat): Promise<Parser> {
    const known = loaded.get(format) ?? load(format);
    loaded.set(format, known);
    // A disk that could not be read now may be read later.
    known.catch(() => loaded.delete(format));
    return known;
  }

  async function load(format: ReadFormat): Promise<Parser> {
    switch (format) {
      case 'pdf':
        return (await import('./pdf/pdf-parser.ts')).createPdfParser({ parts: whole, ...seeing });
      case 'docx':
        return (await import('./office/word/docx-parser.ts')).createDocxParser(whole);
      case 'pptx':
        return (await import('./office/slides/pptx-parser.ts')).createPptxParser(whole);
      case 'xlsx':
        return (await import('./office/sheets/xlsx-parser.ts')).createXlsxParser(whole);
      case 'xlsb':
        return (await import('./office/sheets/xlsb-parser.ts')).createXlsbParser(whole);
      case 'doc':
        return (await import('./office/word/doc-parser.ts')).createDocParser(whole);
      case 'ppt':
        return (await import('./office/slides/ppt-parser.ts')).createPptParser(whole);
      case 'xls':
        return (await import('./office/sheets/xls-parser.ts')).createXlsParser(whole);
      case 'odt':
      case 'ods':
      case 'odp':
        return (await import('./office/opendocument/odf-parser.ts')).createOdfParser(whole);
      case 'flat-odf':
        return (await import('./office/opendocument/odf-parser.ts')).createFlatOdfParser();
      case 'office-xml':
        return (await import('./office/office-xml-parser.ts')).createOfficeXmlParser(whole);
      case 'sheet-xml':
        return (await import('./office/sheets/sheet-xml-parser.ts')).createSheetXmlParser();
      case 'epub':
        return (await import('./epub/epub-parser.ts')).createEpubParser();
      case 'ofd':
        return (await import('./ofd/ofd-parser.ts')).createOfdParser({ parts: whole, ...seeing });
      case 'xps':
        return (await import('./xps/xps-parser.ts')).createXpsParser(seeing);
      case 'html':
        return (await import('./html/html-parser.ts')).createHtmlParser();
      case 'markdown':
        return (await import('./markdown/markdown-parser.ts')).createMarkdownParser();
      case 'rtf':
        return (await import('./rtf/rtf-parser.ts')).createRtfParser();
      case 'eml':
        return (await import('./mail/mail-parser.ts')).createMailParser(whole);
      case 'msg':
        return (await import('./mail/msg-parser.ts')).createMsgParser(whole);
      case 'ole-package':
        return (await import('./office/ole-package-parser.ts')).createOlePackageParser(whole);
      case 'encrypted-ooxml':
        return { parse: (input) => readProtected(input, whole) };
      case 'mbox':
        return (await import('./mail/mbox-parser.ts')).createMboxParser(whole);
      case 'cms':
        return (await import('./mail/cms-parser.ts')).createCmsParser(whole);
      case 'tnef':
        return (await import('./mail/tnef-parser.ts')).createTnefParser(whole);
      case 'zip':
        return (await import('./archives/archive-parser.ts')).createZipParser(whole);
      case '7z':
        return (await import('./archives/seven-zip-parser.ts')).createSevenZipParser(whole);
      case 'tar':
        return (await import('./archives/tar-parser.ts')).createTarParser(whole);
      case 'gzip':
        return (await import('./archives/tar-parser.ts')).createGzipParser(whole);
      case 'csv':
        return (await import('./text/csv-parser.ts')).createCsvParser();
      case 'json':
        return (await import('./text/json-parser.ts')).createJsonParser();
      case 'xml':
        return (await import('./text/xml-parser.ts')).createXmlParser();
      case 'calendar':
        return (await import('./text/calendar-parser.ts')).createCalendarParser();
      case 'contacts':
        return (await import('./text/contacts-parser.ts')).createContactsParser();
      case 'subtitles':
        return (await import('./text/subtitles-parser.ts')).createSubtitlesParser();
      case 'image':
        return (await import('./images/image-parser.ts')).createImageParser(ocr, withoutOcr);
      case 'text':
        return (await import('./text/text-parser.ts')).createTextParser();
    }
  }
}

/** Pages of paper or of a screen, with a time limit each. A sheet or a chapter may be as long as a whole file. */
const formatsWithPages: readonly ReadFormat[] = ['pdf', 'pptx', 'ppt', 'odp', 'ofd', 'xps'];

async function onPages<T>(format: ReadFormat, input: ParseInput, read: () => Promise<T>): Promise<T> {
  if (!formatsWithPages.includes(format)) return read();
  input.onPages?.(true);
  try {
    return await read();
  } finally {
    input.onPages?.(false);
  }
}

/** An office file under a password, once it is open, as if it came by itself. */
async function readProtected(input: ParseInput, whole: Parser): Promise<ParsedDocument> {
  const { decryptPackage } = await import('./office/encrypted-package.ts');
  const bytes = await decryptPackage(input);
  return whole.parse({ ...input, bytes, fileBytes: bytes.length });
}

/** For a parser that reads its file piece by piece from disk: what is only in memory gets a file for as long as it is read. */
async function withPath<T>(input: ParseInput, use: (onDisk: ParseInput) => Promise<T>): Promise<T> {
  if (input.bytes === undefined) return use(input);
  const folder = await mkdtemp(join(tmpdir(), 'rag-intake-'));
  try {
    const path = join(folder, 'attachment');
    await writeFile(path, input.bytes);
    const { bytes: _bytes, ...rest } = input;
    return await use({ ...rest, path });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function warningsOf(input: ParseInput): string[] {
  const charset = charsetOf(input);
  if (charset === null || canonicalEncoding(charset) !== null) return [];
  return [`The charset ${charset} that was sent with the file is unknown; its encoding was guessed`];
}

function unsupported(input: ParseInput, kind: keyof typeof unreadKinds | null = null): DocumentError {
  const said = kind === null ? '' : `. ${unreadKinds[kind]}`;
  return new DocumentError('unsupported_format', `Unsupported file format: ${input.filename}${said}`);
}

function refusal(kind: CompoundKind, input: ParseInput): DocumentError {
  return kind === 'works' ? new DocumentError('unsupported_format', unreadKinds.works) : unsupported(input);
}
