/** Small valid XPS files for tests (ECMA-388): pages of glyphs and paths, resources, outlines, properties, fonts, parts in pieces. */
import { makeZip, type ZipMember } from './zip-writer.ts';

const declaration = '<?xml version="1.0" encoding="UTF-8"?>';
/** The namespaces of Microsoft's XPS, and of OpenXPS. */
const kinds = {
  microsoft: 'http://schemas.microsoft.com/xps/2005/06',
  open: 'http://schemas.openxps.org/oxps/v1.0',
} as const;

export type XpsGlyphsParts = {
  /** 1/96 inch from the page's top left corner to the left end of the baseline. */
  readonly x: number;
  readonly y: number;
  readonly text: string;
  readonly size?: number;
  /** Other attributes: `Indices`, `RenderTransform`, `BidiLevel`, `IsSideways`, `FixedPage.NavigateUri` … */
  readonly more?: Readonly<Record<string, string>>;
};

export function xpsGlyphs({ x, y, text, size = 16, more = {} }: XpsGlyphsParts): string {
  const named = { FontUri: '/Fonts/plain.ttf', ...more };
  const attributes = Object.entries(named).map(([name, value]) => ` ${name}="${escapeXml(value)}"`);
  const said = text === '' ? '' : ` UnicodeString="${escapeXml(text)}"`;
  return `<Glyphs OriginX="${x}" OriginY="${y}" FontRenderingEmSize="${size}" Fill="#ff000000"${attributes.join('')}${said}/>`;
}

/** A line, as Windows prints one: a thin bar that is filled. */
export function xpsLine(x1: number, y1: number, x2: number, y2: number): string {
  const [right, bottom] = [Math.max(x2, x1 + 0.8), Math.max(y2, y1 + 0.8)];
  return `<Path Fill="#ff000000" Data="F1 M ${x1},${y1} L ${right},${y1} ${right},${bottom} ${x1},${bottom} Z"/>`;
}

/** A picture that fills a box. */
export function xpsPicture(source: string, x: number, y: number, width: number, height: number): string {
  return (
    `<Path Data="M ${x},${y} h ${width} v ${height} h -${width} z"><Path.Fill>` +
    `<ImageBrush ImageSource="${source}" Viewbox="0,0,1,1" Viewport="${x},${y},${width},${height}" ViewboxUnits="Absolute" ViewportUnits="Absolute"/></Path.Fill></Path>`
  );
}

export type XpsParts = {
  /** A page is its texts, a line each, or its objects. */
  readonly pages: readonly (readonly string[] | string)[];
  /** Of each page, in 1/96 inch; A4 unless told. */
  readonly size?: { readonly width: number; readonly height: number };
  readonly kind?: keyof typeof kinds;
  readonly title?: string;
  readonly author?: string;
  /** `OutlineEntry` elements. */
  readonly outline?: string;
  readonly members?: readonly ZipMember[];
  /** Writes each part in pieces of so many bytes, all first pieces before all second ones. */
  readonly pieceBytes?: number;
  /** Packs nothing. */
  readonly stored?: boolean;
};

export function makeXps({ kind = 'microsoft', size = { width: 794, height: 1123 }, ...parts }: XpsParts): Buffer {
  const ns = kinds[kind];
  const relations = (list: readonly (readonly [string, string])[]): string =>
    `${declaration}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${list
      .map(([type, target], at) => `<Relationship Id="r${at}" Type="${type}" Target="${target}"/>`)
      .join('')}</Relationships>`;
  const pages = parts.pages.map((page) => (typeof page === 'string' ? page : linesOf(page)));
  const members: ZipMember[] = [
    { name: '[Content_Types].xml', data: `${declaration}<Types/>` },
    {
      name: '_rels/.rels',
      data: relations([
        [`${ns}/fixedrepresentation`, '/FixedDocSeq.fdseq'],
        ['http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties', '/Metadata/core.xml'],
      ]),
    },
    {
      name: 'Metadata/core.xml',
      data: `${declaration}<coreProperties xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"><dc:title>${escapeXml(parts.title ?? '')}</dc:title><dc:creator>${escapeXml(parts.author ?? '')}</dc:creator></coreProperties>`,
    },
    {
      name: 'FixedDocSeq.fdseq',
      data: `${declaration}<FixedDocumentSequence xmlns="${ns}"><DocumentReference Source="Documents/1/FixedDoc.fdoc"/></FixedDocumentSequence>`,
    },
    {
      name: 'Documents/1/FixedDoc.fdoc',
      data: `${declaration}<FixedDocument xmlns="${ns}">${pages.map((_, at) => `<PageContent Source="Pages/${at + 1}.fpage" Width="${size.width}" Height="${size.height}"/>`).join('')}</FixedDocument>`,
    },
    ...pages.map((objects, at): ZipMember => ({
      name: `Documents/1/Pages/${at + 1}.fpage`,
      data: `${declaration}<FixedPage xmlns="${ns}" xmlns:x="${ns}/resourcedictionary-key" Width="${size.width}" Height="${size.height}" xml:lang="en-US">${objects}</FixedPage>`,
    })),
    ...(parts.outline === undefined ? [] : outlineMembers(parts.outline, ns, relations)),
    ...(parts.members ?? []),
  ];
  const kept = parts.stored === true ? members.map((member) => ({ ...member, stored: true })) : members;
  return makeZip(parts.pieceBytes === undefined ? kept : inPieces(kept, parts.pieceBytes));
}

function outlineMembers(
  outline: string,
  ns: string,
  relations: (list: readonly (readonly [string, string])[]) => string,
): ZipMember[] {
  return [
    {
      name: 'Documents/1/_rels/FixedDoc.fdoc.rels',
      data: relations([[`${ns}/documentstructure`, 'Structure/DocStructure.struct']]),
    },
    {
      name: 'Documents/1/Structure/DocStructure.struct',
      data: `${declaration}<DocumentStructure xmlns="${ns}/documentstructure"><DocumentStructure.Outline><DocumentOutline xml:lang="en-US">${outline}</DocumentOutline></DocumentStructure.Outline></DocumentStructure>`,
    },
  ];
}

function linesOf(lines: readonly string[]): string {
  return lines.map((text, at) => xpsGlyphs({ x: 80, y: 110 + at * 45, text })).join('');
}

/** As printers get a package while it is made: the pieces of its parts lie among each other. */
function inPieces(members: readonly ZipMember[], bytes: number): ZipMember[] {
  const pieces = members.flatMap(({ name, data }) => {
    const whole = Buffer.from(data as string);
    const count = Math.max(1, Math.ceil(whole.length / bytes));
    return Array.from({ length: count }, (_, at) => ({
      at,
      name: `${String(name)}/[${at}]${at === count - 1 ? '.last' : ''}.piece`,
      data: whole.subarray(at * bytes, (at + 1) * bytes),
    }));
  });
  return pieces.toSorted((one, other) => one.at - other.at).map(({ name, data }) => ({ name, data }));
}

export type FontParts = {
  /** Widths by character, in thousandths of the size of type, in the order of their glyphs from 1. */
  readonly widths: Readonly<Record<string, number>>;
  readonly bold?: boolean;
  /** Characters in a row, and the glyph of the first, beside those that have a width. */
  readonly stretches?: readonly (readonly [first: number, last: number, glyph: number])[];
};

/** An OpenType font that draws nothing: what is read of one. */
export function makeFont({ widths, bold = false, stretches = [] }: FontParts): Buffer {
  const characters = Object.entries(widths);
  const head = Buffer.alloc(54);
  head.writeUInt16BE(1000, 18);
  head.writeUInt16BE(bold ? 1 : 0, 44);
  const hhea = Buffer.alloc(36);
  hhea.writeUInt16BE(characters.length + 1, 34);
  const hmtx = Buffer.alloc((characters.length + 1) * 4);
  for (const [at, [, width]] of characters.entries()) hmtx.writeUInt16BE(width, (at + 1) * 4);
  const single = characters.map(([character], at) => [character.codePointAt(0)!, character.codePointAt(0)!, at + 1] as const);
  const tables = { cmap: cmapOf([...single, ...stretches]), head, hhea, hmtx };
  const directory = Buffer.alloc(12 + Object.keys(tables).length * 16);
  directory.writeUInt32BE(0x00010000);
  directory.writeUInt16BE(Object.keys(tables).length, 4);
  let offset = directory.length;
  for (const [index, [tag, table]] of Object.entries(tables).entries()) {
    const at = 12 + index * 16;
    directory.write(tag, at, 'latin1');
    directory.writeUInt32BE(offset, at + 8);
    directory.writeUInt32BE(table.length, at + 12);
    offset += table.length;
  }
  return Buffer.concat([directory, ...Object.values(tables)]);
}

/** Format 12, a group for each stretch of characters. */
function cmapOf(stretches: readonly (readonly [first: number, last: number, glyph: number])[]): Buffer {
  const header = Buffer.alloc(12 + 16);
  header.writeUInt16BE(1, 2);
  header.writeUInt16BE(3, 4);
  header.writeUInt16BE(10, 6);
  header.writeUInt32BE(12, 8);
  header.writeUInt16BE(12, 12);
  header.writeUInt32BE(16 + stretches.length * 12, 16);
  header.writeUInt32BE(stretches.length, 24);
  const sorted = stretches.toSorted(([one], [other]) => one - other);
  const groups = sorted.map((numbers) => {
    const group = Buffer.alloc(12);
    for (const [at, number] of numbers.entries()) group.writeUInt32BE(number, at * 4);
    return group;
  });
  return Buffer.concat([header, ...groups]);
}

/** A font as it is hidden in an XPS, and the name of the part that it is hidden behind. */
export function hiddenFont(font: Buffer): { readonly name: string; readonly data: Buffer } {
  const guid = '0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0';
  const key = Buffer.from(guid.replaceAll('-', ''), 'hex').reverse();
  const data = Buffer.from(font);
  for (let at = 0; at < 32; at++) data[at]! ^= key[at % 16]!;
  return { name: `Fonts/${guid.toUpperCase()}.odttf`, data };
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
