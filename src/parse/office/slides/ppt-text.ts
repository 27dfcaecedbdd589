/** The text of a shape in a PPT file (MS-PPT 2.9): paragraphs with their levels and bullets, which the slide's master has where they do not. */
import { createLineLinks, type PptLinks, readLinkedTexts } from './ppt-links.ts';
import { pptTypes, readPptRecords, type PptRecord } from './ppt-records.ts';
import type { Bullet } from './slide-bullets.ts';

export type PptParagraph = { readonly text: string; readonly level: number; readonly bullet: Bullet | null };

/** A text, of one of the kinds that masters have styles for. */
export type PptText = { readonly kind: number; readonly paragraphs: readonly PptParagraph[] };

export const textKinds = {
  title: 0,
  body: 1,
  notes: 2,
  other: 4,
  centredBody: 5,
  centredTitle: 6,
  halfBody: 7,
  quarterBody: 8,
} as const;

const titles = new Set<number>([textKinds.title, textKinds.centredTitle]);

/** Whether a level of a kind of text has bullets, as a master says. */
export type MasterBullets = (kind: number, level: number) => boolean;

export type TextContext = {
  readonly bullets: MasterBullets;
  readonly links: PptLinks;
  /** The number of the slide, where the text shows it. */ readonly page: number;
  /** What the shape says of numbers before its paragraphs. */ readonly numbers?: Buffer | undefined;
};

/** The texts in a list of records: each begins with its header. */
export function readPptTexts(data: Buffer, context: TextContext): PptText[] {
  const texts: PptText[] = [];
  for (const group of groupsOf(data)) {
    const text = readText(group, context);
    if (text !== null) texts.push(text);
  }
  return texts;
}

function* groupsOf(data: Buffer): Generator<PptRecord[]> {
  let group: PptRecord[] = [];
  for (const record of readPptRecords(data)) {
    if (record.type === pptTypes.textHeader && group.length > 0) {
      yield group;
      group = [];
    }
    group.push(record);
  }
  if (group.length > 0) yield group;
}

function readText(group: readonly PptRecord[], { bullets, links, page, numbers }: TextContext): PptText | null {
  const header = group.find(({ type }) => type === pptTypes.textHeader);
  if (header === undefined) return null;
  const kind = header.data.length >= 4 ? header.data.readUInt32LE(0) : textKinds.other;
  const raw = group.find(({ type }) => type === pptTypes.textCharacters || type === pptTypes.textBytes);
  const shown = raw === undefined ? '' : raw.data.toString(raw.type === pptTypes.textBytes ? 'latin1' : 'utf16le');
  const looks = readLooks(group.find(({ type }) => type === pptTypes.textStyle)?.data, shown.length);
  const schemes = numbers === undefined ? [] : readSchemes(numbers);
  const fields = readFields(group, page);
  // A title stays as it reads: a slide's heading names it.
  const linked = createLineLinks(titles.has(kind) ? [] : readLinkedTexts(group, links));
  const paragraphs: PptParagraph[] = [];
  let at = 0;
  for (const line of shown.split('\r')) {
    const look = looks.at(at);
    const level = look?.level ?? 0;
    const start = at;
    const text = linked(line, at, (from, to) => filled(line.slice(from, to), start + from, fields))
      .replace(/\v/g, '\n')
      .replace(/[\0-\x08\x0c\x0e-\x1f]/g, ''); // eslint-disable-line no-control-regex
    const hasBullet = look?.hasBullet ?? bullets(kind, level);
    paragraphs.push({ text, level, bullet: hasBullet ? (schemes[looks.schemeAt(at)] ?? { kind: 'bullet' }) : null });
    at += line.length + 1;
  }
  return { kind, paragraphs };
}

/** What stands at a place of the text where it only has a star. */
function readFields(group: readonly PptRecord[], page: number): ReadonlyMap<number, string> {
  const fields = new Map<number, string>();
  const kinds: readonly number[] = [
    pptTypes.slideNumber,
    pptTypes.dateTime,
    pptTypes.genericDate,
    pptTypes.header,
    pptTypes.footer,
  ];
  for (const { type, data } of group)
    if (kinds.includes(type) && data.length >= 4)
      fields.set(data.readUInt32LE(0), type === pptTypes.slideNumber ? String(page) : '');
  return fields;
}

function filled(line: string, start: number, fields: ReadonlyMap<number, string>): string {
  if (fields.size === 0 || !line.includes('*')) return line;
  return line.replace(/\*/g, (star, at: number) => fields.get(start + at) ?? star);
}

type Look = { readonly level: number; readonly hasBullet: boolean | null };

/** MS-PPT 2.9.44: runs of paragraphs, each as many characters long as it says. */
function readLooks(data: Buffer | undefined, length: number): Looks {
  const runs: { end: number; look: Look }[] = [];
  let at = 0;
  let end = 0;
  while (data !== undefined && end <= length && at + 10 <= data.length) {
    end += Math.max(1, data.readUInt32LE(at));
    const level = Math.min(8, data.readUInt16LE(at + 4));
    const read = readParagraphLook(data, at + 6);
    if (read === null) break;
    runs.push({ end, look: { level, hasBullet: read.hasBullet } });
    at = read.end;
  }
  const schemes = data === undefined ? [] : readSchemeRuns(data, at, length);
  let [next, nextScheme] = [0, 0];
  return {
    at(place) {
      while (next < runs.length && runs[next]!.end <= place) next++;
      return runs[next]?.look ?? null;
    },
    schemeAt(place) {
      while (nextScheme < schemes.length && schemes[nextScheme]!.end <= place) nextScheme++;
      return schemes[nextScheme]?.scheme ?? 0;
    },
  };
}

/** To be asked in order of places. */
type Looks = {
  at(place: number): Look | null;
  /** Which of the shape's numbers the paragraph has. */
  schemeAt(place: number): number;
};

/** Runs of characters follow those of paragraphs; four bits of their look say which numbers stand before them (MS-PPT 2.9.16). */
function readSchemeRuns(data: Buffer, start: number, length: number): { end: number; scheme: number }[] {
  const runs: { end: number; scheme: number }[] = [];
  let at = start;
  let end = 0;
  while (end <= length && at + 8 <= data.length) {
    end += Math.max(1, data.readUInt32LE(at));
    const mask = data.readUInt32LE(at + 4);
    at += 8;
    const hasStyle = (mask & 0xffff) !== 0 && at + 2 <= data.length;
    runs.push({ end, scheme: hasStyle ? (data.readUInt16LE(at) >> 10) & 0x0f : 0 });
    for (const [bits, bytes] of characterFields) if ((mask & bits) !== 0) at += bytes;
  }
  return runs;
}

const hasPicture = 0x80_0000;
const hasScheme = 0x100_0000;
const isNumbered = 0x200_0000;
const schemesMax = 16;

/** MS-PPT 2.9.66: for each of the numbers of a shape how it counts; undefined for a plain bullet. */
function readSchemes(data: Buffer): (Bullet | undefined)[] {
  const schemes: (Bullet | undefined)[] = [];
  for (let at = 0; at + 12 <= data.length && schemes.length < schemesMax;) {
    const mask = data.readUInt32LE(at);
    at += 4;
    if ((mask & hasPicture) !== 0) at += 2;
    const isOn = (mask & isNumbered) !== 0 && at + 2 <= data.length && data.readUInt16LE(at) === 1;
    if ((mask & isNumbered) !== 0) at += 2;
    const known = (mask & hasScheme) !== 0 && at + 4 <= data.length;
    schemes.push(
      isOn && known
        ? { kind: 'number', format: schemeNames[data.readUInt16LE(at)] ?? 'arabicPeriod', start: data.readUInt16LE(at + 2) }
        : undefined,
    );
    if ((mask & hasScheme) !== 0) at += 4;
    // What it says of characters is not read; where it says anything, what follows cannot be found.
    if (at + 8 > data.length || data.readUInt32LE(at) !== 0 || data.readUInt32LE(at + 4) !== 0) break;
    at += 8;
  }
  return schemes;
}

/** By their numbers (MS-PPT 2.13.34), as ECMA-376 calls them. */
const schemeNames: readonly string[] = [
  'alphaLcPeriod', 'alphaUcPeriod', 'arabicParenR', 'arabicPeriod', 'romanLcParenBoth', 'romanLcParenR', 'romanLcPeriod', 'romanUcPeriod',
  'alphaLcParenBoth', 'alphaLcParenR', 'alphaUcParenBoth', 'alphaUcParenR', 'arabicParenBoth', 'arabicPlain', 'romanUcParenBoth',
  'romanUcParenR', 'ea1ChsPlain', 'ea1ChsPeriod', 'circleNumDbPlain', 'circleNumWdWhitePlain', 'circleNumWdBlackPlain', 'ea1ChtPlain',
  'ea1ChtPeriod', 'arabicPlain', 'arabicPlain', 'arabicPlain', 'ea1JpnKorPlain', 'ea1JpnKorPeriod', 'arabicDbPlain', 'arabicDbPeriod',
]; // prettier-ignore

/** Sizes of what a mask says that it follows, in their order; the first four bits share one field. */
const paragraphFields: readonly (readonly [mask: number, bytes: number])[] = [
  [0x0f, 2],
  [0x80, 2],
  [0x10, 2],
  [0x40, 2],
  [0x20, 4],
  [0x800, 2],
  [0x1000, 2],
  [0x2000, 2],
  [0x4000, 2],
  [0x100, 2],
  [0x400, 2],
  [0x8000, 2],
];
const tabStops = 0x10_0000;
const laterFields: readonly (readonly [mask: number, bytes: number])[] = [
  [0x1_0000, 2],
  [0xe_0000, 2],
  [0x20_0000, 2],
];

/** MS-PPT 2.9.20 (TextPFException). Null where the bytes end. */
function readParagraphLook(data: Buffer, start: number): { hasBullet: boolean | null; end: number } | null {
  if (start + 4 > data.length) return null;
  const mask = data.readUInt32LE(start);
  let at = start + 4;
  const hasBullet = (mask & 1) !== 0 && at + 2 <= data.length ? (data.readUInt16LE(at) & 1) === 1 : null;
  for (const [bits, bytes] of paragraphFields) if ((mask & bits) !== 0) at += bytes;
  if ((mask & tabStops) !== 0) {
    if (at + 2 > data.length) return null;
    at += 2 + data.readUInt16LE(at) * 4;
  }
  for (const [bits, bytes] of laterFields) if ((mask & bits) !== 0) at += bytes;
  return at <= data.length ? { hasBullet, end: at } : null;
}

const characterFields: readonly (readonly [mask: number, bytes: number])[] = [
  [0xffff, 2],
  [0x1_0000, 2],
  [0x20_0000, 2],
  [0x40_0000, 2],
  [0x80_0000, 2],
  [0x2_0000, 2],
  [0x4_0000, 4],
  [0x8_0000, 2],
];

/** What a master says of bullets, by kind of text and level. */
export function readMasterBullets(master: Buffer): MasterBullets {
  const known = new Map<number, boolean[]>();
  for (const { type, instance, data } of readPptRecords(master))
    if (type === pptTypes.masterStyle) known.set(instance, levelsOf(instance, data));
  return (kind, level) => {
    const levels = known.get(kind) ?? (bodyKinds.has(kind) ? known.get(textKinds.body) : undefined);
    // A list goes on as it began where its deeper levels say nothing.
    return levels?.[level] ?? levels?.at(-1) ?? false;
  };
}

const bodyKinds = new Set<number>([textKinds.halfBody, textKinds.quarterBody, textKinds.centredBody]);

function levelsOf(kind: number, data: Buffer): boolean[] {
  const levels: boolean[] = [];
  let at = 2;
  for (let count = data.length >= 2 ? Math.min(5, data.readUInt16LE(0)) : 0; count > 0; count--) {
    if (kind >= textKinds.centredBody) at += 2;
    const paragraph = readParagraphLook(data, at);
    if (paragraph === null || paragraph.end + 4 > data.length) break;
    levels.push(paragraph.hasBullet ?? levels.at(-1) ?? false);
    const mask = data.readUInt32LE(paragraph.end);
    at = paragraph.end + 4;
    for (const [bits, bytes] of characterFields) if ((mask & bits) !== 0) at += bytes;
  }
  return levels;
}
