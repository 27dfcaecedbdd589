/** A PDF whose streams and objects are to the letter what a test gives, unpacked, so that its size is the text's. */

/** `text` gives a part: content of the first page, of further pages (a line each), a ToUnicode map, widths, objects, a form, an outline. */
export function rawPdf(text: (part: string) => string): Buffer {
  const objects: string[] = [];
  const put = (id: number, body: string): void => void (objects[id] = body);
  const stream = (id: number, data: string, more = ''): void =>
    put(id, `<</Length ${Buffer.byteLength(data, 'latin1')} ${more}>>\nstream\n${data}\nendstream`);
  const resources = '<</Font <</F1 4 0 R /F2 5 0 R>> /XObject <</X1 8 0 R>>>>';
  const more = text('pages').split('\n').slice(0, -1);
  const kids = [3, ...more.map((_, at) => 20 + 2 * at)];
  put(1, '<</Type /Catalog /Pages 2 0 R /Outlines 10 0 R>>');
  put(2, `<</Type /Pages /Count ${kids.length} /Kids [${kids.map((id) => `${id} 0 R`).join(' ')}]>>`);
  put(3, `<</Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources ${resources} /Contents 6 0 R>>`);
  put(4, '<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>');
  put(
    5,
    `<</Type /Font /Subtype /TrueType /BaseFont /Own /FirstChar 0 /LastChar 255 /Widths [${text('widths')}] /ToUnicode 7 0 R>>`,
  );
  stream(6, `BT /F1 9 Tf 72 700 Td (start) Tj\n${text('content')}`);
  stream(
    7,
    `/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <00> <ff> endcodespacerange ${text('unicode')} endcmap`,
  );
  stream(8, `BT /F1 9 Tf ${text('form')}`, `/Type /XObject /Subtype /Form /BBox [0 0 612 792] /Resources ${resources}`);
  put(9, `[${text('outline')}]`);
  put(10, '<</Type /Outlines /First 11 0 R /Last 11 0 R>>');
  put(11, '<</Title (a) /Parent 10 0 R /Next 11 0 R /Dest [3 0 R /Fit]>>');
  for (const [at, content] of more.entries()) {
    put(20 + 2 * at, `<</Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources ${resources} /Contents ${21 + 2 * at} 0 R>>`);
    stream(21 + 2 * at, content);
  }
  const pieces = ['%PDF-1.7\n'];
  let length = pieces[0]!.length;
  const add = (piece: string): void => {
    pieces.push(piece);
    length += Buffer.byteLength(piece, 'latin1');
  };
  add(text('objects'));
  const offsets: number[] = [];
  for (const [id, body] of objects.entries()) {
    if (body === undefined) continue;
    offsets[id] = length;
    add(`${id} 0 obj\n${body}\nendobj\n`);
  }
  const start = length;
  add(`xref\n0 ${objects.length}\n0000000000 65535 f \n`);
  for (let id = 1; id < objects.length; id++)
    add(offsets[id] === undefined ? '0000000000 00000 f \n' : `${String(offsets[id]).padStart(10, '0')} 00000 n \n`);
  add(`trailer\n<</Size ${objects.length} /Root 1 0 R>>\nstartxref\n${start}\n%%EOF\n`);
  return Buffer.from(pieces.join(''), 'latin1');
}
