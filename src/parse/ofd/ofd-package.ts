/**
 * An OFD package (GB/T 33190-2016): a ZIP of XML. Finds its documents, their pages, templates, fonts and pictures, and resolves the
 * paths by which its parts name each other. Elements are known by their local names, since writers use several namespaces, or none.
 */
import { DocumentError } from '../../errors.ts';
import { resolveTarget } from '../office/office-package.ts';
import { lookOf, type FontLook } from '../pdf/layout/font-look.ts';
import type { ParseInput } from '../parser.ts';
import { child, descend, elements, textOf, type XmlNode } from '../containers/xml.ts';
import { firstOf } from '../containers/first-of.ts';
import { createMissingParts, type MissingParts } from '../containers/missing-parts.ts';
import { createPartTrees } from '../containers/part-trees.ts';
import type { Zip } from '../containers/zip.ts';

export type OfdPackage = {
  readonly input: ParseInput;
  /** Sentences about what could not be read; add to it. */
  readonly warnings: string[];
  /** A part as a tree; null when there is none, or none that is XML, which becomes a warning. @throws DocumentError `limit_exceeded`. */
  readonly tree: (part: string) => Promise<XmlNode | null>;
  /** A part of any kind; null when there is none. */
  readonly bytes: (part: string) => Promise<Buffer | null>;
  /** By a path as `from` names it; null when there is no such part. */
  readonly find: (from: string, path: string) => string | null;
  /** The same, as the first of `from` names it that names one; that there is none becomes a warning, unless there is no path. */
  readonly need: (path: string, ...from: readonly string[]) => string | null;
  readonly missing: MissingParts;
  readonly documents: readonly OfdDocument[];
};

export type OfdPage = { readonly id: string; readonly part: string };

export type OfdDocument = {
  readonly part: string;
  readonly root: XmlNode;
  /** `DocInfo` of `OFD.xml`. */
  readonly info: XmlNode | undefined;
  readonly signatures: string | null;
  /** Null where the page is not in the file: those after it keep their numbers. */
  readonly pages: readonly (OfdPage | null)[];
  /** Parts by id. */
  readonly templates: ReadonlyMap<string, string>;
  readonly resources: OfdResources;
};

export type OfdResources = {
  readonly fonts: ReadonlyMap<string, FontLook>;
  /** Parts of pictures by id. */
  readonly pictures: ReadonlyMap<string, string>;
  /** Drawings that pages use by id (`CompositeGraphicUnit`). */
  readonly units: ReadonlyMap<string, XmlNode>;
};

/** Documents of one package. */
const documentsMax = 100;

/**
 * Reads what an open archive holds.
 * @throws DocumentError `corrupt` when no document is found, `encrypted`, and what archives throw
 */
export async function openOfd(zip: Zip, input: ParseInput): Promise<OfdPackage> {
  const warnings: string[] = [];
  const tree = createPartTrees(zip, input.limits, warnings);

  const find = (from: string, path: string): string | null => zip.find(resolveTarget(from, path.trim()));
  const missing = createMissingParts();
  const need = (path: string, ...from: readonly string[]): string | null => {
    const found = from.map((each) => find(each, path)).find((part) => part !== null) ?? null;
    if (found === null) missing.add(path);
    return found;
  };
  if (zip.find('Encryptions.xml') !== null || zip.find('Encryption.xml') !== null) throw protectedFile();
  const root = await tree(zip.find('OFD.xml') ?? 'OFD.xml');
  const documents: OfdDocument[] = [];
  for (const body of firstOf(elements(root, 'DocBody'), { most: documentsMax, what: 'documents', warnings })) {
    const part = need(textOf(child(body, 'DocRoot')), '');
    const document = part === null ? null : await tree(part);
    if (part === null || document === null) continue;
    const signatures = need(textOf(child(body, 'Signatures')), '');
    documents.push({ ...(await readDocument(part, document)), info: child(body, 'DocInfo'), signatures });
  }
  if (documents.length === 0) {
    throw new DocumentError('corrupt', 'The OFD file is damaged: the part that lists its pages cannot be read');
  }
  return { input, warnings, tree, bytes: (part) => zip.read(part), find, need, missing, documents };

  async function readDocument(part: string, document: XmlNode): Promise<Omit<OfdDocument, 'info' | 'signatures'>> {
    const common = child(document, 'CommonData');
    const templates = new Map<string, string>();
    for (const { attributes } of elements(common, 'TemplatePage')) {
      const target = need(attributes['BaseLoc'] ?? '', part);
      if (target !== null) templates.set(attributes['ID'] ?? '', target);
    }
    const pages = elements(child(document, 'Pages'), 'Page').map(({ attributes }) => {
      const target = find(part, attributes['BaseLoc'] ?? '');
      return target === null ? null : { id: attributes['ID'] ?? '', part: target };
    });
    // Of those that all documents share mostly fonts are missing.
    const shared = elements(common, 'PublicRes').map((each) => find(part, textOf(each)));
    const own = elements(common, 'DocumentRes').map((each) => need(textOf(each), part));
    const resources = await readResources([...shared, ...own].filter((each) => each !== null));
    return { part, root: document, pages, templates, resources };
  }

  async function readResources(parts: readonly string[]): Promise<OfdResources> {
    const fonts = new Map<string, FontLook>();
    const pictures = new Map<string, string>();
    const units = new Map<string, XmlNode>();
    for (const part of firstOf(parts, { most: documentsMax, what: 'lists of fonts and pictures in one document', warnings })) {
      const resources = await tree(part);
      if (resources === null) continue;
      const base = resources.attributes['BaseLoc'] ?? '';
      for (const font of elements(child(resources, 'Fonts'), 'Font')) fonts.set(font.attributes['ID'] ?? '', fontLook(font));
      for (const medium of elements(child(resources, 'MultiMedias'), 'MultiMedia')) {
        const file = textOf(child(medium, 'MediaFile')).trim();
        const target = find(part, file.startsWith('/') ? file : `${base}/${file}`) ?? find(part, file);
        if (target !== null) pictures.set(medium.attributes['ID'] ?? '', target);
      }
      for (const unit of elements(child(resources, 'CompositeGraphicUnits'), 'CompositeGraphicUnit')) {
        units.set(unit.attributes['ID'] ?? '', unit);
      }
    }
    return { fonts, pictures, units };
  }
}

function protectedFile(): DocumentError {
  return new DocumentError('encrypted', 'The OFD file is encrypted: save it without a password and upload it again');
}

function fontLook({ attributes }: XmlNode): FontLook {
  const look = lookOf(`${attributes['FontName'] ?? ''} ${attributes['FamilyName'] ?? ''}`, 0);
  return {
    ...look,
    bold: look.bold || attributes['Bold'] === 'true' || /黑体|粗/.test(attributes['FontName'] ?? ''),
    italic: look.italic || attributes['Italic'] === 'true',
    mono: look.mono || attributes['FixedWidth'] === 'true',
  };
}

/** The numbers of an attribute or element, separated by blanks; null unless there are `count` of them. */
export function numbersOf(text: string | undefined, count: number): number[] | null {
  const numbers = (text ?? '')
    .trim()
    .split(/[\s,]+/)
    .slice(0, count)
    .map(Number);
  return numbers.length === count && numbers.every(Number.isFinite) ? numbers : null;
}

/** Millimetres of a page: its own area, else its template's, else the document's, else A4. */
export function pageSize(
  page: XmlNode | null,
  templates: readonly (XmlNode | null)[],
  document: XmlNode,
): { width: number; height: number } {
  const areas = [child(page, 'Area'), ...templates.map((each) => child(each, 'Area')), descend(document, 'CommonData', 'PageArea')];
  for (const area of areas) {
    const [, , width = 0, height = 0] = numbersOf(textOf(child(area, 'PhysicalBox')), 4) ?? [];
    if (width > 0 && height > 0) return { width, height };
  }
  return { width: 210, height: 297 };
}
