/** OpenDocument (ODT, ODS, ODP and their templates): texts, spreadsheets and presentations, told apart by what the file itself holds. */
import { DocumentError } from '../../../errors.ts';
import { createMarkdownBuilder } from '../../markdown/markdown-builder.ts';
import type { ParsedDocument, ParseInput, Parser } from '../../parser.ts';
import { createRepeats } from '../../repeats.ts';
import {
  child,
  createXmlCounts,
  descend,
  descendants,
  elements,
  readXmlPart,
  readXmlTree,
  textOf,
  type NamespaceTable,
  type XmlHandler,
  type XmlNode,
} from '../../containers/xml.ts';
import { openZip, type Zip } from '../../containers/zip.ts';
import { createBlockWriter, type BlockWriter } from '../block-writer.ts';
import { createOdfReader } from './odf-body.ts';
import { createOdfSheetReader } from './odf-sheet.ts';
import { createOdfStyles, type OdfStyles } from './odf-styles.ts';
import { readOdfObject, type OdfObject } from './odf-text.ts';
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
  'http://www.w3.org/1999/xlink': 'xlink',
  'http://www.w3.org/1998/Math/MathML': 'math',
  'http://purl.org/dc/elements/1.1/': 'dc',
};
/** Embedded objects that are read. */
const objectsMax = 500;

/** A parser for OpenDocument files. Pages are slides or sheets; texts have none. */
export function createOdfParser(): Parser {
  return {
    async parse(input) {
      const zip = openZip(input, input.limits);
      try {
        return await readFile(zip, input);
      } finally {
        zip.close();
      }
    },
  };
}

async function readFile(zip: Zip, input: ParseInput): Promise<ParsedDocument> {
  const { limits } = input;
  const options = { namespaces, limits, counts: createXmlCounts() };
  const tree = (name: string) => readXmlTree(zip, name, options);
  refuseEncrypted(await tree('META-INF/manifest.xml'));
  const builder = createMarkdownBuilder(limits);
  const pages = createPages(input);
  const out = createBlockWriter(builder, () => ({ page: pages.current }));
  const handler = bodyHandler({ out, pages, input, styles: await readStyles(tree), objects: await readObjects(zip, tree) });
  const end = await readXmlPart(zip, 'content.xml', handler, options);
  if (end?.hasRoot !== true) {
    throw new DocumentError('corrupt', 'The OpenDocument file is damaged: the part that holds its text cannot be read');
  }
  out.flush();
  const { markdown, blocks } = builder.finish();
  const meta = child(await tree('meta.xml'), 'office:meta');
  const said = async () => (await zip.read('mimetype', 1000))?.toString('latin1').trim() ?? '';
  return {
    mediaType: mediaTypeOf(await said(), pages),
    title: textOrNull(child(meta, 'dc:title')),
    author: textOrNull(child(meta, 'meta:initial-creator')) ?? textOrNull(child(meta, 'dc:creator')),
    language: languageTag(textOf(child(meta, 'dc:language'))),
    pages: pages.current,
    markdown,
    blocks,
    warnings: [
      ...zip.warnings,
      ...(end.isCutShort ? ['The part content.xml breaks off; it was read up to there'] : []),
      ...(pages.hidden.length === 0 ? [] : [`Hidden slides were read too: ${pages.hidden.slice(0, 50).join(', ')}`]),
    ],
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
  readonly objects: ReadonlyMap<string, OdfObject>;
};

/** Texts and presentations are read by one handler, spreadsheets by another; which, the body's first element says. */
function bodyHandler({ out, pages, input, styles, objects }: BodyParts): XmlHandler {
  const { cellsMax } = input.limits;
  const textHandler = createOdfReader(out, {
    repeats: createRepeats(),
    styles,
    objects,
    cellsMax,
    onPage(isHidden) {
      pages.next();
      if (isHidden) pages.hidden.push(pages.current ?? 0);
    },
  });
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
      handler.open(name, attributes);
    },
    text: (data) => handler.text?.(data),
    close(name) {
      handler.close(name);
      if (name === 'office:spreadsheet') handler = textHandler;
    },
  };
}

async function readStyles(tree: (name: string) => Promise<XmlNode | null>): Promise<OdfStyles> {
  const styles = createOdfStyles();
  const root = await tree('styles.xml');
  for (const group of ['office:styles', 'office:automatic-styles']) {
    for (const each of elements(child(root, group))) styles.add(each);
  }
  return styles;
}

/** Charts and formulas lie in folders of their own, each with a `content.xml`. */
async function readObjects(zip: Zip, tree: (name: string) => Promise<XmlNode | null>): Promise<ReadonlyMap<string, OdfObject>> {
  const objects = new Map<string, OdfObject>();
  for (const name of zip.names) {
    const folder = /^(.+)\/content\.xml$/.exec(name)?.[1];
    if (folder === undefined || objects.size >= objectsMax) continue;
    const root = await tree(name);
    objects.set(folder, readOdfObject(descend(root, 'office:body') ?? root));
  }
  return objects;
}

function mediaTypeOf(said: string, pages: Pages): string {
  return /^application\/vnd\.oasis\.opendocument\.[\w-]+$/.test(said) ? said : `application/vnd.oasis.opendocument.${pages.kind}`;
}

function textOrNull(node: XmlNode | undefined): string | null {
  const text = textOf(node).replace(/\s+/g, ' ').trim();
  return text === '' ? null : text.slice(0, 1000);
}
