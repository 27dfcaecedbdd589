/** The package document of an EPUB: metadata, the order of reading, and the titles that its table of contents gives to files. */
import { DocumentError } from '../../errors.ts';
import { resolveTarget } from '../office/office-package.ts';
import type { ParseLimits } from '../parser.ts';
import {
  child,
  createXmlCounts,
  descend,
  descendants,
  elements,
  readXmlTree,
  textOf,
  type NamespaceTable,
  type XmlNode,
} from '../containers/xml.ts';
import type { Zip } from '../containers/zip.ts';

export type EpubPackage = {
  readonly title: string | null;
  readonly author: string | null;
  /** As the book says it (`zh-Hant`). */ readonly language: string | null;
  /** XHTML files in the order of reading, without the table of contents. */ readonly chapters: readonly string[];
  /** The first title that the table of contents has for a file. */ readonly titles: ReadonlyMap<string, string>;
  /** Files that the order of reading names and the archive lacks. */ readonly missing: readonly string[];
};

const namespaces: NamespaceTable = {
  'urn:oasis:names:tc:opendocument:xmlns:container': 'container',
  'http://www.idpf.org/2007/opf': 'opf',
  'http://purl.org/dc/elements/1.1/': 'dc',
  'http://purl.org/dc/elements/1.0/': 'dc',
  'http://www.daisy.org/z3986/2005/ncx/': 'ncx',
  'http://www.w3.org/1999/xhtml': 'html',
  'http://www.idpf.org/2007/ops': 'epub',
  'http://www.w3.org/2001/04/xmlenc#': 'enc',
};

/** @throws DocumentError `corrupt` without a package document or text; `encrypted` when a chapter is. */
export async function readEpubPackage(zip: Zip, limits: ParseLimits): Promise<EpubPackage> {
  const options = { namespaces, limits, counts: createXmlCounts() };
  const tree = (name: string) => readXmlTree(zip, name, options);
  const packagePart = await findPackage(zip, tree);
  const root = await tree(packagePart);
  const metadata = child(root, 'opf:metadata');
  // Books of EPUB 2 put `dc:` elements one level deeper.
  const said = child(metadata, 'opf:dc-metadata') ?? metadata;
  const items = readManifest(root, packagePart, zip);
  const spine = elements(child(root, 'opf:spine'), 'opf:itemref').map(
    ({ attributes: { idref = '' } }) => items.get(idref) ?? unknownItem(idref),
  );
  const listed = spine.filter((item) => isText(item.type) && !item.isNavigation);
  const chapters = [...new Set(listed.flatMap(({ part }) => (part === null ? [] : [part])))];
  if (chapters.length === 0) chapters.push(...zip.names.filter((name) => /\.x?html?$/i.test(name)));
  if (chapters.length === 0) throw new DocumentError('corrupt', 'The book is damaged: it names no file with text');
  refuseEncrypted(await tree('META-INF/encryption.xml'), new Set(chapters));
  return {
    title: firstText(said, 'dc:title'),
    author:
      elements(said, 'dc:creator')
        .map((node) => plain(textOf(node)))
        .filter((name) => name !== '')
        .slice(0, 20)
        .join(', ') || null,
    language: firstText(said, 'dc:language'),
    chapters,
    titles: await readTitles([...items.values()], tree),
    missing: listed.filter(({ part }) => part === null).map(({ href }) => href),
  };
}

type Item = { readonly href: string; readonly part: string | null; readonly type: string; readonly isNavigation: boolean };

/** Of a chapter that stands in no list. */
function unknownItem(href: string): Item {
  return { href, part: null, type: 'text/html', isNavigation: false };
}

async function findPackage(zip: Zip, tree: (name: string) => Promise<XmlNode | null>): Promise<string> {
  const container = await tree(zip.find('META-INF/container.xml') ?? '');
  const named = [...descendants(container, 'container:rootfile')]
    .map(({ attributes }) => zip.find(attributes['full-path'] ?? ''))
    .find((part) => part !== null);
  const found = named ?? zip.names.find((name) => /\.opf$/i.test(name));
  if (found === undefined) throw new DocumentError('corrupt', 'The book is damaged: its package document (OPF) is missing');
  return found;
}

function readManifest(root: XmlNode | null, packagePart: string, zip: Zip): ReadonlyMap<string, Item> {
  const items = new Map<string, Item>();
  for (const { attributes } of elements(child(root, 'opf:manifest'), 'opf:item')) {
    const href = attributes['href'] ?? '';
    items.set(attributes['id'] ?? '', {
      href,
      part: zip.find(targetOf(packagePart, href)),
      type: attributes['media-type'] ?? '',
      isNavigation: (attributes['properties'] ?? '').split(/\s+/).includes('nav'),
    });
  }
  return items;
}

/** No member has a longer name; of a normal form a long one would cost its square. */
const hrefCharactersMax = 4096;

function targetOf(from: string, href: string): string {
  return href.length > hrefCharactersMax ? '' : resolveTarget(from, href).normalize('NFC');
}

function isText(type: string): boolean {
  return /^(?:application\/xhtml\+xml|text\/html|text\/x-oeb1-document|application\/xml|text\/xml)/.test(type);
}

/** Fonts may be scrambled; a chapter that is cannot be read without its shop's key. */
function refuseEncrypted(encryption: XmlNode | null, chapters: ReadonlySet<string>): void {
  for (const { attributes } of descendants(encryption, 'enc:CipherReference')) {
    if (chapters.has(resolveTarget('', attributes['URI'] ?? ''))) {
      throw new DocumentError('encrypted', 'The book is copy-protected (DRM): upload a copy without that protection');
    }
  }
}

/** From the navigation document of EPUB 3, else from the NCX of EPUB 2. */
async function readTitles(
  items: readonly Item[],
  tree: (name: string) => Promise<XmlNode | null>,
): Promise<ReadonlyMap<string, string>> {
  const titles = new Map<string, string>();
  const add = (from: string, href: string | undefined, title: string) => {
    const part = targetOf(from, href ?? '');
    if (title !== '' && !titles.has(part)) titles.set(part, title);
  };
  for (const { part, isNavigation } of items) {
    if (!isNavigation || part === null) continue;
    for (const nav of descendants(await tree(part), 'html:nav')) {
      if (!/\btoc\b/.test(nav.attributes['epub:type'] ?? 'toc')) continue;
      for (const link of descendants(nav, 'html:a')) add(part, link.attributes['href'], plain(linkText(link)));
    }
  }
  if (titles.size > 0) return titles;
  for (const { part, type } of items) {
    if (part === null || type !== 'application/x-dtbncx+xml') continue;
    for (const point of navPoints(child(await tree(part), 'ncx:navMap'))) {
      add(part, child(point, 'ncx:content')?.attributes['src'], plain(textOf(descend(point, 'ncx:navLabel', 'ncx:text'))));
    }
  }
  return titles;
}

function* navPoints(node: XmlNode | undefined): Generator<XmlNode> {
  for (const point of elements(node, 'ncx:navPoint')) {
    yield point;
    yield* navPoints(point);
  }
}

/** Without the reading aids of ruby. */
function linkText(node: XmlNode): string {
  return node.children
    .map((each) => (typeof each === 'string' ? each : each.name === 'html:rt' || each.name === 'html:rp' ? '' : linkText(each)))
    .join('');
}

function firstText(node: XmlNode | undefined, name: string): string | null {
  const text = plain(textOf(child(node, name)));
  return text === '' ? null : text.slice(0, 1000);
}

function plain(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
