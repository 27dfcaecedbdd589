/** PDF files that mean harm, each small and made by a function: bombs, loops, lies and rubbish. */
import { constants, deflateRawSync } from 'node:zlib';
import type { HostileFile } from './hostile-file.ts';
import { makePdf } from './pdf-writer.ts';

/** All of them. */
export function hostilePdfFiles(): HostileFile[] {
  // Whichever is met first: the page's time, or the memory.
  const bounded = /^(?:timeout|limit_exceeded): .*(?:PAGE_TIMEOUT_MS|MAX_PDF_MEMORY_MB|MAX_CHARACTERS)/;
  const textless = /^(?:no_text|corrupt): /;
  const text = 'BT /F1 1 Tf (AAAAAAAAAAAAAAAAAAAAAAAA) Tj ET ';
  const locked = { pages: [['Nobody reads this']], userPassword: 'secret' };
  return [
    { name: 'a page tree that holds itself.pdf', bytes: loopingPageTree, ends: textless },
    { name: 'a tree of a million pages.pdf', bytes: millionPageTree, ends: /^limit_exceeded: .*MAX_PAGES/ },
    { name: 'pages that are not there.pdf', bytes: missingPages, ends: textless },
    { name: 'a gigabyte of spaces.pdf', bytes: () => contentBomb(' ', 1024), ends: bounded },
    { name: 'a gigabyte of text.pdf', bytes: () => contentBomb(text, 1024), ends: bounded },
    { name: 'a gigabyte of lines.pdf', bytes: () => contentBomb('0 0 m 9 9 l S ', 1024), ends: bounded },
    { name: 'a gigabyte of saved states.pdf', bytes: () => contentBomb('q ', 1024), ends: bounded },
    { name: 'forms in forms, ten to the ninth.pdf', bytes: () => formBomb(9), ends: bounded },
    { name: 'forms in forms, thirty deep.pdf', bytes: () => formBomb(30), ends: bounded },
    {
      name: 'a gigabyte of wrong letters.pdf',
      bytes: () => contentBomb(`BT /F1 1 Tf <${'d6d0b9fa'.repeat(20)}> Tj ET `, 1024),
      ends: bounded,
    },
    { name: 'a page of 3,000 fonts with wrong letters.pdf', bytes: pageOfWrongFonts, ends: 'read' },
    { name: '600 pages of as many fonts with wrong letters.pdf', bytes: pagesOfWrongFonts, ends: 'read' },
    { name: 'a character map of billions.pdf', bytes: cmapBomb, ends: /^(?:no_text: |read)/ },
    { name: 'a picture of 2.5 gigapixels.pdf', bytes: hugePicture, ends: /^no_text: / },
    { name: 'arrays 100,000 deep.pdf', bytes: deepArrays, ends: textless },
    { name: 'bookmarks in a circle.pdf', bytes: loopingOutline, ends: 'read' },
    {
      name: 'half.pdf',
      bytes: () => cut(makePdf({ pages: [['The first page'], ['The second']] })),
      ends: /^(?:read|corrupt: |no_text: )/,
    },
    { name: 'locked.pdf', bytes: () => makePdf(locked), ends: /^encrypted: / },
  ];
}

function cut(whole: Buffer): Buffer {
  return whole.subarray(0, whole.length / 2);
}

/** A page tree whose node is its own child. */
function loopingPageTree(): Buffer {
  return pdfOf(['<< /Type /Catalog /Pages 2 0 R >>', '<< /Type /Pages /Count 3 /Kids [2 0 R 3 0 R 2 0 R] >>', emptyPage(2)]);
}

/** A million pages: 100 × 100 × 100 references to one. */
function millionPageTree(): Buffer {
  const kids = (id: number) => Array.from({ length: 100 }, () => `${id} 0 R`).join(' ');
  return pdfOf([
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Count 1000000 /Kids [${kids(3)}] >>`,
    `<< /Type /Pages /Parent 2 0 R /Count 10000 /Kids [${kids(4)}] >>`,
    `<< /Type /Pages /Parent 3 0 R /Count 100 /Kids [${kids(5)}] >>`,
    emptyPage(4),
  ]);
}

/** One page that says it is one of 900: all the others are missing. */
function missingPages(): Buffer {
  return pdfOf(['<< /Type /Catalog /Pages 2 0 R >>', '<< /Type /Pages /Count 900 /Kids [3 0 R] >>', emptyPage(2)]);
}

/** One page whose content stream unpacks to `times` MiB of `operators` repeated. */
function contentBomb(operators: string, times: number): Buffer {
  const resources = '<< /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>';
  return pdfOf([
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R /Resources ${resources} >>`,
    streamOf(mebibytesOf(operators, times), '/Filter /FlateDecode'),
  ]);
}

/** Each font has its own letters, which are wrong in ways that look alike: bytes of GBK, Russian, glyphs by their number. */
function pageOfWrongFonts(): Buffer {
  const texts = [
    'd6d0b9fac8cbc3f1b9b2bacdb9fa',
    'eec5ced1d4c5d420d5d4d7c5d2c4c9cc',
    '374b48035458 4c464e0349525b'.replace(' ', ''),
  ];
  const count = 3000;
  const fonts = Array.from({ length: count }, (_, at) => `/F${at} ${5 + at} 0 R`).join(' ');
  const shown = Array.from({ length: count }, (_, at) => `/F${at} 2 Tf <${texts[at % 3]!.repeat(4)}> Tj 0 -0.2 Td`);
  return pdfOf([
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R /Resources << /Font << ${fonts} >> >> >>`,
    streamOf(Buffer.from(`BT 20 780 Td ${shown.join('\n')} ET`)),
    ...Array.from({ length: count }, () => '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>'),
  ]);
}

/** Each page has a font of its own, which is certain, and has the others too, each with a glyph. */
function pagesOfWrongFonts(): Buffer {
  const count = 600;
  const fonts = Array.from({ length: count }, (_, at) => `/F${at} ${4 + at} 0 R`).join(' ');
  const others = Array.from({ length: count }, (_, at) => `/F${at} 2 Tf <d6d0> Tj`).join(' ');
  const page = (at: number) =>
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Resources 3 0 R /Contents [${4 + count} 0 R ${5 + count + 2 * at} 0 R] >>`;
  const pages = Array.from({ length: count }, (_, at) => [
    streamOf(Buffer.from(`BT 20 700 Td /F${at} 2 Tf <${'d6d0b9fac8cbc3f1b9b2bacdb9fa'.repeat(4)}> Tj ET`)),
    page(at),
  ]).flat();
  return pdfOf([
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Count ${count} /Kids [${Array.from({ length: count }, (_, at) => `${6 + count + 2 * at} 0 R`).join(' ')}] >>`,
    `<< /Font << ${fonts} >> >>`,
    ...Array.from({ length: count }, () => '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>'),
    streamOf(Buffer.from(`BT 20 780 Td ${others} ET`)),
    ...pages,
  ]);
}

/** Forms that draw the next one ten times, `levels` deep. */
export function formBomb(levels: number): Buffer {
  const forms = Array.from({ length: levels }, (_, level) => {
    const next = level + 1 < levels ? `/Resources << /XObject << /X ${5 + level} 0 R >> >>` : '';
    const content = level + 1 < levels ? '/X Do '.repeat(10) : '0 0 m 9 9 l S';
    return streamOf(Buffer.from(content), `/Type /XObject /Subtype /Form /BBox [0 0 600 800] ${next}`);
  });
  return pdfOf([
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents ${4 + levels} 0 R /Resources << /XObject << /X 4 0 R >> >> >>`,
    ...forms,
    streamOf(Buffer.from('/X Do '.repeat(10))),
  ]);
}

/** A font whose ToUnicode map claims billions of codes, thousands of times. */
function cmapBomb(): Buffer {
  const ranges =
    '100 beginbfrange\n' + '<00000000> <ffffffff> <0041>\n<0000> <ffff> <00410042004300440045>\n'.repeat(50) + 'endbfrange\n';
  const cids = '100 begincidrange\n' + '<00000000> <ffffffff> 0\n'.repeat(100) + 'endcidrange\n';
  const cmap = `/CIDInit /ProcSet findresource begin 12 dict begin begincmap 1 begincodespacerange <00> <ffffffff> endcodespacerange\n${(ranges + cids).repeat(20)}endcmap end end`;
  return pdfOf([
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    streamOf(Buffer.from('BT /F1 12 Tf 72 700 Td <004100420043> Tj ET')),
    '<< /Type /Font /Subtype /Type0 /BaseFont /A /Encoding 7 0 R /DescendantFonts [6 0 R] /ToUnicode 7 0 R >>',
    '<< /Type /Font /Subtype /CIDFontType2 /BaseFont /A /CIDSystemInfo << /Registry (A) /Ordering (B) /Supplement 0 >> >>',
    streamOf(Buffer.from(cmap)),
  ]);
}

/** A picture of 50,000 × 50,000 points, said in a few bytes. */
function hugePicture(): Buffer {
  return pdfOf([
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R /Resources << /XObject << /I 5 0 R >> >> >>',
    streamOf(Buffer.from('600 0 0 800 0 0 cm /I Do')),
    streamOf(
      mebibytesOf('\0', 1),
      '/Type /XObject /Subtype /Image /Width 50000 /Height 50000 /ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /FlateDecode',
    ),
  ]);
}

/** Arrays in arrays, 100,000 deep, where a page is expected. */
function deepArrays(): Buffer {
  return pdfOf([
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Count 1 /Kids ${'['.repeat(100_000)}${']'.repeat(100_000)} >>`,
  ]);
}

/** Bookmarks that follow each other in a circle. */
function loopingOutline(): Buffer {
  return pdfOf([
    '<< /Type /Catalog /Pages 2 0 R /Outlines 4 0 R >>',
    '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 7 0 R /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>',
    '<< /Type /Outlines /First 5 0 R /Last 6 0 R /Count 2 >>',
    '<< /Title (One) /Parent 4 0 R /Next 6 0 R /First 5 0 R /Dest [3 0 R /Fit] >>',
    '<< /Title (Two) /Parent 4 0 R /Next 5 0 R /First 4 0 R /Dest [3 0 R /Fit] >>',
    streamOf(Buffer.from('BT /F1 12 Tf 72 700 Td (Still readable) Tj ET')),
  ]);
}

function emptyPage(parent: number): string {
  return `<< /Type /Page /Parent ${parent} 0 R /MediaBox [0 0 600 800] >>`;
}

function streamOf(data: Buffer, dictionary = ''): Buffer {
  return Buffer.concat([Buffer.from(`<< /Length ${data.length} ${dictionary} >>\nstream\n`), data, Buffer.from('\nendstream')]);
}

/** A zlib stream of `times` MiB: one packed MiB, said over and over, so that making it costs nothing. */
function mebibytesOf(text: string, times: number): Buffer {
  const plain = Buffer.alloc(1024 * 1024, text);
  const packed = deflateRawSync(plain, { level: 9, finishFlush: constants.Z_FULL_FLUSH });
  return Buffer.concat([
    Buffer.from([0x78, 0xda]),
    ...Array.from({ length: times }, () => packed),
    Buffer.from([3, 0, 0, 0, 0, 0]),
  ]);
}

/** A file of these objects, numbered from 1; the first is the catalog. */
function pdfOf(objects: readonly (string | Buffer)[]): Buffer {
  const parts: Buffer[] = [Buffer.from('%PDF-1.7\n')];
  let length = parts[0]!.length;
  const offsets: number[] = [];
  for (const [index, body] of objects.entries()) {
    offsets.push(length);
    const part = Buffer.concat([
      Buffer.from(`${index + 1} 0 obj\n`),
      typeof body === 'string' ? Buffer.from(body) : body,
      Buffer.from('\nendobj\n'),
    ]);
    parts.push(part);
    length += part.length;
  }
  const table = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  const size = objects.length + 1;
  parts.push(
    Buffer.from(
      `xref\n0 ${size}\n0000000000 65535 f \n${table}trailer\n<< /Size ${size} /Root 1 0 R >>\nstartxref\n${length}\n%%EOF\n`,
    ),
  );
  return Buffer.concat(parts);
}
