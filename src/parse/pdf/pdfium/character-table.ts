/**
 * Adobe's character collections, as PDFium knows them: which character a glyph number (CID) of Chinese, Japanese and Korean fonts
 * stands for. PDFium has these tables inside, 30,000 glyphs each, and no function that gives them; so it is given a page on which every
 * glyph stands at its own place, and asked what it reads there.
 */
import { DocumentError } from '../../../errors.ts';
import type { CharacterTable, Collection } from '../character-tables.ts';
import type { Pdfium } from './pdfium.ts';

type Pointer = number;

/** Glyphs of each that PDFium knows. */
const sizes: Readonly<Record<Collection, number>> = { GB1: 30_284, CNS1: 19_088, Japan1: 15_444, Korea1: 18_352 };
/** Glyphs of a line, and points from each to the next, which is as wide as it is set. */
const columns = 256;
const pitch = 10;

/**
 * May be called while a document is open. Cost: about 30 ms, the first time 100.
 * @throws DocumentError `limit_exceeded` | `corrupt` when PDFium has no memory left for it
 */
export function readCharacterTable(pdfium: Pdfium, collection: Collection): CharacterTable {
  const { call } = pdfium;
  const sample = sampleOf(collection);
  return pdfium.explained(() => {
    const data = call.malloc(sample.length);
    pdfium.bytes.set(sample, data);
    const document = call.FPDF_LoadMemDocument(data, sample.length, 0);
    const page = call.FPDF_LoadPage(document, 0);
    const text = call.FPDFText_LoadPage(page);
    if (text === 0) throw new DocumentError('limit_exceeded', 'PDFium has no memory left for the table of a font');
    const table = readTable(pdfium, text, sizes[collection]);
    call.FPDFText_ClosePage(text);
    call.FPDF_ClosePage(page);
    call.FPDF_CloseDocument(document);
    call.free(data);
    return table;
  });
}

/** Of a ligature PDFium gives each letter, all of them at its place. */
function readTable(pdfium: Pdfium, text: Pointer, size: number): CharacterTable {
  const { call, scratch } = pdfium;
  const table = Array.from({ length: size }, () => '');
  const count = call.FPDFText_CountChars(text);
  for (let index = 0; index < count; index++) {
    if (call.FPDFText_HasUnicodeMapError(text, index) === 1) continue;
    const code = call.FPDFText_GetUnicode(text, index);
    if (code < 32 || code === 0xfffd || call.FPDFText_GetCharOrigin(text, index, scratch, scratch + 8) !== 1) continue;
    const cid = Math.round(pdfium.double(scratch) / pitch) + columns * Math.round(pdfium.double(scratch + 8) / pitch);
    table[cid] += String.fromCodePoint(code);
  }
  return table;
}

/** A PDF of one page. */
function sampleOf(collection: Collection): Buffer {
  const lines: string[] = [];
  const size = sizes[collection];
  for (let first = 0; first < size; first += columns) {
    const line = Array.from({ length: Math.min(columns, size - first) }, (_, column) =>
      (first + column).toString(16).padStart(4, '0'),
    );
    lines.push(`1 0 0 1 0 ${(first / columns) * pitch} Tm <${line.join('')}> Tj`);
  }
  const content = `BT /F 1 Tf ${lines.join('\n')} ET`;
  const side = columns * pitch;
  const system = `/CIDSystemInfo << /Registry (Adobe) /Ordering (${collection}) /Supplement 0 >>`;
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${side} ${side}] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>`,
    `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    '<< /Type /Font /Subtype /Type0 /BaseFont /Sample /Encoding /Identity-H /DescendantFonts [6 0 R] >>',
    `<< /Type /Font /Subtype /CIDFontType0 /BaseFont /Sample /FontDescriptor 7 0 R ${system} /DW ${pitch * 1000} >>`,
    '<< /Type /FontDescriptor /FontName /Sample /Flags 4 /FontBBox [0 0 1000 1000] /ItalicAngle 0 /Ascent 800 /Descent -200 /CapHeight 800 /StemV 80 >>',
  ];
  let file = '%PDF-1.4\n';
  const offsets = objects.map((object, index) => {
    const offset = file.length;
    file += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return offset;
  });
  const entries = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  const table = `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${entries}`;
  return Buffer.from(
    `${file}${table}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${file.length}\n%%EOF\n`,
    'latin1',
  );
}
