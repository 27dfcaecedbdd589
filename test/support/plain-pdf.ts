/** PDFs written by hand, object by object, and what the reader of plain files and PDFium make of a PDF. */
import { expect } from 'vitest';
import type { CharacterTable, CharacterTables, Collection } from '../../src/parse/pdf/character-tables.ts';
import { readCharacterTable } from '../../src/parse/pdf/pdfium/character-table.ts';
import { loadPdfium, type Pdfium } from '../../src/parse/pdf/pdfium/pdfium.ts';
import { openPdfiumSource } from '../../src/parse/pdf/pdfium/pdfium-source.ts';
import type { PdfSource } from '../../src/parse/pdf/pdf-source.ts';
import { openPlainSource } from '../../src/parse/pdf/fast-path/plain-source.ts';

/** Text is Latin-1: one character a byte. */
export type PdfText = {
  /** Where each object begins; of one that is written twice, the last. */
  readonly offsets: ReadonlyMap<number, number>;
  object(number: number, body: string): void;
  /** A classic table; entries are an object's number and its offset, or `null` when it is free. @returns where it begins */
  table(entries: readonly (readonly [number, number | null])[], trailer: string): number;
  /** A table stream; entries are an object's number, and its type and two fields. @returns where it begins */
  tableStream(number: number, entries: readonly (readonly [number, number, number, number])[], dictionary: string): number;
  /** @param table where the newest begins */
  finish(table: number): Buffer;
};

export function createPdfText(): PdfText {
  let text = '%PDF-1.7\n';
  const offsets = new Map<number, number>();
  const pdf: PdfText = {
    offsets,
    object(number, body) {
      offsets.set(number, text.length);
      text += `${number} 0 obj\n${body}\nendobj\n`;
    },
    table(entries, trailer) {
      const start = text.length;
      const rows = entries.map(
        ([number, offset]) => `${number} 1\n${String(offset ?? 0).padStart(10, '0')} 00000 ${offset === null ? 'f' : 'n'} \n`,
      );
      text += `xref\n${rows.join('')}trailer\n<< ${trailer} >>\n`;
      return start;
    },
    tableStream(number, entries, dictionary) {
      const data = Buffer.alloc(entries.length * 7);
      for (const [index, [, type, second, third]] of entries.entries()) {
        data.writeUInt8(type, index * 7);
        data.writeUInt32BE(second, index * 7 + 1);
        data.writeUInt16BE(third, index * 7 + 5);
      }
      const index = entries.map(([each]) => `${each} 1`).join(' ');
      pdf.object(number, pdfStream(data.toString('latin1'), `/Type /XRef /W [1 4 2] /Index [${index}] ${dictionary}`));
      return offsets.get(number)!;
    },
    finish: (table) => Buffer.from(`${text}startxref\n${table}\n%%EOF\n`, 'latin1'),
  };
  return pdf;
}

export function pdfStream(data: string, dictionary = ''): string {
  return `<< /Length ${data.length} ${dictionary} >>\nstream\n${data}\nendstream`;
}

/** A file of these objects, numbered from 1, which is the catalog. */
export function pdfOfObjects(objects: readonly string[], trailer = ''): Buffer {
  const pdf = createPdfText();
  for (const [index, body] of objects.entries()) pdf.object(index + 1, body);
  return pdf.finish(pdf.table([[0, null], ...pdf.offsets], `/Size ${objects.length + 1} /Root 1 0 R ${trailer}`));
}

export type ContentOptions = {
  /** Entries of the page's fonts beside `/F1`, which is Helvetica. */ readonly fonts?: string;
  /** More entries of the page's resources. */ readonly resources?: string;
  /** More entries of the page. */ readonly page?: string;
  /** More entries of the catalog. */ readonly catalog?: string;
  /** Numbered from 6. */ readonly objects?: readonly string[];
};

/** A file of one page with this content. */
export function pdfOfContent(content: string, { fonts, resources, page, catalog, objects }: ContentOptions = {}): Buffer {
  return pdfOfObjects([
    `<< /Type /Catalog /Pages 2 0 R ${catalog ?? ''} >>`,
    '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R ${page ?? ''}
/Resources << /Font << /F1 5 0 R ${fonts ?? ''} >> ${resources ?? ''} >> >>`,
    pdfStream(content),
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>',
    ...(objects ?? []),
  ]);
}

/** What both readers must agree on. */
export type Reading = {
  readonly said: readonly string[];
  readonly bookmarks: readonly unknown[];
  readonly pages: readonly PageReading[];
};

export type PageReading = {
  /** Of each frame, its lines as `text` or `*text*` where it is bold, with their size and place in whole points. */
  readonly spans: readonly (readonly string[])[];
  /** Of each frame, as `[x1, y1, x2, y2]`, in an order that depends on their places only. */
  readonly rules: readonly (readonly (readonly number[])[])[];
};

let pdfium: Pdfium | undefined;
const tables = new Map<Collection, CharacterTable>();

export const characterTables: CharacterTables = {
  get: (collection) => tables.get(collection),
  load: async (collection) => void tables.set(collection, readCharacterTable((pdfium ??= await loadPdfium()), collection)),
};

/** @throws NotPlain */
export async function readPlainly(path: string, pagesMax = 100): Promise<Reading> {
  return readingOf(openPlainSource(path, pagesMax, characterTables));
}

/** Numbers become matchers: PDFium's boxes of strokes are up to a point wider. */
export async function readByPdfium(path: string): Promise<Reading> {
  const source = openPdfiumSource((pdfium ??= await loadPdfium()), path, 512);
  try {
    const { pages, ...rest } = await readingOf(source);
    const nearly = (numbers: readonly number[]): number[] => numbers.map((each) => expect.closeTo(each, -0.4) as number);
    return { ...rest, pages: pages.map(({ spans, rules }) => ({ spans, rules: rules.map((frame) => frame.map(nearly)) })) };
  } finally {
    source.close();
  }
}

async function readingOf(source: PdfSource): Promise<Reading> {
  const pages: PageReading[] = [];
  for (let number = 1; number <= source.pageCount; number++) pages.push(await pageReadingOf(source, number));
  return { said: [source.title(), source.author(), source.language()], bookmarks: source.bookmarks(), pages };
}

async function pageReadingOf(source: PdfSource, number: number): Promise<PageReading> {
  const bounds = { glyphsMax: 1_000_000, charactersMax: 1_000_000, checkTime: () => undefined, isLate: () => false };
  const page = await source.readPage(number, bounds, () => []);
  if (page === undefined) throw new Error(`Page ${number} could not be loaded`);
  const { frames } = page.text;
  return {
    spans: frames.map(({ spans }) =>
      spans.map(
        ({ text, bold, size, baseline }) => `${bold ? `*${text}*` : text} (${Math.round(size)} at ${Math.round(baseline)})`,
      ),
    ),
    rules: frames.map(({ rules }) => rules.map((rule) => [rule.x1, rule.y1, rule.x2, rule.y2]).sort((a, b) => rank(a) - rank(b))),
  };
}

/** Lines that lie apart are far apart here, for both readers. */
function rank(numbers: readonly number[]): number {
  return numbers.reduce((sum, each, index) => sum + each * (2 * index + 1), 0);
}

/** The lines of a page, without their size and place. */
export function linesOf({ spans }: PageReading): string[] {
  return spans.flat().map((line) => line.replace(/ \(\d+ at -?\d+\)$/, ''));
}
