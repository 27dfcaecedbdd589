/**
 * A tiny PDF writer for tests: real text on real pages (English in a standard font, anything else in a font with a ToUnicode map),
 * placed lines, ruling lines, rotation, crop boxes, outline, form fields, a password, and any size on demand. Synchronous.
 */
import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';

/** A run of text at a place, in points from the lower left corner. */
export type PlacedText = {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  /** Points; 11 unless told. */ readonly size?: number;
  readonly bold?: boolean;
  /** Written top to bottom with a vertical CMap; `x`, `y` are the top of the column. */ readonly vertical?: boolean;
  /** Degrees, counter-clockwise. */ readonly angle?: number;
  /** Drawn with the invisible text mode, as under a scan. */ readonly invisible?: boolean;
  /**
   * Named wrongly, as some programs do: `bytes` of GBK in a font of Latin letters; the same in codes of two bytes (`pairs`); characters 29 too low
   * (`shifted`), or numbers of glyphs and nothing else (`numbers`).
   */
  readonly fault?: FontFault;
  /** Through this predefined CMap (and no ToUnicode), e.g. `UniGB-UCS2-H`: the encoding must be UCS-2. */ readonly cmap?: string;
};

export type FontFault = 'bytes' | 'pairs' | 'shifted' | 'numbers';

export type PdfPage = {
  /** One line under the other from the top, 11 points. */ readonly lines?: readonly string[];
  readonly texts?: readonly PlacedText[];
  /** Ruling lines `[x1, y1, x2, y2]`. */ readonly rules?: readonly (readonly [number, number, number, number])[];
  readonly width?: number;
  readonly height?: number;
  /** 0, 90, 180 or 270. */ readonly rotate?: number;
  readonly cropBox?: readonly [number, number, number, number];
  /** Text fields with values. */ readonly fields?: readonly {
    readonly name: string;
    readonly value: string;
    readonly y: number;
  }[];
  /** A picture over the whole page, as a scanner makes. */ readonly picture?: boolean;
  /** Pictures on parts of the page. */ readonly pictures?: readonly PdfPicture[];
  /** Texts that only the pictures of a signature field and of a stamp hold. */ readonly signature?: string;
  readonly stamp?: string;
  /** Areas `[left, bottom, right, top]` that lead to an address; several are lines of one link. */
  readonly links?: readonly { readonly target: string; readonly areas: readonly (readonly [number, number, number, number])[] }[];
  /** Files that hang on the page. */ readonly files?: readonly PdfFile[];
};

export type PdfPicture = {
  /** `[left, bottom, right, top]` */ readonly at: readonly [number, number, number, number];
  /** Grey, row by row from the top; noise unless told. */ readonly image?: {
    readonly width: number;
    readonly height: number;
    readonly pixels: Buffer;
  };
};

export type PdfFile = { readonly name: string; readonly data: Buffer };

export type PdfOptions = {
  /** A page is its lines, or says where things go. */
  readonly pages: readonly (readonly string[] | PdfPage)[];
  /** The file is made at least this many bytes long, by an object nobody refers to. */
  readonly padToBytes?: number;
  readonly title?: string;
  readonly author?: string;
  /** Bookmarks, one level. */
  readonly outline?: readonly { readonly title: string; readonly page: number }[];
  /** Needed to open the file (RC4, 40 bits). The empty string gives a file encrypted with no user password. */
  readonly userPassword?: string;
  /** Attached to the document; with `portfolio` it is nothing but their cover. */
  readonly files?: readonly PdfFile[];
  readonly portfolio?: boolean;
};

/** A valid PDF with these pages. */
export function makePdf(options: PdfOptions): Buffer {
  const writer = createObjectWriter(options.userPassword);
  const pages = options.pages.map((page) => (isLines(page) ? { lines: page } : page));
  const catalog = writer.reserve();
  const tree = writer.reserve();
  const fonts = addFonts(writer, pages);
  const fieldIds: number[] = [];
  const pageIds = pages.map((page) => addPage(writer, page, tree, fonts, fieldIds));
  writer.put(tree, `<< /Type /Pages /Count ${pageIds.length} /Kids [${pageIds.map((id) => `${id} 0 R`).join(' ')}] >>`);
  const outline = options.outline === undefined ? '' : ` /Outlines ${addOutline(writer, options.outline, pageIds)} 0 R`;
  const form =
    fieldIds.length === 0
      ? ''
      : ` /AcroForm << /Fields [${fieldIds.map((id) => `${id} 0 R`).join(' ')}] /DA (/F1 11 Tf 0 g) /DR << /Font << /F1 ${fonts.get('F1')} 0 R >> >> >>`;
  const files = (options.files ?? []).map((file) => `(${file.name.replace(/[^ -~]|[()\\]/g, '_')}) ${addFile(writer, file)} 0 R`);
  const names = files.length === 0 ? '' : ` /Names << /EmbeddedFiles << /Names [${files.join(' ')}] >> >>`;
  const collection = options.portfolio === true ? ' /Collection << /Type /Collection /View /D >>' : '';
  writer.put(catalog, `<< /Type /Catalog /Pages ${tree} 0 R${outline}${form}${names}${collection} >>`);
  const info = writer.reserve();
  writer.put(
    info,
    (id) =>
      `<< ${options.title === undefined ? '' : `/Title ${writer.text(options.title, id)} `}${options.author === undefined ? '' : `/Author ${writer.text(options.author, id)} `}>>`,
  );
  return writer.finish({ catalog, info, padToBytes: options.padToBytes ?? 0 });
}

type ObjectWriter = {
  reserve(): number;
  put(id: number, body: string | ((id: number) => string)): void;
  add(body: string): number;
  stream(data: Buffer, dictionary?: string): number;
  /** A text string as a hexadecimal UTF-16 literal, encrypted when the file is. */
  text(value: string, id: number): string;
  finish(end: { catalog: number; info: number; padToBytes: number }): Buffer;
};

const fileId = Buffer.from('0123456789abcdef0123456789abcdef', 'hex');

function createObjectWriter(userPassword: string | undefined): ObjectWriter {
  const bodies: (Buffer | undefined)[] = [];
  const encryption = userPassword === undefined ? undefined : encryptionOf(userPassword);
  const seal = (data: Buffer, id: number) => (encryption === undefined ? data : rc4(objectKey(encryption.key, id), data));

  const writer: ObjectWriter = {
    reserve: () => bodies.push(undefined),
    put(id, body) {
      bodies[id - 1] = Buffer.from(typeof body === 'string' ? body : body(id), 'latin1');
    },
    add(body) {
      const id = writer.reserve();
      writer.put(id, body);
      return id;
    },
    stream(data, dictionary = '') {
      const id = writer.reserve();
      const packed = seal(deflateSync(data), id);
      const head = `<< /Length ${packed.length} /Filter /FlateDecode ${dictionary} >>\nstream\n`;
      bodies[id - 1] = Buffer.concat([Buffer.from(head, 'latin1'), packed, Buffer.from('\nendstream')]);
      return id;
    },
    text: (value, id) =>
      `<${seal(Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(value, 'utf16le').swap16()]), id).toString('hex')}>`,
    finish({ catalog, info, padToBytes }) {
      let trailer = `/Root ${catalog} 0 R /Info ${info} 0 R /ID [<${fileId.toString('hex')}> <${fileId.toString('hex')}>]`;
      if (encryption !== undefined) trailer += ` /Encrypt ${writer.add(encryption.dictionary)} 0 R`;
      const written = bodies.reduce((bytes, body) => bytes + (body?.length ?? 0) + 40, 400);
      if (padToBytes > written) {
        const padding = Buffer.alloc(padToBytes - written + 400, 'padding ');
        const head = `<< /Length ${padding.length} >>\nstream\n`;
        bodies.push(Buffer.concat([Buffer.from(head), padding, Buffer.from('\nendstream')]));
      }
      return fileOf(bodies, trailer);
    },
  };
  return writer;
}

function fileOf(bodies: readonly (Buffer | undefined)[], trailer: string): Buffer {
  const parts: Buffer[] = [Buffer.from('%PDF-1.6\n%\xe2\xe3\xcf\xd3\n', 'latin1')];
  let length = parts[0]!.length;
  const offsets = bodies.map((body, index) => {
    const start = length;
    const object = [Buffer.from(`${index + 1} 0 obj\n`), body ?? Buffer.from('null'), Buffer.from('\nendobj\n')];
    parts.push(...object);
    length += object.reduce((bytes, part) => bytes + part.length, 0);
    return start;
  });
  const table = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  parts.push(
    Buffer.from(
      `xref\n0 ${bodies.length + 1}\n0000000000 65535 f \n${table}trailer\n<< /Size ${bodies.length + 1} ${trailer} >>\nstartxref\n${length}\n%%EOF\n`,
    ),
  );
  return Buffer.concat(parts);
}

function isLines(page: readonly string[] | PdfPage): page is readonly string[] {
  return Array.isArray(page);
}

/** Ids by resource name: F1 and F2 are Helvetica and its bold; F3 horizontal, F4 vertical, by UTF-16 unit; others by predefined CMap. */
function addFonts(writer: ObjectWriter, pages: readonly PdfPage[]): Map<string, number> {
  const fonts = new Map<string, number>();
  fonts.set('F1', writer.add('<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>'));
  fonts.set('F2', writer.add('<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>'));
  const toUnicode = writer.stream(Buffer.from(identityToUnicode()));
  fonts.set('F3', addWideFont(writer, 'Identity-H', `/ToUnicode ${toUnicode} 0 R`));
  fonts.set('F4', addWideFont(writer, 'Identity-V', `/ToUnicode ${toUnicode} 0 R`));
  for (const page of pages) {
    for (const { cmap, fault } of page.texts ?? []) {
      if (fault !== undefined && !fonts.has(fault)) fonts.set(fault, addFaultyFont(writer, fault, toUnicode));
      if (cmap !== undefined && !fonts.has(cmap)) fonts.set(cmap, addWideFont(writer, cmap, ''));
    }
  }
  return fonts;
}

function addFaultyFont(writer: ObjectWriter, fault: FontFault, toUnicode: number): number {
  if (fault !== 'bytes') return addWideFont(writer, 'Identity-H', fault === 'numbers' ? '' : `/ToUnicode ${toUnicode} 0 R`);
  const descriptor = writer.add(
    '<< /Type /FontDescriptor /FontName /Song /Flags 32 /FontBBox [-25 -254 1000 880] /ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>',
  );
  return writer.add(
    `<< /Type /Font /Subtype /TrueType /BaseFont /Song /Encoding /WinAnsiEncoding /FirstChar 0 /LastChar 255 /Widths [${'500 '.repeat(256)}] /FontDescriptor ${descriptor} 0 R >>`,
  );
}

/** Codes of two bytes but for `bytes`. */
function faultyCodes(text: string, fault: FontFault): Buffer {
  if (fault === 'shifted' || fault === 'numbers') {
    const units = Uint16Array.from(text, (sign) => sign.charCodeAt(0) - 29);
    return Buffer.from(units.buffer).swap16();
  }
  const ascii = fault === 'pairs' ? [0] : [];
  return Buffer.from(Array.from(text).flatMap((sign) => gbkCodes().get(sign) ?? [...ascii, sign.charCodeAt(0)]));
}

let codesKnown: Map<string, readonly number[]> | undefined;

function gbkCodes(): ReadonlyMap<string, readonly number[]> {
  if (codesKnown !== undefined) return codesKnown;
  const decoder = new TextDecoder('gbk');
  codesKnown = new Map();
  for (let lead = 0x81; lead <= 0xfe; lead++)
    for (let trail = 0x40; trail <= 0xfe; trail++) codesKnown.set(decoder.decode(Uint8Array.of(lead, trail)), [lead, trail]);
  return codesKnown;
}

function addWideFont(writer: ObjectWriter, encoding: string, more: string): number {
  const ordering = /GB/.test(encoding)
    ? 'GB1'
    : /CNS/.test(encoding)
      ? 'CNS1'
      : /JIS/.test(encoding)
        ? 'Japan1'
        : /KS/.test(encoding)
          ? 'Korea1'
          : 'Identity';
  const descriptor = writer.add(
    '<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880] /ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>',
  );
  const descendant = writer.add(
    `<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /CIDSystemInfo << /Registry (Adobe) /Ordering (${ordering}) /Supplement 2 >> /DW 1000 /FontDescriptor ${descriptor} 0 R >>`,
  );
  return writer.add(
    `<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light-${encoding} /Encoding /${encoding} /DescendantFonts [${descendant} 0 R] ${more} >>`,
  );
}

/** A glyph of the fonts for anything but English whose character they do not tell, as in files that were cut up and put together again. */
export const namelessGlyph = '\uaa10';

/** Every two-byte code is its own UTF-16 unit, but for `namelessGlyph` and its row; ranges must not cross their last byte's end. */
function identityToUnicode(): string {
  const rows = Array.from({ length: 256 }, (_, high) => high.toString(16).padStart(2, '0'))
    .filter((high) => high !== 'aa')
    .map((high) => `<${high}00> <${high}ff> <${high}00>`);
  const blocks: string[] = [];
  for (let at = 0; at < rows.length; at += 100) {
    const some = rows.slice(at, at + 100);
    blocks.push(`${some.length} beginbfrange\n${some.join('\n')}\nendbfrange`);
  }
  return `/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /T def /CMapType 2 def
1 begincodespacerange <0000> <ffff> endcodespacerange
${blocks.join('\n')}
endcmap CMapName currentdict /CMap defineresource pop end end`;
}

function addPage(
  writer: ObjectWriter,
  page: PdfPage,
  tree: number,
  fonts: ReadonlyMap<string, number>,
  fieldIds: number[],
): number {
  const width = page.width ?? 595;
  const height = page.height ?? 842;
  const whole: PdfPicture[] = page.picture === true ? [{ at: [0, 0, width, height] }] : [];
  const pictures = [...whole, ...(page.pictures ?? [])];
  const lines = (page.lines ?? []).map((text, index) => ({ text, x: 72, y: height - 72 - 15 * index }));
  const content = [
    ...pictures.map(
      ({ at: [left, bottom, right, top] }, at) => `q ${right - left} 0 0 ${top - bottom} ${left} ${bottom} cm /P${at + 1} Do Q`,
    ),
    ...[...lines, ...(page.texts ?? [])].map(showText),
    ...(page.rules ?? []).map(([x1, y1, x2, y2]) => `0.5 w ${x1} ${y1} m ${x2} ${y2} l S`),
  ].join('\n');
  const contents = writer.stream(Buffer.from(content, 'latin1'));
  const named = pictures.map((picture, at) => `/P${at + 1} ${addPicture(writer, picture)} 0 R`);
  const picture = named.length === 0 ? '' : ` /XObject << ${named.join(' ')} >>`;
  const id = writer.reserve();
  const fields = (page.fields ?? []).map((field) => addField(writer, field, id));
  if (page.signature !== undefined)
    fields.push(addSeal(writer, page.signature, '/Widget /FT /Sig /T (sig)', { page: id, font: fonts.get('F1')!, y: 60 }));
  fieldIds.push(...fields);
  if (page.stamp !== undefined) fields.push(addSeal(writer, page.stamp, '/Stamp', { page: id, font: fonts.get('F1')!, y: 20 }));
  for (const link of page.links ?? []) fields.push(writer.add(linkAnnotation(link)));
  for (const file of page.files ?? []) {
    const annotation = `<< /Type /Annot /Subtype /FileAttachment /Rect [20 20 40 40] /FS ${addFile(writer, file)} 0 R >>`;
    fields.push(writer.add(annotation));
  }
  const resources = `<< /Font << ${[...fonts].map(([name, font]) => `/${name} ${font} 0 R`).join(' ')} >>${picture} >>`;
  writer.put(
    id,
    `<< /Type /Page /Parent ${tree} 0 R /MediaBox [0 0 ${width} ${height}] /Contents ${contents} 0 R /Resources ${resources}` +
      `${page.rotate === undefined ? '' : ` /Rotate ${page.rotate}`}${page.cropBox === undefined ? '' : ` /CropBox [${page.cropBox.join(' ')}]`}` +
      `${fields.length === 0 ? '' : ` /Annots [${fields.map((field) => `${field} 0 R`).join(' ')}]`} >>`,
  );
  return id;
}

function linkAnnotation({ target, areas }: NonNullable<PdfPage['links']>[number]): string {
  const sides = (at: number, most: (...numbers: number[]) => number) => most(...areas.map((area) => area[at]!));
  const rect = [sides(0, Math.min), sides(1, Math.min), sides(2, Math.max), sides(3, Math.max)];
  const quads = areas.flatMap(([left, bottom, right, top]) => [left, top, right, top, left, bottom, right, bottom]);
  const points = areas.length === 1 ? '' : ` /QuadPoints [${quads.join(' ')}]`;
  return `<< /Type /Annot /Subtype /Link /Rect [${rect.join(' ')}]${points} /A << /S /URI /URI (${target}) >> >>`;
}

function showText(placed: PlacedText): string {
  const latin = placed.vertical !== true && placed.cmap === undefined && /^[\x20-\x7e\xa0-\xff]*$/.test(placed.text);
  const font =
    placed.fault ?? placed.cmap ?? (placed.vertical === true ? 'F4' : latin ? (placed.bold === true ? 'F2' : 'F1') : 'F3');
  const codes =
    placed.fault !== undefined
      ? faultyCodes(placed.text, placed.fault)
      : latin
        ? Buffer.from(placed.text, 'latin1')
        : Buffer.from(placed.text, 'utf16le').swap16();
  const turn = ((placed.angle ?? 0) * Math.PI) / 180;
  const matrix = [Math.cos(turn), Math.sin(turn), -Math.sin(turn), Math.cos(turn), placed.x, placed.y]
    .map((n) => n.toFixed(4))
    .join(' ');
  const mode = placed.invisible === true ? '3 Tr ' : placed.bold === true && !latin ? '2 Tr ' : '';
  return `q BT ${mode}/${font} ${placed.size ?? 11} Tf ${matrix} Tm <${codes.toString('hex')}> Tj ET Q`;
}

/** Grey noise, 64 × 64, stretched over its place, or an image. */
function addPicture(writer: ObjectWriter, { image }: PdfPicture): number {
  const noise = Buffer.from(Array.from({ length: 64 * 64 }, (_, index) => (index * 2654435761) % 251));
  const { width, height, pixels } = image ?? { width: 64, height: 64, pixels: noise };
  return writer.stream(
    pixels,
    `/Type /XObject /Subtype /Image /Width ${width} /Height ${height} /ColorSpace /DeviceGray /BitsPerComponent 8`,
  );
}

/** A file, and the specification that names it. */
function addFile(writer: ObjectWriter, { name, data }: PdfFile): number {
  const stream = writer.stream(data, `/Type /EmbeddedFile /Params << /Size ${data.length} >>`);
  const id = writer.reserve();
  writer.put(id, `<< /Type /Filespec /F ${writer.text(name, id)} /UF ${writer.text(name, id)} /EF << /F ${stream} 0 R >> >>`);
  return id;
}

type SealPlace = { readonly page: number; readonly font: number; readonly y: number };

/** An annotation whose text is nothing but drawn. */
function addSeal(writer: ObjectWriter, text: string, kind: string, { page, font, y }: SealPlace): number {
  const drawn = writer.stream(
    Buffer.from(`BT /F1 10 Tf 2 5 Td (${text}) Tj ET`, 'latin1'),
    `/Type /XObject /Subtype /Form /BBox [0 0 300 20] /Resources << /Font << /F1 ${font} 0 R >> >>`,
  );
  return writer.add(
    `<< /Type /Annot /Subtype ${kind} /Rect [72 ${y} 372 ${y + 20}] /P ${page} 0 R /F 4 /AP << /N ${drawn} 0 R >> >>`,
  );
}

function addField(writer: ObjectWriter, field: { name: string; value: string; y: number }, page: number): number {
  const id = writer.reserve();
  writer.put(
    id,
    `<< /Type /Annot /Subtype /Widget /FT /Tx /T ${writer.text(field.name, id)} /V ${writer.text(field.value, id)} /Rect [200 ${field.y} 500 ${field.y + 18}] /P ${page} 0 R /F 4 /DA (/F1 11 Tf 0 g) >>`,
  );
  return id;
}

function addOutline(writer: ObjectWriter, entries: readonly { title: string; page: number }[], pageIds: readonly number[]): number {
  const root = writer.reserve();
  const ids = entries.map(() => writer.reserve());
  for (const [index, entry] of entries.entries()) {
    const next = ids[index + 1] === undefined ? '' : ` /Next ${ids[index + 1]} 0 R`;
    const previous = index === 0 ? '' : ` /Prev ${ids[index - 1]} 0 R`;
    const id = ids[index]!;
    writer.put(
      id,
      `<< /Title ${writer.text(entry.title, id)} /Parent ${root} 0 R /Dest [${pageIds[entry.page - 1]} 0 R /Fit]${previous}${next} >>`,
    );
  }
  writer.put(root, `<< /Type /Outlines /First ${ids[0]} 0 R /Last ${ids.at(-1)} 0 R /Count ${ids.length} >>`);
  return root;
}

/* The standard security handler, revision 2 (PDF 1.7, 7.6.3). */

const passwordPadding = Buffer.from('28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a', 'hex');

function encryptionOf(userPassword: string): { key: Buffer; dictionary: string } {
  const padded = (password: string) => Buffer.concat([Buffer.from(password, 'latin1'), passwordPadding]).subarray(0, 32);
  const owner = rc4(md5(padded('owner')).subarray(0, 5), padded(userPassword));
  const permissions = Buffer.from([0xfc, 0xff, 0xff, 0xff]);
  const key = md5(Buffer.concat([padded(userPassword), owner, permissions, fileId])).subarray(0, 5);
  const user = rc4(key, passwordPadding);
  return { key, dictionary: `<< /Filter /Standard /V 1 /R 2 /O <${owner.toString('hex')}> /U <${user.toString('hex')}> /P -4 >>` };
}

function objectKey(key: Buffer, id: number): Buffer {
  const salt = Buffer.from([id & 255, (id >> 8) & 255, (id >> 16) & 255, 0, 0]);
  return md5(Buffer.concat([key, salt])).subarray(0, 10);
}

function md5(data: Buffer): Buffer {
  return createHash('md5').update(data).digest();
}

function rc4(key: Buffer, data: Buffer): Buffer {
  const state = Uint8Array.from({ length: 256 }, (_, index) => index);
  for (let i = 0, j = 0; i < 256; i++) {
    j = (j + state[i]! + key[i % key.length]!) & 255;
    [state[i], state[j]] = [state[j]!, state[i]!];
  }
  const out = Buffer.alloc(data.length);
  for (let n = 0, i = 0, j = 0; n < data.length; n++) {
    i = (i + 1) & 255;
    j = (j + state[i]!) & 255;
    [state[i], state[j]] = [state[j]!, state[i]!];
    out[n] = data[n]! ^ state[(state[i]! + state[j]!) & 255]!;
  }
  return out;
}
