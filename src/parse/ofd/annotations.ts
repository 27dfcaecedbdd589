/** Annotations of an OFD's pages: what is drawn for them, and what people have written into them (GB/T 33190-2016, 15). */
import { firstOf } from '../containers/first-of.ts';
import { child, elements, textOf, type XmlNode } from '../containers/xml.ts';
import type { OfdDocument, OfdPackage } from './ofd-package.ts';

export type PageAnnotations = {
  /** `Appearance` elements that show. */
  readonly appearances: readonly XmlNode[];
  /** `Comment (author): text`. */
  readonly remarks: readonly string[];
};

const annotationsMax = 10_000;
const authorCharactersMax = 200;

/** The parts that hold the annotations, by page. */
export async function annotationParts(ofd: OfdPackage, document: OfdDocument): Promise<ReadonlyMap<string, readonly string[]>> {
  const parts = new Map<string, string[]>();
  const listed = ofd.need(textOf(child(document.root, 'Annotations')), document.part);
  const list = listed === null ? null : await ofd.tree(listed);
  for (const page of elements(list, 'Page')) {
    const part = ofd.need(textOf(child(page, 'FileLoc')), listed!, document.part);
    const id = page.attributes['PageID'] ?? '';
    if (part !== null) parts.set(id, [...(parts.get(id) ?? []), part]);
  }
  return parts;
}

/** The annotations of one page. */
export async function readAnnotations(ofd: OfdPackage, parts: readonly string[]): Promise<PageAnnotations> {
  const appearances: XmlNode[] = [];
  const remarks: string[] = [];
  for (const part of parts) {
    const listed = elements(await ofd.tree(part), 'Annot');
    for (const annotation of firstOf(listed, { most: annotationsMax, what: 'annotations on one page', warnings: ofd.warnings })) {
      const { attributes } = annotation;
      if (attributes['Visible'] !== 'false') appearances.push(...elements(annotation, 'Appearance'));
      const text = textOf(child(annotation, 'Remark')).replace(/\s+/g, ' ').trim();
      const author = (attributes['Creator'] ?? '').replace(/\s+/g, ' ').trim().slice(0, authorCharactersMax);
      if (text !== '') remarks.push(`Comment${author === '' ? '' : ` (${author})`}: ${text}`);
    }
  }
  return { appearances, remarks };
}
