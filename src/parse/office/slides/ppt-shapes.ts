/** The shapes of a slide in a PPT file (MS-PPT 2.5, MS-ODRAW 2.2): texts in their own order, groups, tables. */
import type { PptLinks } from './ppt-links.ts';
import { findRecord, pptTypes, readPptRecords, recordsWithin, type PptRecord } from './ppt-records.ts';
import { readPptTexts, textKinds, type MasterBullets, type PptText } from './ppt-text.ts';

export type PptShape =
  | { readonly kind: 'text'; readonly placeholder: number | null; readonly text: PptText }
  | { readonly kind: 'table'; readonly cells: readonly PptCell[] };

export type PptCell = {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly text: PptText | null;
};

export type ShapeContext = {
  readonly bullets: MasterBullets;
  readonly links: PptLinks;
  readonly page: number;
  /** Texts of the slide that stand in the list of slides, by their number; each is given once. */
  readonly outline: (index: number) => PptText | null;
};

const types = {
  drawing: 0xf002,
  group: 0xf003,
  shape: 0xf004,
  shapeAtom: 0xf00a,
  properties: 0xf00b,
  textBox: 0xf00d,
  childAnchor: 0xf00f,
  data: 0xf011,
  furtherProperties: 0xf122,
} as const;

const tableProperty = 0x39f;
/** Groups in groups. */
const depthMax = 50;

/** All shapes below a slide's (or a page of notes') record. */
export function readPptShapes(slide: Buffer, context: ShapeContext): PptShape[] {
  const drawing = findRecord(slide, pptTypes.drawing);
  const container = drawing === null ? null : findRecord(drawing.data, types.drawing);
  const shapes: PptShape[] = [];
  if (container !== null) addShapes(container.data, context, shapes, 0);
  return shapes;
}

function addShapes(data: Buffer, context: ShapeContext, shapes: PptShape[], depth: number): void {
  if (depth > depthMax) return;
  for (const record of readPptRecords(data)) {
    if (record.type === types.group) {
      if (isTable(record)) shapes.push({ kind: 'table', cells: readCells(record.data, context, 0) });
      else addShapes(record.data, context, shapes, depth + 1);
    } else if (record.type === types.shape) {
      const text = textOf(record.data, context);
      if (text !== null) shapes.push({ kind: 'text', placeholder: placeholderOf(record.data), text });
    }
  }
}

/** The first shape of a group is the group itself. */
function isTable({ data }: PptRecord): boolean {
  const own = findRecord(data, types.shape);
  const properties = own === null ? null : findRecord(own.data, types.furtherProperties);
  if (properties === null) return false;
  for (let index = 0; index < properties.instance && index * 6 + 6 <= properties.data.length; index++)
    if ((properties.data.readUInt16LE(index * 6) & 0x3fff) === tableProperty)
      return properties.data.readUInt32LE(index * 6 + 2) !== 0;
  return false;
}

function readCells(data: Buffer, context: ShapeContext, depth: number): PptCell[] {
  const cells: PptCell[] = [];
  for (const record of readPptRecords(data)) {
    if (record.type === types.group && depth < depthMax) cells.push(...readCells(record.data, context, depth + 1));
    const anchor = record.type === types.shape ? findRecord(record.data, types.childAnchor) : null;
    if (anchor === null || anchor.data.length < 16 || findRecord(record.data, types.textBox) === null) continue;
    const [left, top, right, bottom] = [0, 4, 8, 12].map((at) => anchor.data.readInt32LE(at)) as [number, number, number, number];
    cells.push({ left, top, right, bottom, text: textOf(record.data, context) });
  }
  return cells;
}

const isDeleted = 0x08;

function textOf(shape: Buffer, context: ShapeContext): PptText | null {
  const atom = findRecord(shape, types.shapeAtom);
  if (atom !== null && atom.data.length >= 8 && (atom.data.readUInt32LE(4) & isDeleted) !== 0) return null;
  const box = findRecord(shape, types.textBox);
  if (box === null) return drawnText(shape);
  const reference = findRecord(box.data, pptTypes.outlineReference);
  if (reference !== null && reference.data.length >= 4) return context.outline(reference.data.readUInt32LE(0));
  const data = findRecord(shape, types.data);
  const numbers = data === null ? undefined : recordsWithin(data.data, pptTypes.textNumbers).next().value?.data;
  return readPptTexts(box.data, { ...context, numbers })[0] ?? null;
}

function placeholderOf(shape: Buffer): number | null {
  const data = findRecord(shape, types.data);
  if (data === null) return null;
  const placeholder = findRecord(data.data, pptTypes.placeholder)?.data;
  if (placeholder !== undefined && placeholder.length >= 5) return placeholder.readUInt8(4);
  // PowerPoint since 2007 names dates, numbers, headers and footers so.
  return findRecord(data.data, pptTypes.laterPlaceholder)?.data[0] ?? null;
}

const drawnTextProperty = 0xc0;
const isLong = 0x8000;

/** Text that is drawn as a picture of itself (WordArt): a property whose value stands behind the list of all (MS-ODRAW 2.2.9). */
function drawnText(shape: Buffer): PptText | null {
  const list = findRecord(shape, types.properties);
  if (list === null) return null;
  let at = list.instance * 6;
  for (let index = 0; index < list.instance && index * 6 + 6 <= list.data.length; index++) {
    const id = list.data.readUInt16LE(index * 6);
    if ((id & isLong) === 0) continue;
    const bytes = list.data.readUInt32LE(index * 6 + 2);
    if ((id & 0x3fff) === drawnTextProperty) {
      const text = list.data
        .toString('utf16le', at, at + bytes)
        .replace(/\0[^]*$/, '')
        .replace(/\r\n?/g, '\n');
      return text.trim() === '' ? null : { kind: textKinds.other, paragraphs: [{ text, level: 0, bullet: null }] };
    }
    at += bytes;
  }
  return null;
}
