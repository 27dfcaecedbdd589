/**
 * Plain PDF pages, read without PDFium. Most are plain: their file is not encrypted and not damaged, their fonts say which characters
 * they hold. PDFium as WebAssembly does for them what text does not need: it makes an object of every stroke and looks at the outline
 * of every glyph to know its box. This takes about half the time (docs/decisions/0007-two-pdf-readers.md has the figures).
 *
 * What this reader is not sure of, it does not guess at: it throws, and the page, or the file, is PDFium's to read. So it needs to know
 * only the usual ways of saying a thing, and decides nothing about what is odd or hostile.
 */
import { cpuTimer } from '../../cpu-time.ts';
import { readFileSync } from 'node:fs';
import type { CharacterTables, Collection } from '../character-tables.ts';
import { createFaultyFonts } from '../faulty-fonts.ts';
import type { Repair } from '../font-faults.ts';
import { createRuleFinder, objectsMax } from '../layout/page-rules.ts';
import { createGlyphCollector, type PageBounds } from '../layout/page-spans.ts';
import { addLarge, coverFor, seenBox, type SeenBox } from '../layout/text-cover.ts';
import { type View, viewOf } from '../page-view.ts';
import type { PdfSource, SourcePage } from '../pdf-source.ts';
import { runContent } from './content.ts';
import { openPlainFile, type PlainFile } from './file.ts';
import { createFonts, type Fonts, type PlainFont } from './fonts.ts';
import { apply, type Matrix } from '../matrix.ts';
import { NotPlain } from './objects.ts';
import { collectGlyphs } from './page-glyphs.ts';
import { withRepairs } from './repaired-fonts.ts';
import {
  bookmarksOf,
  contentOf,
  linkAreasOf,
  pagesOf,
  type PlainPage,
  refuseAttachments,
  refuseWrittenOn,
  textString,
} from './pages.ts';

/** A file is held in memory whole; larger ones are PDFium's. */
export const plainBytesMax = 32 * 1024 * 1024;
/** A page that takes longer is none of the usual ones. */
const pageMs = 2000;

/**
 * The file at `path`, of at most `plainBytesMax` bytes.
 * @param tables loaded when a font needs one
 * @throws NotPlain here and from everything of the source; other errors too, of files that are worse
 */
export function openPlainSource(path: string, pagesMax: number, tables: CharacterTables): PdfSource {
  const file = openPlainFile(readFileSync(path));
  const catalog = file.get(file.trailer, 'Root');
  if (!(catalog instanceof Map)) throw new NotPlain('no catalog');
  const pages = pagesOf(file, catalog, pagesMax);
  const information = file.get(file.trailer, 'Info');
  const said = (key: string): string => textString(information instanceof Map ? file.get(information, key) : null);
  // Asked for now, so that an odd one does not show itself when all pages are read.
  const [title, author, language, bookmarks] = [
    said('Title'),
    said('Author'),
    textString(file.get(catalog, 'Lang')),
    bookmarksOf(file, catalog),
  ];
  const fonts = createFonts(file, (collection) => {
    const table = tables.get(collection);
    if (table === undefined) throw new TableMissing(collection);
    return table;
  });
  const faulty = createFaultyFonts<PlainFont>();
  return {
    pageCount: pages.length,
    fonts: faulty,
    title: () => title,
    author: () => author,
    language: () => language,
    attachments() {
      refuseAttachments(file, catalog);
      return [];
    },
    bookmarks: () => bookmarks,
    async readPage(number, bounds, wantedPictures) {
      const { read, certain } = await withTables(tables, () => readPage(file, fonts, pages[number - 1]!, bounds, faulty.repairs));
      if (read.text.glyphCount > bounds.glyphsMax) throw new NotPlain('too much text');
      if (wantedPictures(read).length > 0) throw new NotPlain('a page that is wanted as a picture');
      faulty.learn(number, certain);
      return { ...read, drawn: [] };
    },
  };
}

/** A page cannot be read before this is loaded. */
class TableMissing extends Error {
  override readonly name = 'TableMissing';
  readonly collection: Collection;
  constructor(collection: Collection) {
    super(`The characters of Adobe-${collection} are not loaded`);
    this.collection = collection;
  }
}

/** Reading a page waits for nothing: where a table is missing, it is read once more. */
async function withTables<T>(tables: CharacterTables, read: () => T): Promise<T> {
  for (;;) {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof TableMissing)) throw error;
      await tables.load(error.collection);
    }
  }
}

function pageTimer(): () => void {
  const isLate = cpuTimer(pageMs);
  return () => {
    if (isLate()) throw new NotPlain('a page that takes long');
  };
}

type PlainFaults = ReadonlyMap<PlainFont, Repair>;

function readPage(
  file: PlainFile,
  fonts: Fonts,
  page: PlainPage,
  bounds: PageBounds,
  faulty: PlainFaults,
): { readonly read: SourcePage; readonly certain: PlainFaults } {
  refuseWrittenOn(file, page);
  const checkTime = pageTimer();
  const content = runContent(file, fonts, contentOf(file, page, checkTime), page.resources, checkTime);
  const view = viewOf(page.box, page.rotation);
  const finder = createRuleFinder(view);
  for (const { box, lines } of content.paths) finder.addPath(box, () => lines);
  const pictures = largePictures(content.pictures, view);
  const cover = coverFor(bounds, pictures, view);
  const rules = content.paths.length > objectsMax ? [] : finder.rules;
  const glyphs = createGlyphCollector(view, rules, linkAreasOf(file, page, view), cover);
  const { shown, certain, repairedCount, unmappedCount, garbledCount } = withRepairs(content, faulty);
  collectGlyphs(shown, view, glyphs);
  const read = {
    text: glyphs.finish([], { unmappedCount, garbledCount }),
    repairedCount,
    pictureShare: pictureShareOf(content.pictures, view),
    pictures,
    cover,
    box: { left: 0, top: 0, right: view.width, bottom: view.height },
    objectCount: content.objectCount,
  };
  return { read, certain };
}

function largePictures(pictures: readonly Matrix[], view: View): SeenBox[] {
  const large: SeenBox[] = [];
  for (const matrix of pictures) {
    const corners = [...apply(matrix, 0, 0), ...apply(matrix, 1, 0), ...apply(matrix, 0, 1), ...apply(matrix, 1, 1)];
    addLarge(large, seenBox(corners, view), view);
  }
  return large;
}

function pictureShareOf(pictures: readonly Matrix[], view: View): number {
  const areas = pictures.map((matrix) => {
    const [a, b, c, d] = matrix;
    return (Math.abs(a) + Math.abs(c)) * (Math.abs(b) + Math.abs(d));
  });
  return Math.min(1, areas.reduce((most, area) => Math.max(most, area), 0) / (view.width * view.height));
}
