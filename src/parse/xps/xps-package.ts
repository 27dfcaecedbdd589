/**
 * An XPS package (ECMA-388, and Microsoft's XPS before it): an OPC package of fixed documents. Finds its documents, their pages and
 * outlines, and resolves the paths by which its parts name each other. Elements are known by their local names: both kinds have namespaces of their own.
 */
import { DocumentError } from '../../errors.ts';
import { withWholeParts } from '../containers/interleaved-zip.ts';
import { child, elements, type XmlNode } from '../containers/xml.ts';
import { createMissingParts, type MissingParts } from '../containers/missing-parts.ts';
import { createPartTrees } from '../containers/part-trees.ts';
import type { Zip } from '../containers/zip.ts';
import { resolveTarget } from '../office/office-package.ts';
import type { ParseInput } from '../parser.ts';
import { type FontFile, readFontFile } from './font-file.ts';

export type XpsPackage = {
  readonly input: ParseInput;
  /** Of ECMA-388; else of Microsoft. */
  readonly isOpen: boolean;
  /** Sentences about what could not be read; add to it. */
  readonly warnings: string[];
  /** A part as a tree; null when there is none, or none that is XML, which becomes a warning. @throws DocumentError `limit_exceeded`. */
  readonly tree: (part: string) => Promise<XmlNode | null>;
  /** A part of any kind; null when there is none. */
  readonly bytes: (part: string) => Promise<Buffer | null>;
  /** By a path as `from` names it; null when there is no such part. */
  readonly find: (from: string, path: string) => string | null;
  readonly missing: MissingParts;
  /** By its part; null for one that cannot be read. Each is read once. */
  readonly font: (part: string) => Promise<FontFile | null>;
  readonly documents: readonly XpsDocument[];
  /** Title, author, language. */
  readonly properties: XmlNode | null;
};

export type XpsDocument = {
  /** Null where the page is not in the file: those after it keep their numbers. */
  readonly pages: readonly (XpsPage | null)[];
  /** `DocumentOutline`. */
  readonly outline: XmlNode | undefined;
};

/** Sizes in 1/96 inch as the document says them; NaN where it does not. */
export type XpsPage = { readonly part: string; readonly width: number; readonly height: number };

/** Of one file, read to know how wide their letters are; those behind are as wide as usual. */
const fontsMax = 200;
const fontBytesMax = 64 * 1024 * 1024;
/** Characters of which glyphs are looked up, of all fonts together, some 40 bytes each. */
const fontCharactersMax = 500_000;

/**
 * Reads what an open archive holds.
 * @throws DocumentError `corrupt` when no document is found, and what archives throw
 */
export async function openXps(archive: Zip, input: ParseInput): Promise<XpsPackage> {
  const zip = withWholeParts(archive);
  const warnings: string[] = [];
  const tree = createPartTrees(zip, input.limits, warnings);
  const fonts = new Map<string, FontFile | null>();
  let charactersLeft = fontCharactersMax;

  async function font(part: string): Promise<FontFile | null> {
    const known = fonts.get(part);
    if (known !== undefined || fonts.size >= fontsMax) return known ?? null;
    const bytes = await zip.read(part, fontBytesMax).catch((error: unknown) => {
      if (error instanceof DocumentError && (error.code === 'corrupt' || isLarge(error))) return null;
      throw error;
    });
    const read = bytes === null ? null : readFontFile(part, bytes, charactersLeft);
    charactersLeft -= read?.characterCount ?? 0;
    fonts.set(part, read);
    return read;
  }

  const find = (from: string, path: string): string | null => zip.find(resolveTarget(from, path.trim()));
  const relations = await relationsOf('', { tree, find });
  const start = related(relations, 'fixedrepresentation')?.target ?? anyPart(zip, '.fdseq');
  const properties = related(relations, 'core-properties')?.target ?? null;
  const documents = await readDocuments(start, { input, warnings, tree, find });
  return {
    input,
    isOpen: related(relations, 'fixedrepresentation')?.type.includes('openxps') ?? false,
    warnings,
    tree,
    bytes: (part) => zip.read(part),
    find,
    missing: createMissingParts(),
    font,
    documents,
    properties: properties === null ? null : await tree(properties),
  };
}

function isLarge(error: DocumentError): boolean {
  return error.message.includes('the most that is read of it');
}

function anyPart(zip: Zip, ending: string): string | null {
  return zip.names.find((name) => name.toLowerCase().endsWith(ending)) ?? null;
}

type Parts = Pick<XpsPackage, 'tree' | 'find'>;
type Relation = { readonly type: string; readonly target: string };

async function relationsOf(part: string, { tree, find }: Parts): Promise<readonly Relation[]> {
  const slash = part.lastIndexOf('/') + 1;
  const listed = find('', `${part.slice(0, slash)}_rels/${part.slice(slash)}.rels`);
  const root = listed === null ? null : await tree(listed);
  return elements(root, 'Relationship').flatMap(({ attributes }) => {
    const target = attributes['TargetMode'] === 'External' ? null : find(part, attributes['Target'] ?? '');
    return target === null ? [] : [{ type: attributes['Type'] ?? '', target }];
  });
}

function related(relations: readonly Relation[], kind: string): Relation | undefined {
  return relations.find(({ type }) => type.endsWith(`/${kind}`));
}

/** A sequence of documents, or one that nothing lists. */
async function readDocuments(
  start: string | null,
  package_: Parts & Pick<XpsPackage, 'input' | 'warnings'>,
): Promise<XpsDocument[]> {
  const { tree, find, warnings, input } = package_;
  const root = start === null ? null : await tree(start);
  const references = root?.name === 'FixedDocument' ? [start!] : elements(root, 'DocumentReference').map(sourceOf);
  const documents: XpsDocument[] = [];
  let missing = 0;
  for (const reference of references.slice(0, input.limits.pagesMax)) {
    const part = find(root?.name === 'FixedDocument' ? '' : start!, reference);
    const document = part === null ? null : part === start ? root : await tree(part);
    if (document?.name !== 'FixedDocument') missing++;
    else documents.push(await readDocument(part!, document, package_));
  }
  if (missing > 0) warnings.push(`${missing} document(s) are missing in the file`);
  if (documents.length === 0) {
    throw new DocumentError('corrupt', 'The XPS file is damaged: the part that lists its pages cannot be read');
  }
  return documents;
}

async function readDocument(part: string, document: XmlNode, { tree, find }: Parts): Promise<XpsDocument> {
  const pages = elements(document, 'PageContent').map((page) => {
    const target = find(part, sourceOf(page));
    return target === null
      ? null
      : { part: target, width: Number(page.attributes['Width']), height: Number(page.attributes['Height']) };
  });
  const structure = related(await relationsOf(part, { tree, find }), 'documentstructure');
  const root = structure === undefined ? null : await tree(structure.target);
  return { pages, outline: child(child(root, 'DocumentStructure.Outline'), 'DocumentOutline') };
}

function sourceOf({ attributes }: XmlNode): string {
  return attributes['Source'] ?? '';
}
