/**
 * An Office Open XML package (OPC): parts, and how they point to one another. Follows relationships inside the archive only;
 * what is marked external is dropped here, so that no reader can meet it.
 */
import { DocumentError } from '../../errors.ts';
import type { ParseInput, ParseLimits } from '../parser.ts';
import {
  child,
  createXmlCounts,
  elements,
  readXmlPart,
  readXmlTree,
  textOf,
  type XmlEnd,
  type XmlHandler,
  type XmlNode,
} from '../containers/xml.ts';
import { createMissingParts } from '../containers/missing-parts.ts';
import { openZip, unescapePath, type Zip } from '../containers/zip.ts';
import { officeNamespaces } from './namespaces.ts';

export type Relation = {
  /** The last word of the relationship's URI: `styles`, `slide`, `image` … */ readonly type: string;
  /** A part of this archive. */ readonly target: string;
};

export interface OfficePackage {
  /** The document, presentation or workbook. */
  readonly mainPart: string;
  readonly mediaType: string;
  readonly title: string | null;
  readonly author: string | null;
  /** Primary tag, if the package says one; office programs seldom do. */
  readonly language: string | null;
  readonly limits: ParseLimits;
  /** Sentences about damage read around; add to it. */
  readonly warnings: string[];
  relationsOf(part: string): Promise<ReadonlyMap<string, Relation>>;
  /** Addresses outside that links of the part lead to, by relationship. Nothing asks for what is there. */
  linksOf(part: string): Promise<ReadonlyMap<string, string>>;
  /** The part that `part` points to by its first relationship of that type. */
  relatedPart(part: string, type: string): Promise<string | null>;
  /** The XML parts directly in a folder (`ppt/slides/`), where nothing lists them. */
  partsIn(folder: string): string[];
  tree(part: string): Promise<XmlNode | null>;
  /** Reads a part as events; a part that breaks off is read as far as it goes and a warning added. Null: no such part. */
  events(part: string, handler: XmlHandler): Promise<XmlEnd | null>;
  /** A part of any kind. @throws DocumentError `corrupt` when there is none, and what `Zip.read` throws. */
  bytes(part: string, bytesMax?: number): Promise<Buffer>;
  close(): void;
}

/** What a reader expects: where the main part usually is, and the media type of the plain kind. */
export type PackageKind = { readonly usualPart: string; readonly mediaType: string; readonly name: string };

/**
 * Opens the package and reads its properties. Close it when done.
 * @throws DocumentError `corrupt` when its main part is missing, and what `openZip` throws.
 */
export async function openPackage(input: ParseInput, kind: PackageKind): Promise<OfficePackage> {
  const zip = openZip(input, input.limits);
  try {
    return await packageOver(zip, input.limits, kind);
  } catch (error) {
    zip.close();
    throw error;
  }
}

/** By the last words of their relationships' types: parts that say something. Pictures, fonts, styles and settings do not. */
const saying = new Set([
  'aFChunk',
  'chart',
  'chartEx',
  'chartsheet',
  'comments',
  'diagramData',
  'dialogsheet',
  'drawing',
  'endnotes',
  'footer',
  'footnotes',
  'header',
  'notesSlide',
  'oleObject',
  'package',
  'sharedStrings',
  'slide',
  'threadedComment',
  'worksheet',
]);

/** `slide9` before `slide10`. */
const byNumber = new Intl.Collator('en', { numeric: true }).compare;

/** Parts that no program writes without a part that says where theirs are: a slide has its layout, a workbook its sheets. */
const hasRelations = /(?:^|\/)(?:workbook|presentation|slide\d+)\.(?:xml|bin)$/i;
/** What a document says of its headers, notes, comments, pictures and objects. */
const refersElsewhere = /\sr:(?:id|embed|link|dm|pict)=|:(?:footnote|endnote|comment)Reference\b/;
/** As long as what is looked for is at most. */
const referenceUnits = 32;

/** A part stands in one place of an honest file; one that ten thousand slides name would be read as often. */
const readsMax = 20;

async function packageOver(zip: Zip, limits: ParseLimits, kind: PackageKind): Promise<OfficePackage> {
  const options = { namespaces: officeNamespaces, limits, counts: createXmlCounts() };
  const ownWarnings: string[] = [];
  const known = new Map<string, ReadonlyMap<string, Relation>>();
  const links = new Map<string, Map<string, string>>();

  const reads = new Map<string, number>();
  const missing = createMissingParts();

  async function tree(part: string): Promise<XmlNode | null> {
    const name = zip.find(part) ?? part;
    const count = (reads.get(name) ?? 0) + 1;
    reads.set(name, count);
    if (count <= readsMax) return readXmlTree(zip, name, options);
    if (count === readsMax + 1)
      ownWarnings.push(`The part ${name} is named in more than ${readsMax} places; it was read in the first of them`);
    return null;
  }

  /** A document may do without, where nothing in it stands elsewhere. */
  async function needsRelations(part: string): Promise<boolean> {
    if (!/(?:^|\/)document\.xml$/i.test(part)) return hasRelations.test(part);
    let before = '';
    // As it comes: a part may be larger than a string can be.
    for await (const chunk of zip.chunks(part)) {
      const text = before + chunk.toString('latin1');
      if (refersElsewhere.test(text)) return true;
      before = text.slice(-referenceUnits);
    }
    return false;
  }

  async function relationsOf(part: string): Promise<ReadonlyMap<string, Relation>> {
    const cached = known.get(part);
    if (cached !== undefined) return cached;
    const slash = part.lastIndexOf('/') + 1;
    const relationsPart = `${part.slice(0, slash)}_rels/${part.slice(slash)}.rels`;
    const root = await tree(relationsPart);
    if (root === null && (await needsRelations(part))) missing.add(relationsPart);
    const relations = new Map<string, Relation>();
    const outward = new Map<string, string>();
    links.set(part, outward);
    for (const { attributes } of elements(root, 'rel:Relationship')) {
      if (attributes['TargetMode'] === 'External') {
        if (attributes['Type']?.endsWith('/hyperlink') === true) outward.set(attributes['Id'] ?? '', attributes['Target'] ?? '');
        continue;
      }
      const type = (attributes['Type'] ?? '').split('/').at(-1) ?? '';
      const path = resolveTarget(part, attributes['Target'] ?? '');
      const target = zip.find(path);
      if (target !== null) relations.set(attributes['Id'] ?? '', { type, target });
      else if (saying.has(type)) missing.add(path);
    }
    known.set(part, relations);
    return relations;
  }

  async function relatedPart(part: string, type: string): Promise<string | null> {
    for (const relation of (await relationsOf(part)).values()) if (relation.type === type) return relation.target;
    return null;
  }

  const mainPart = (await relatedPart('', 'officeDocument')) ?? zip.find(kind.usualPart);
  if (mainPart === null) {
    throw new DocumentError('corrupt', `The ${kind.name} is damaged: the part that holds its text is missing`);
  }
  /** A part that only says something about the file: none of its text is lost with it. */
  async function properties(part: string): Promise<XmlNode | null> {
    try {
      return await tree(part);
    } catch (error) {
      if (!(error instanceof DocumentError) || error.code !== 'corrupt') throw error;
      ownWarnings.push(`The properties of the file were not read: ${error.message}`);
      return null;
    }
  }

  const core = await properties((await relatedPart('', 'core-properties')) ?? 'docProps/core.xml');
  return {
    mainPart,
    mediaType: await mediaTypeOf(tree, mainPart, kind.mediaType),
    title: textOrNull(child(core, 'dc:title')),
    author: textOrNull(child(core, 'dc:creator')),
    language: languageTag(textOf(child(core, 'dc:language'))),
    limits,
    get warnings() {
      return [...zip.warnings, ...ownWarnings, ...missing.warnings()];
    },
    relationsOf,
    async linksOf(part) {
      await relationsOf(part);
      return links.get(part)!;
    },
    relatedPart,
    partsIn: (folder) =>
      zip.names.filter((name) => name.startsWith(folder) && /^[^/]+\.xml$/.test(name.slice(folder.length))).sort(byNumber),
    tree,
    async events(part, handler) {
      const end = await readXmlPart(zip, part, handler, options);
      if (end?.isCutShort === true) ownWarnings.push(`The part ${part} is incomplete; it was read as far as possible`);
      return end;
    },
    async bytes(part, bytesMax) {
      const bytes = await zip.read(part, bytesMax);
      if (bytes === null) throw new DocumentError('corrupt', `The part ${part} is missing`);
      return bytes;
    },
    close: () => zip.close(),
  };
}

/** The content type of the main part without its `.main+xml`, which is the file's media type. */
async function mediaTypeOf(tree: (part: string) => Promise<XmlNode | null>, mainPart: string, usual: string): Promise<string> {
  const types = await tree('[Content_Types].xml');
  const own = elements(types, 'ct:Override').find(
    ({ attributes }) => attributes['PartName']?.toLowerCase() === `/${mainPart}`.toLowerCase(),
  );
  const type = own?.attributes['ContentType']?.replace(/\.main\+xml$/, '') ?? '';
  return /^application\/[\w.+-]+$/.test(type) && type !== 'application/xml' ? type : usual;
}

/** A part's name by a target relative to the part that names it (OPC, annex A). */
export function resolveTarget(part: string, target: string): string {
  const path = unescapePath(target.split('#')[0] ?? '').replaceAll('\\', '/');
  const segments = path.startsWith('/') ? [] : part.split('/').slice(0, -1);
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '.' && segment !== '') segments.push(segment);
  }
  return segments.join('/');
}

function textOrNull(node: XmlNode | undefined): string | null {
  const text = textOf(node).replace(/\s+/g, ' ').trim();
  return text === '' ? null : text.slice(0, 1000);
}

/** The primary tag of a BCP 47 language; null when that is none. */
export function languageTag(text: string): string | null {
  return /^\s*([a-z]{2,3})(?:[-_]|\s*$)/i.exec(text)?.[1]?.toLowerCase() ?? null;
}
