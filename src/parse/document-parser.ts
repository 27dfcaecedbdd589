/**
 * The parser of all formats: recognises the file by its content, then hands it to the parser of that format. Each of those is
 * loaded when the first file of its kind comes, so a thread holds only what it uses.
 */
import { DocumentError } from '../errors.ts';
import { detectFormat, type Format } from './detect.ts';
import { guessLanguage } from './language.ts';
import type { Ocr } from './ocr.ts';
import { describeCompoundFile, type CompoundKind } from './office/cfb.ts';
import type { ParsedDocument, ParseInput, Parser } from './parser.ts';

export type DocumentParserOptions = {
  /** Reads pictures and scanned pages; without it they end in a sentence. */
  readonly ocr?: Ocr;
};

/**
 * Reads any supported file.
 * @throws DocumentError `unsupported_format` (`Unsupported file format: {filename}`), `encrypted`, and what the parsers throw.
 */
export function createDocumentParser(options: DocumentParserOptions): Parser {
  const loaded = new Map<Format, Promise<Parser>>();
  const whole: Parser = { parse };
  return whole;

  async function parse(input: ParseInput): Promise<ParsedDocument> {
    const format = await detectFormat(input);
    if (format === 'unsupported') throw unsupported(input);
    if (format === 'compound') throw refusal(describeCompoundFile(input.bytes ?? input.path), input);
    const parsed = await (await parserOf(format)).parse(input);
    return parsed.language === null ? { ...parsed, language: guessLanguage(parsed.markdown) } : parsed;
  }

  function parserOf(format: ReadableFormat): Promise<Parser> {
    const known = loaded.get(format) ?? load(format);
    loaded.set(format, known);
    return known;
  }

  async function load(format: ReadableFormat): Promise<Parser> {
    switch (format) {
      case 'html':
        return (await import('./html/html-parser.ts')).createHtmlParser();
      case 'markdown':
        return (await import('./markdown-parser.ts')).createMarkdownParser();
      case 'csv':
        return (await import('./csv-parser.ts')).createCsvParser();
      case 'json':
        return (await import('./json-parser.ts')).createJsonParser();
      default:
        return (await import('./text-parser.ts')).createTextParser();
    }
  }
}

type ReadableFormat = Exclude<Format, 'unsupported' | 'compound'>;

function unsupported(input: ParseInput): DocumentError {
  return new DocumentError('unsupported_format', `Unsupported file format: ${input.filename}`);
}

function refusal(kind: CompoundKind, input: ParseInput): DocumentError {
  if (kind === 'encrypted-ooxml') {
    return new DocumentError('encrypted', 'The file is protected by a password: remove the password and upload it again');
  }
  const known = oldFormats[kind];
  if (known === undefined) return unsupported(input);
  return new DocumentError(
    'unsupported_format',
    `${known.name} files are not read: save it as ${known.instead} and upload it again`,
  );
}

const oldFormats: Partial<Record<CompoundKind, { readonly name: string; readonly instead: string }>> = {
  doc: { name: 'Word 97–2003 (.doc)', instead: '.docx' },
  xls: { name: 'Excel 97–2003 (.xls)', instead: '.xlsx' },
  ppt: { name: 'PowerPoint 97–2003 (.ppt)', instead: '.pptx' },
  msg: { name: 'Outlook message (.msg)', instead: '.eml' },
};
