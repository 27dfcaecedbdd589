/** The styles of a DOC file (MS-DOC 2.9.271, STSH): what paragraphs take from them, along the chain of those that they are based on. */
import { decodeAs } from '../../text/encoding.ts';
import { headingLevelOfName } from './heading-name.ts';
import { tableIndex, type DocHeader } from './doc-header.ts';
import { changeParagraph, plainParagraph, type ParagraphLook } from './doc-properties.ts';

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
  const known = new Map<number, Resolved>();

  /** Each style is read once, on top of the one that it is based on. */
  function resolve(number: number, depth: number): Resolved {
    const before = known.get(number);
    if (before !== undefined) return before;
    const style = own[number] ?? null;
    if (style === null || depth > chainMax) return { headingLevel: null, look: plainParagraph() };
    const base = resolve(style.basedOn, depth + 1);
    const look = { ...base.look };
    changeParagraph(look, style.operations, header.version);
    const resolved = { headingLevel: levelOfStyle(style) ?? base.headingLevel, look };
    known.set(number, resolved);
    return resolved;
  }

  return (number) => {
    const { headingLevel, look } = resolve(number, 0);
    // A style based on a heading that takes its outline level away is none.
    const level = look.outline === bodyLevel ? null : (headingLevel ?? (look.outline === null ? null : look.outline + 1));
    return { headingLevel: level, look: { ...look, style: number } };
  };
}

type Resolved = { readonly headingLevel: number | null; readonly look: ParagraphLook };

const bodyLevel = 9;

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
