/** Custom tags of an OFD: names, such as those of an invoice's fields, for objects that stand on its pages (GB/T 33190-2016, 16). */
import { firstOf } from '../containers/first-of.ts';
import { child, elements, textOf, type XmlNode } from '../containers/xml.ts';
import type { OfdDocument, OfdPackage } from './ofd-package.ts';

/** A name, and the objects that hold its value or the value itself. */
export type CustomTag = {
  readonly name: string;
  readonly objects: readonly string[];
  readonly pageId: string | null;
  readonly value: string;
};

const tagsMax = 10_000;
const filesMax = 100;

/** The tags of a document, in their order. */
export async function readCustomTags(ofd: OfdPackage, document: OfdDocument): Promise<CustomTag[]> {
  const listed = ofd.need(textOf(child(document.root, 'CustomTags')), document.part);
  const list = listed === null ? null : await ofd.tree(listed);
  const tags: CustomTag[] = [];
  for (const each of firstOf(elements(list, 'CustomTag'), {
    most: filesMax,
    what: 'lists of tags in one document',
    warnings: ofd.warnings,
  })) {
    const part = ofd.need(textOf(child(each, 'FileLoc')), listed!);
    const root = part === null ? null : await ofd.tree(part);
    if (root !== null) collect(root, tags);
  }
  return tags;
}

const references = new Set(['ObjectRef', 'ObjectData']);

function collect(node: XmlNode, tags: CustomTag[]): void {
  for (const each of elements(node)) {
    if (references.has(each.name) || tags.length >= tagsMax) continue;
    const objects = elements(each).filter(({ name }) => references.has(name));
    const inner = elements(each).length;
    const value = inner === 0 ? textOf(each).replace(/\s+/g, ' ').trim() : '';
    if (objects.length > 0 || value !== '') {
      const pageId = objects[0]?.attributes['PageRef'] ?? null;
      tags.push({ name: each.name, objects: objects.map((one) => textOf(one).trim()), pageId, value });
    }
    if (inner > objects.length) collect(each, tags);
  }
}
