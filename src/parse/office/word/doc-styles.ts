/** The styles of a DOC file (MS-DOC 2.9.271, STSH): what paragraphs take from them, along the chain of those that they are based on. */
import { decodeAs } from '../../text/encoding.ts';
import { headingLevelOfName } from './heading-name.ts';
import { tableIndex, type DocHeader } from './doc-header.ts';
import { changeParagraph, inFull, plainParagraph, type ParagraphLook } from './doc-properties.ts';

export type DocStyle = {
  /** 0 title, 1–9 heading; null: body text. */ readonly headingLevel: number | null;
  readonly look: Readonly<ParagraphLook>;
};

/** By its number; a plain one where there is none. */
export type DocStyles = (style: number) => DocStyle;

type OwnStyle = { readonly id: number; readonly name: string; readonly basedOn: number; readonly operations: Buffer };

const stylesMax = 4095;
/** Longer chains are loops. */
const chainMax = 32;
const noStyle = 0x0fff;
const titleId = 62;

export function readDocStyles(header: DocHeader, encoding: string): DocStyles {
  const own = readOwnStyles(header, encoding);
  const known = new Map<number, DocStyle>();
  return (number) => {
    let style = known.get(number);
    if (style === undefined) known.set(number, (style = resolve(number, own, header)));
    return style;
  };
}

function resolve(number: number, own: readonly (OwnStyle | null)[], header: DocHeader): DocStyle {
  const chain: OwnStyle[] = [];
  for (let at = number; chain.length < chainMax;) {
    const style = own[at] ?? null;
    if (style === null || chain.includes(style)) break;
    chain.push(style);
    at = style.basedOn;
  }
  const look = plainParagraph();
  for (const { operations } of chain.toReversed()) changeParagraph(look, inFull(operations, header), header.version);
  look.style = number;
  const named = chain.map(levelOfStyle).find((level) => level !== null) ?? null;
  // A paragraph style based on a heading that takes its outline level away is none.
  const isBody = look.outline === 9;
  return { headingLevel: isBody ? null : (named ?? (look.outline === null ? null : look.outline + 1)), look };
}

function levelOfStyle({ id, name }: OwnStyle): number | null {
  if (id >= 1 && id <= 9) return id;
  return id === titleId ? 0 : headingLevelOfName(name);
}

function readOwnStyles(header: DocHeader, encoding: string): (OwnStyle | null)[] {
  const sheet = header.table(tableIndex.styles);
  if (sheet.length < 6) return [];
  const start = 2 + sheet.readUInt16LE(0);
  const count = Math.min(stylesMax, sheet.readUInt16LE(2));
  const baseBytes = sheet.readUInt16LE(4);
  const styles: (OwnStyle | null)[] = [];
  for (let at = start; styles.length < count && at + 2 <= sheet.length;) {
    const bytes = sheet.readUInt16LE(at);
    styles.push(readStyle(sheet.subarray(at + 2, at + 2 + bytes), baseBytes, header.version, encoding));
    at += 2 + bytes + (bytes % 2);
  }
  return styles;
}

const paragraphStyle = 1;

function readStyle(style: Buffer, baseBytes: number, version: 6 | 8, encoding: string): OwnStyle | null {
  if (style.length < Math.max(8, baseBytes + 2)) return null;
  const kind = style.readUInt16LE(2);
  const characterBytes = version === 8 ? 2 : 1;
  const length = version === 8 ? style.readUInt16LE(baseBytes) : style[baseBytes]!;
  const nameAt = baseBytes + characterBytes;
  const name = style.subarray(nameAt, nameAt + length * characterBytes);
  const basedOn = kind >> 4;
  const own = {
    id: style.readUInt16LE(0) & 0x0fff,
    // Other names of the same style stand behind a comma.
    name: decodeAs(name, version === 8 ? 'utf-16le' : encoding).split(',')[0]!,
    basedOn: basedOn === noStyle ? -1 : basedOn,
  };
  if ((kind & 0x0f) !== paragraphStyle) return { ...own, operations: Buffer.alloc(0) };
  let at = nameAt + (length + 1) * characterBytes;
  at += at % 2;
  const bytes = at + 2 <= style.length ? style.readUInt16LE(at) : 0;
  // The number of the style itself comes first.
  return { ...own, operations: style.subarray(at + 4, Math.max(at + 4, at + 2 + bytes)) };
}
