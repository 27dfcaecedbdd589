/**
 * OpenDocument (ODT, ODS, ODP, their templates, and the same in one file of XML): texts, spreadsheets and presentations, told apart by what
 * the file itself holds. Of texts, headers stand once before the text, footers once behind it.
 */
import { DocumentError } from '../../../errors.ts';
import { declaredCharset } from '../../html/html-parser.ts';
import { readText } from '../../input.ts';
import { createMarkdownBuilder } from '../../markdown/markdown-builder.ts';
import { isPageNumber, withoutPageNumbers } from '../../page-number.ts';
import type { ParsedDocument, ParseInput, Parser } from '../../parser.ts';
import { createRepeats } from '../../repeats.ts';
import {
  child,
  createXmlCounts,
  descend,
  descendants,
  createTreeBuilder,
  elements,
  readXmlPart,
  readXmlText,
  readXmlTree,
  replay,
  textOf,
  type NamespaceTable,
  type TreeBuilder,
  type XmlHandler,
  type XmlNode,
} from '../../containers/xml.ts';
import { createMissingParts } from '../../containers/missing-parts.ts';
import { noParts, type Part, writePart } from '../../containers/parts.ts';
import { openZip, type Zip } from '../../containers/zip.ts';
import { storedZip, type ZipPart } from '../../containers/zip-writer.ts';
import { createBlockWriter, createTextWriter, type BlockWriter } from '../block-writer.ts';
import { createOdfReader, type OdfContext } from './odf-body.ts';
import { createOdfSheetReader } from './odf-sheet.ts';
import { createOdfStyles, type OdfStyles } from './odf-styles.ts';
import { readOdfObject, type OdfObject, type OdfObjects } from './odf-text.ts';
import { languageTag } from '../office-package.ts';

const oasis = 'urn:oasis:names:tc:opendocument:xmlns';
const namespaces: NamespaceTable = {
  [`${oasis}:office:1.0`]: 'office',
  [`${oasis}:text:1.0`]: 'text',
  [`${oasis}:table:1.0`]: 'table',
  [`${oasis}:drawing:1.0`]: 'draw',
  [`${oasis}:draw:1.0`]: 'draw',
  [`${oasis}:style:1.0`]: 'style',
  [`${oasis}:meta:1.0`]: 'meta',
  [`${oasis}:presentation:1.0`]: 'presentation',
  [`${oasis}:chart:1.0`]: 'chart',
  [`${oasis}:manifest:1.0`]: 'manifest',
  [`${oasis}:svg-compatible:1.0`]: 'svg',
  'http://www.w3.org/1999/xlink': 'xlink',
  'http://www.w3.org/1998/Math/MathML': 'math',
  'http://purl.org/dc/elements/1.1/': 'dc',
};
/** Embedded objects that are read. */
const objectsMax = 500;

/** A parser for OpenDocument in one file of XML (FODT, FODS, FODP). As below. */
export function createFlatOdfParser(): Parser {
  return { parse: readFlatFile };
}

/** A parser for OpenDocument files. Pages are slides or sheets; texts have none. `parts` reads files inside of one. */
export function createOdfParser(parts: Parser = noParts): Parser {
  return {
    async parse(input) {
      const zip = openZip(input, input.limits);
      try {
        return await readFile(zip, input, parts);
      } finally {
        zip.close();
      }
    },
  };
}

async function readFile(zip: Zip, input: ParseInput, parser: Parser): Promise<ParsedDocument> {
  const { limits } = input;
  const options = { namespaces, limits, counts: createXmlCounts() };
  const tree = (name: string) => readXmlTree(zip, name, options);
  refuseEncrypted(await tree('META-INF/manifest.xml'));
  const builder = createMarkdownBuilder(limits);
  const pages = createPages(input);
  const out = createBlockWriter(builder, () => ({ page: pages.current }));
  const stylesRoot = await tree('styles.xml');
  const objects = await readObjects(zip, tree);
  const parts = { out, pages, input, styles: readStyles(stylesRoot), objects: objects.shown };
  const handler = bodyHandler({ ...parts, masters: () => child(stylesRoot, 'office:master-styles') });
  const end = await readXmlPart(zip, 'content.xml', handler, options);
  if (end?.hasRoot !== true) {
    throw new DocumentError('corrupt', 'The OpenDocument file is damaged: the part that holds its text cannot be read');
  }
  out.flush();
  const damage: string[] = [];
  for (const part of embeddedParts(zip, objects.documents))
    await writePart(part, { input, builder, parser, warnings: damage, kind: 'embedded file' }, 1, `Embedded file: ${part.name}`);
  const { markdown, blocks } = builder.finish();
  const meta = await tree('meta.xml').catch((error: unknown) => {
    if (!(error instanceof DocumentError) || error.code !== 'corrupt') throw error;
    damage.push(`The properties of the file were not read: ${error.message}`);
    return null;
  });
  const said = (await zip.read('mimetype', 1000))?.toString('latin1').trim() ?? '';
  return {
    mediaType: mediaTypeOf(said, pages),
    ...metaOf(child(meta, 'office:meta')),
    pages: pages.current,
    markdown,
    blocks,
    warnings: [
      ...zip.warnings,
      ...damage,
      ...objects.warnings(),
      ...(end.isCutShort ? ['The part content.xml is incomplete; it was read as far as possible'] : []),
      ...hiddenSlides(pages),
    ],
  };
}

function metaOf(meta: XmlNode | undefined): Pick<ParsedDocument, 'title' | 'author' | 'language'> {
  return {
    title: textOrNull(child(meta, 'dc:title')),
    author: textOrNull(child(meta, 'meta:initial-creator')) ?? textOrNull(child(meta, 'dc:creator')),
    language: languageTag(textOf(child(meta, 'dc:language'))),
  };
}

function hiddenSlides({ hidden }: Pages): string[] {
  return hidden.length === 0 ? [] : [`Hidden slides were read too: ${hidden.slice(0, 50).join(', ')}`];
}

async function readFlatFile(input: ParseInput): Promise<ParsedDocument> {
  const { limits } = input;
  const builder = createMarkdownBuilder(limits);
  const pages = createPages(input);
  const out = createBlockWriter(builder, () => ({ page: pages.current }));
  const kept = new Map<string, XmlNode>();
  const masters = () => kept.get('office:master-styles');
  const handler = keepParts(kept, bodyHandler({ out, pages, input, styles: createOdfStyles(), objects: new Map(), masters }));
  const text = readText(input, declaredCharset);
  const end = readXmlText(text, handler, { namespaces, limits, counts: createXmlCounts(), part: input.filename });
  out.flush();
  return {
    mediaType: `application/vnd.oasis.opendocument.${pages.kind}-flat-xml`,
    ...metaOf(kept.get('office:meta')),
    pages: pages.current,
    ...builder.finish(),
    warnings: [...(end.isCutShort ? ['The file is incomplete; it was read as far as possible'] : []), ...hiddenSlides(pages)],
  };
}

/** Hands everything on but what is no text of the body, which it keeps as trees: what is said about the file, and pages' headers. */
function keepParts(kept: Map<string, XmlNode>, handler: XmlHandler): XmlHandler {
  let tree: TreeBuilder | null = null;
  return {
    open(name, attributes) {
      if (tree === null && (name === 'office:meta' || name === 'office:master-styles')) tree = createTreeBuilder(name);
      (tree?.handler ?? handler).open(name, attributes);
    },
    text: (data) => (tree?.handler ?? handler).text?.(data),
    close(name) {
      (tree?.handler ?? handler).close(name);
      if (tree === null || tree.depth > 0) return;
      const root = tree.root()!;
      kept.set(root.name, kept.get(root.name) ?? root);
      tree = null;
    },
  };
}

function refuseEncrypted(manifest: XmlNode | null): void {
  if (descendants(manifest, 'manifest:encryption-data').next().done !== true) {
    throw new DocumentError('encrypted', 'The file is protected by a password: remove the password and upload it again');
  }
}

type Pages = { current: number | null; kind: 'text' | 'spreadsheet' | 'presentation'; readonly hidden: number[]; next(): void };

function createPages(input: ParseInput): Pages {
  return {
    current: null,
    kind: 'text',
    hidden: [],
    next() {
      this.current = (this.current ?? 0) + 1;
      if (this.current > input.limits.pagesMax) {
        throw new DocumentError('limit_exceeded', `The file has more than ${input.limits.pagesMax} slides or sheets (MAX_PAGES)`);
      }
      input.onProgress(this.current - 1, null);
    },
  };
}

type BodyParts = {
  readonly out: BlockWriter;
  readonly pages: Pages;
  readonly input: ParseInput;
  readonly styles: OdfStyles;
  readonly objects: OdfObjects;
  /** `office:master-styles`, once the body begins. */
  readonly masters: () => XmlNode | undefined;
};

/** Texts and presentations are read by one handler, spreadsheets by another; which, the body's first element says. */
function bodyHandler({ out, pages, input, styles, objects, masters }: BodyParts): XmlHandler {
  const { cellsMax } = input.limits;
  const shown = new Set<string>();
  const context: OdfContext = {
    repeats: createRepeats(),
    styles,
    objects,
    cellsMax,
    onPage(isHidden) {
      pages.next();
      if (isHidden) pages.hidden.push(pages.current ?? 0);
    },
  };
  const textHandler = createOdfReader(out, context);
  const sheetHandler = createOdfSheetReader({
    out,
    cellsMax,
    objects,
    onSheet(name) {
      pages.next();
      out.heading(1, name);
    },
  });
  let handler = textHandler;
  return {
    open(name, attributes) {
      if (name === 'office:spreadsheet') {
        handler = sheetHandler;
        pages.kind = 'spreadsheet';
      } else if (name === 'office:presentation') pages.kind = 'presentation';
      else if (name === 'office:text') writeMargins(masters(), 'header', { out, context, shown });
      handler.open(name, attributes);
    },
    text: (data) => handler.text?.(data),
    close(name) {
      handler.close(name);
      if (name === 'office:spreadsheet') handler = textHandler;
      else if (name === 'office:text') writeMargins(masters(), 'footer', { out, context, shown });
    },
  };
}

type Margins = { readonly out: BlockWriter; readonly context: OdfContext; readonly shown: Set<string> };

/** What stands at the edge of pages, each line once; what only counts pages is left out. */
function writeMargins(masters: XmlNode | undefined, edge: 'header' | 'footer', { out, context, shown }: Margins): void {
  for (const page of elements(masters, 'style:master-page')) {
    for (const each of elements(page)) {
      if (!each.name.startsWith(`style:${edge}`) || each.attributes['style:display'] === 'false') continue;
      const writer = createTextWriter();
      replay(each, createOdfReader(writer, context));
      for (const line of writer.text().split('\n')) {
        const text = line.replace(/\s+/g, ' ').trim();
        const pattern = withoutPageNumbers(text);
        if (text === '' || isPageNumber(text) || shown.has(pattern)) continue;
        shown.add(pattern);
        out.paragraph(text);
      }
    }
  }
}

function readStyles(root: XmlNode | null): OdfStyles {
  const styles = createOdfStyles();
  for (const group of ['office:styles', 'office:automatic-styles']) {
    for (const each of elements(child(root, group))) styles.add(each);
  }
  return styles;
}

type Objects = {
  readonly shown: OdfObjects;
  /** Folders. */
  readonly documents: readonly string[];
  /** Sentences about those that are not there, or too many; complete once the text was read. */
  readonly warnings: () => readonly string[];
};

const documentBodies = ['office:text', 'office:spreadsheet', 'office:presentation', 'office:drawing'];

/** Charts and formulas lie in folders of their own, each with a `content.xml`; so do documents that are inside of this one. */
async function readObjects(zip: Zip, tree: (name: string) => Promise<XmlNode | null>): Promise<Objects> {
  const shown = new Map<string, OdfObject>();
  const documents: string[] = [];
  const folders = new Set<string>();
  const missing = createMissingParts();
  let leftOut = 0;
  for (const name of zip.names) {
    const folder = /^(.+)\/content\.xml$/.exec(name)?.[1];
    if (folder === undefined) continue;
    folders.add(folder);
    // What lies deeper is inside of one that is already a document.
    if (documents.some((document) => folder.startsWith(`${document}/`))) continue;
    if (shown.size + documents.length >= objectsMax) {
      leftOut++;
      continue;
    }
    const root = await tree(name);
    const body = descend(root, 'office:body');
    if (documentBodies.some((kind) => child(body, kind) !== undefined)) documents.push(folder);
    else shown.set(folder, readOdfObject(body ?? root));
  }
  return {
    shown: {
      get(folder) {
        // What is linked lies outside; files of other programs lie beside.
        const isInside = !/^(?:\.\.)?\/|:/.test(folder);
        if (isInside && !folders.has(folder) && zip.find(folder) === null) missing.add(folder);
        return shown.get(folder);
      },
    },
    documents,
    warnings: () => [
      ...missing.warnings(),
      ...(leftOut === 0 ? [] : [`The file has more than ${objectsMax} objects; ${leftOut} of them were not read`]),
    ],
  };
}

/** Whole documents inside of one: folders that are packages of their own, and files of other programs (OLE). */
function embeddedParts(zip: Zip, folders: readonly string[]): Part[] {
  const packages = folders.map((folder): Part => {
    const inside = zip.names.filter((name) => name.startsWith(`${folder}/`));
    return { name: folder, mediaType: null, bytes: (bytesMax) => packageOf(zip, inside, { folder, bytesMax }) };
  });
  const files = zip.names.filter((name) => /^Object \d{1,6}$/.test(name)).slice(0, objectsMax);
  return [
    ...packages,
    ...files.map((name): Part => ({ name, mediaType: null, bytes: async (most) => (await zip.read(name, most))! })),
  ];
}

async function packageOf(
  zip: Zip,
  names: readonly string[],
  { folder, bytesMax }: { readonly folder: string; readonly bytesMax: number },
): Promise<Buffer> {
  const parts: ZipPart[] = [];
  let left = bytesMax;
  for (const name of names) {
    const bytes = (await zip.read(name, left))!;
    left -= bytes.length;
    parts.push({ name: name.slice(folder.length + 1), bytes });
  }
  return storedZip(parts);
}

function mediaTypeOf(said: string, pages: Pages): string {
  return /^application\/vnd\.oasis\.opendocument\.[\w-]+$/.test(said) ? said : `application/vnd.oasis.opendocument.${pages.kind}`;
}

function textOrNull(node: XmlNode | undefined): string | null {
  const text = textOf(node).replace(/\s+/g, ' ').trim();
  return text === '' ? null : text.slice(0, 1000);
}
