/** Presentations of PowerPoint 97 to 2003 (PPT, PPS, POT, DPS): one page a slide, in the order of the show, with notes and comments. */
import { inflateSync } from 'node:zlib';
import { DocumentError } from '../../../errors.ts';
import { openCompoundFile } from '../../containers/compound-file.ts';
import { noParts, writePart, type PartHost } from '../../containers/parts.ts';
import { readSummary } from '../../containers/property-set.ts';
import { readInput } from '../../input.ts';
import { createMarkdownBuilder } from '../../markdown/markdown-builder.ts';
import type { ParsedDocument, ParseInput, Parser } from '../../parser.ts';
import { createRepeats, type Repeats } from '../../repeats.ts';
import { passwordsFor } from '../binary-encryption.ts';
import { createBlockWriter, type BlockWriter } from '../block-writer.ts';
import { findRecord, openPptFile, pptTypes, readPptRecords, recordsWithin, type PptFile, type PptRecord } from './ppt-records.ts';
import { readPptLinks, type PptLinks } from './ppt-links.ts';
import { readPptShapes, type PptCell, type PptShape } from './ppt-shapes.ts';
import type { Bullet } from './slide-bullets.ts';
import { createNumbers } from './slide-shapes.ts';
import { readMasterBullets, readPptTexts, textKinds, type MasterBullets, type PptText } from './ppt-text.ts';

/** A parser for PowerPoint's binary presentations. Pages are slides; a slide's title is its heading. `parts` reads files inside of one. */
export function createPptParser(parts: Parser = noParts): Parser {
  return { parse: (input) => parse(input, parts) };
}

async function parse(input: ParseInput, parts: Parser): Promise<ParsedDocument> {
  const root = openCompoundFile(readInput(input), input.limits.unpackedBytesMax);
  const file = openPptFile(root, passwordsFor(input));
  const slides = listed(file, slideLists.slides);
  if (slides.length > input.limits.pagesMax)
    throw new DocumentError('limit_exceeded', `The presentation has more than ${input.limits.pagesMax} slides (MAX_PAGES)`);
  const builder = createMarkdownBuilder(input.limits);
  let page = 0;
  const out = createBlockWriter(builder, () => ({ page }));
  const reader = createSlideReader(file, input);
  const hidden: number[] = [];
  for (const slide of slides) {
    page++;
    if (reader.write(slide, page, out) === 'hidden') hidden.push(page);
    out.flush();
    input.onProgress(page, slides.length);
  }
  const warnings = hidden.length === 0 ? [] : [`Hidden slides were read too: ${hidden.slice(0, 50).join(', ')}`];
  await writeObjects(file, { input, builder, parser: parts, warnings, kind: 'embedded file' });
  return {
    mediaType: 'application/vnd.ms-powerpoint',
    ...readSummary(root),
    language: null,
    pages: slides.length,
    ...builder.finish(),
    warnings,
  };
}

const slideLists = { slides: 0, masters: 1, notes: 2 } as const;

/** An entry of a list of slides: its object, its number, and the records of its texts. */
type Listed = { readonly objectId: number; readonly slideId: number; readonly texts: Buffer };

function listed(file: PptFile, list: number): Listed[] {
  const record = findRecord(file.document, pptTypes.slideList, list);
  if (record === null) return [];
  const entries: Listed[] = [];
  const seen = new Set<number>();
  let open: { objectId: number; slideId: number; start: number } | null = null;
  let at = 0;
  const close = (end: number): void => {
    // A slide stands once; a list that names one ten thousand times is an attack.
    if (open !== null && !seen.has(file.placeOf(open.objectId)))
      entries.push({ ...open, texts: record.data.subarray(open.start, end) });
    if (open !== null) seen.add(file.placeOf(open.objectId));
  };
  for (const { type, data } of readPptRecords(record.data)) {
    if (type === pptTypes.slidePersist && data.length >= 16) {
      close(at);
      open = { objectId: data.readUInt32LE(0), slideId: data.readUInt32LE(12), start: at + 8 + data.length };
    }
    at += 8 + data.length;
  }
  close(at);
  return entries;
}

interface SlideReader {
  write(slide: Listed, page: number, out: BlockWriter): 'shown' | 'hidden';
}

function createSlideReader(file: PptFile, input: ParseInput): SlideReader {
  const masters = new Map(listed(file, slideLists.masters).map((each) => [each.slideId, each.objectId]));
  const notes = new Map(listed(file, slideLists.notes).map((each) => [each.slideId, each]));
  const bullets = new Map<number, MasterBullets>();
  const shownMasters = new Set<number>();
  /** Of headers and footers. */
  const written = new Set<string>();
  const repeats = createRepeats();
  const countCells = createCells(input.limits.cellsMax);
  const links = readPptLinks(file.document, repeats);

  /** Of the first master where a slide names none. */
  function bulletsOf(masterId: number): MasterBullets {
    const id = masters.get(masterId) ?? masters.values().next().value ?? -1;
    let known = bullets.get(id);
    if (known === undefined) bullets.set(id, (known = readMasterBullets(file.object(id)?.data ?? Buffer.alloc(0))));
    return known;
  }

  /** What a master shows on each of its slides is written on the first of them. */
  function writeMaster(masterId: number, page: number, out: BlockWriter): void {
    const id = masters.get(masterId);
    if (id === undefined || shownMasters.has(id)) return;
    shownMasters.add(id);
    const shapes = readPptShapes(file.object(id)?.data ?? Buffer.alloc(0), {
      bullets: () => false,
      links,
      page,
      outline: () => null,
    });
    // Placeholders only say how the slides' own texts look.
    writeShapes(
      shapes.filter((each) => each.kind === 'text' && each.placeholder === null && each.text.kind === textKinds.other),
      { out, repeats, countCells },
    );
  }

  /** Heads stand on every slide, those of notes on every page of notes; here once. */
  function writeHeads(page: Buffer, kind: keyof typeof headsOf, out: BlockWriter): void {
    const { instance, heads } = headsOf[kind];
    const own = findRecord(page, pptTypes.headersFooters) ?? findRecord(file.document, pptTypes.headersFooters, instance);
    const flags = own === null ? undefined : findRecord(own.data, pptTypes.headersFootersAtom)?.data;
    if (own === null || flags === undefined || flags.length < 4) return;
    for (const { flag, part } of heads) {
      if ((flags.readUInt16LE(2) & flag) === 0) continue;
      writeOnce(findRecord(own.data, pptTypes.text, part)?.data.toString('utf16le') ?? '', out);
    }
  }

  /** Later versions give each page the text of its heads itself. */
  function writeOwnHeads(shapes: readonly PptShape[], out: BlockWriter): void {
    for (const shape of shapes)
      if (shape.kind === 'text' && ownHeads.includes(shape.placeholder)) writeOnce(plainText(shape.text), out);
  }

  function writeOnce(words: string, out: BlockWriter): void {
    const text = words.trim();
    if (text !== '' && !written.has(text)) out.paragraph(text);
    written.add(text);
  }

  return {
    write(slide, page, out) {
      const record = file.object(slide.objectId);
      const data = record?.type === pptTypes.slide ? record.data : Buffer.alloc(0);
      const atom = findRecord(data, pptTypes.slideAtom)?.data ?? Buffer.alloc(0);
      const [masterId, notesId] = atom.length >= 20 ? [atom.readUInt32LE(12), atom.readUInt32LE(16)] : [0, 0];
      const own = bulletsOf(masterId);
      const outline = createOutline(readPptTexts(slide.texts, { bullets: own, links, page }));
      const shapes = readPptShapes(data, { bullets: own, links, page, outline: outline.take });
      for (const text of outline.rest()) shapes.push({ kind: 'text', placeholder: null, text });
      writeShapes(shapes, { out, repeats, countCells });
      if (showsMaster(atom)) writeMaster(masterId, page, out);
      writeHeads(data, 'slides', out);
      writeOwnHeads(shapes, out);
      const notesPage = writeNotes(file, notes.get(notesId), { links, page }, out);
      if (notesPage !== null) {
        writeHeads(notesPage.data, 'notes', out);
        writeOwnHeads(notesPage.shapes, out);
        for (const shape of notesPage.shapes) if (isBesideNotes(shape)) writeOnce(plainText(shape.text), out);
      }
      // A page of notes belongs to one slide.
      notes.delete(notesId);
      for (const comment of recordsWithin(data, pptTypes.comment)) writeComment(comment, out);
      const show = findRecord(data, pptTypes.slideShowInfo)?.data;
      return show !== undefined && show.length >= 12 && (show.readUInt16LE(10) & 4) !== 0 ? 'hidden' : 'shown';
    },
  };
}

/** Flags and parts of HeadersFootersAtom and its container (MS-PPT 2.4.15). A date only says when the slides were shown. */
const header = { flag: 0x10, part: 1 };
const footer = { flag: 0x20, part: 2 };
const headsOf = { slides: { instance: 3, heads: [footer] }, notes: { instance: 4, heads: [header, footer] } } as const;

/** Slides may hide what their master shows. */
function showsMaster(atom: Buffer): boolean {
  return atom.length < 22 || (atom.readUInt16LE(20) & 1) === 1;
}

/** Counts the cells of all tables. @throws DocumentError `limit_exceeded` (MAX_CELLS). */
function createCells(cellsMax: number): (count: number) => void {
  let cells = 0;
  return (count) => {
    cells += count;
    if (cells > cellsMax)
      throw new DocumentError('limit_exceeded', `The presentation has more than ${cellsMax} table cells (MAX_CELLS)`);
  };
}

/** Texts that shapes only refer to. */
function createOutline(texts: readonly PptText[]): { take: (index: number) => PptText | null; rest: () => PptText[] } {
  const taken = new Set<number>();
  return {
    take(index) {
      if (taken.has(index)) return null;
      taken.add(index);
      return texts[index] ?? null;
    },
    rest: () => texts.filter((_, index) => !taken.has(index)),
  };
}

/** Numbers of placeholders (MS-PPT 2.13.24). */
const placeholders = { date: 7, slideNumber: 8, footer: 9, header: 10, notesBody: 12, titles: [13, 15, 17] } as const;
const ownHeads: readonly (number | null)[] = [placeholders.footer, placeholders.header];
const leftOut: readonly (number | null)[] = [placeholders.date, placeholders.slideNumber, placeholders.footer, placeholders.header];

type Writing = { readonly out: BlockWriter; readonly repeats: Repeats; readonly countCells: (count: number) => void };

function writeShapes(shapes: readonly PptShape[], writing: Writing): void {
  const title = shapes.find(isTitle);
  if (title?.kind === 'text') writing.out.heading(1, plainText(title.text).replace(/\s+/g, ' '));
  for (const shape of shapes) {
    if (shape === title) continue;
    if (shape.kind === 'table') writeTable(shape.cells, writing);
    else if (!leftOut.includes(shape.placeholder)) writeText(shape.text, writing.out);
  }
}

function isTitle(shape: PptShape): boolean {
  if (shape.kind !== 'text' || plainText(shape.text).trim() === '') return false;
  const isNamed = placeholders.titles.some((each) => each === shape.placeholder);
  return isNamed || shape.text.kind === textKinds.title || shape.text.kind === textKinds.centredTitle;
}

function plainText({ paragraphs }: PptText): string {
  return paragraphs.map(({ text }) => text).join('\n');
}

function writeText({ paragraphs }: PptText, out: BlockWriter): void {
  let numbers = createNumbers();
  let before: Bullet | null = null;
  for (const { text, level, bullet } of paragraphs) {
    const shown = text.trim();
    if (shown === '') continue;
    // Other numbers begin anew.
    if (bullet?.kind === 'number' && before?.kind === 'number' && bullet !== before) numbers = createNumbers();
    if (bullet?.kind === 'number') before = bullet;
    const label = numbers(bullet, level);
    if (bullet === null) out.paragraph(shown);
    else out.item({ text: shown, level, label });
  }
  out.flush();
}

/** Columns of one table; more are a lie. */
const columnsMax = 200;

/** Cells stand where they are drawn; one over several rows or columns repeats its text. */
function writeTable(cells: readonly PptCell[], { out, repeats, countCells }: Writing): void {
  const columns = places(cells.map(({ left }) => left));
  const rows = places(cells.map(({ top }) => top));
  if (columns.length > columnsMax || rows.length * columns.length > 4 * cells.length + 1000) {
    for (const { text } of cells) if (text !== null) writeText(text, out);
    return;
  }
  countCells(rows.length * columns.length);
  const texts = rows.map(() => columns.map(() => ''));
  const [rowAt, columnAt] = [indexes(rows), indexes(columns)];
  // Cells over one another are written no oftener than honest ones, which cover each place once.
  let placesLeft = 2 * rows.length * columns.length + cells.length;
  for (const { left, top, right, bottom, text } of cells) {
    const shown = text === null ? '' : plainText(text).trim();
    let isFirst = true;
    for (let row = rowAt.get(top)!; row < rows.length && (rows[row]! < bottom || rows[row] === top); row++) {
      for (
        let column = columnAt.get(left)!;
        column < columns.length && (columns[column]! < right || columns[column] === left);
        column++
      ) {
        if (--placesLeft < 0) return out.table(texts);
        texts[row]![column] = isFirst ? repeats.first(shown) : repeats.again(shown);
        isFirst = false;
      }
    }
  }
  out.table(texts);
}

function indexes(all: readonly number[]): ReadonlyMap<number, number> {
  return new Map(all.map((place, at) => [place, at]));
}

function places(all: readonly number[]): number[] {
  return [...new Set(all)].sort((a, b) => a - b);
}

/** What else is on the page of notes; null where a slide has none. */
function writeNotes(
  file: PptFile,
  entry: Listed | undefined,
  context: { readonly links: PptLinks; readonly page: number },
  out: BlockWriter,
): { readonly data: Buffer; readonly shapes: readonly PptShape[] } | null {
  const record = entry === undefined ? null : file.object(entry.objectId);
  if (entry === undefined || record?.type !== pptTypes.notes) return null;
  const noBullets: MasterBullets = () => false;
  const outline = createOutline(readPptTexts(entry.texts, { ...context, bullets: noBullets }));
  const shapes = readPptShapes(record.data, { ...context, bullets: noBullets, outline: outline.take });
  const lines = shapes
    .filter(
      (shape) => shape.kind === 'text' && (shape.placeholder === placeholders.notesBody || shape.text.kind === textKinds.notes),
    )
    .flatMap((shape) => (shape.kind === 'text' ? shape.text.paragraphs : []))
    .map(({ text }) => text.trim())
    .filter((text) => text !== '');
  lines.forEach((line, at) => out.paragraph(at === 0 ? `Notes: ${line}` : line));
  return { data: record.data, shapes };
}

/** A text box that somebody put on the page of notes. */
function isBesideNotes(shape: PptShape): shape is Extract<PptShape, { kind: 'text' }> {
  return shape.kind === 'text' && shape.placeholder === null && shape.text.kind !== textKinds.notes;
}

const authorCharactersMax = 200;

function writeComment({ data }: PptRecord, out: BlockWriter): void {
  const part = (instance: number): string => findRecord(data, pptTypes.text, instance)?.data.toString('utf16le').trim() ?? '';
  const [author, text] = [part(0).slice(0, authorCharactersMax), part(1).replace(/\r/g, '\n')];
  if (text !== '') out.paragraph(author === '' ? `Comment: ${text}` : `Comment (${author}): ${text}`);
}

/** Files inside of the presentation, mostly packed. */
async function writeObjects(file: PptFile, host: PartHost): Promise<void> {
  let count = 0;
  const unpack = createUnpacker(host.input.limits);
  const seen = new Set<number>();
  for (const id of file.objectIds) {
    const record = file.object(id);
    if (record?.type !== pptTypes.objectStorage || seen.has(file.placeOf(id))) continue;
    seen.add(file.placeOf(id));
    const name = `object ${++count}`;
    const part = { name, mediaType: null, bytes: (bytesMax: number) => unpack(record, bytesMax) };
    await writePart(part, host, 1, `Embedded file: ${name}`);
  }
}

const mebibyte = 1024 * 1024;

/** Objects unpack to no more than the members of an archive may, each and all together. */
function createUnpacker({ unpackedBytesMax, ratioMax }: ParseInput['limits']): (record: PptRecord, bytesMax: number) => Buffer {
  let left = unpackedBytesMax;
  return ({ instance, data }, bytesMax) => {
    if (instance !== 1) return data;
    const bounds: readonly (readonly [bytes: number, sentence: string])[] = [
      [bytesMax, `it is larger than ${bytesMax} bytes, the limit for a file inside another`],
      [Math.max(mebibyte, data.length * ratioMax), `it unpacks to more than ${ratioMax} times its packed size (MAX_UNPACK_RATIO)`],
      [left, `the file unpacks to more than ${unpackedBytesMax} bytes (MAX_UNPACKED_BYTES)`],
    ];
    const [most, sentence] = bounds.reduce((least, each) => (each[0] < least[0] ? each : least));
    try {
      const bytes = inflateSync(data.subarray(4), { maxOutputLength: Math.max(1, most) });
      left -= bytes.length;
      return bytes;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
        left -= most;
        throw new DocumentError('limit_exceeded', sentence);
      }
      throw new DocumentError('corrupt', 'The file is damaged and cannot be unpacked', { cause: error });
    }
  };
}
