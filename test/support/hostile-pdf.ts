/** PDF files that mean harm, each small and made by a function: bombs, loops, lies and rubbish. */
import { constants, deflateRawSync } from 'node:zlib';

/** A page tree whose node is its own child. */
export function loopingPageTree(): Buffer {
  return pdfOf(['<< /Type /Catalog /Pages 2 0 R >>', '<< /Type /Pages /Count 3 /Kids [2 0 R 3 0 R 2 0 R] >>', emptyPage(2)]);
}

/** A million pages: 100 × 100 × 100 references to one. */
export function millionPageTree(): Buffer {
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
export function missingPages(): Buffer {
  return pdfOf(['<< /Type /Catalog /Pages 2 0 R >>', '<< /Type /Pages /Count 900 /Kids [3 0 R] >>', emptyPage(2)]);
}

/** One page whose content stream unpacks to `times` MiB of `operators` repeated. */
export function contentBomb(operators: string, times: number): Buffer {
  const resources = '<< /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>';
  return pdfOf([
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R /Resources ${resources} >>`,
    streamOf(mebibytesOf(operators, times), '/Filter /FlateDecode'),
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
export function cmapBomb(): Buffer {
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
export function hugePicture(): Buffer {
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
export function deepArrays(): Buffer {
  return pdfOf([
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Count 1 /Kids ${'['.repeat(100_000)}${']'.repeat(100_000)} >>`,
  ]);
}

/** Bookmarks that follow each other in a circle. */
export function loopingOutline(): Buffer {
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
