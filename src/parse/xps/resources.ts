/** What pages of an XPS keep under a key to use it by that (ECMA-388, 14.2): geometries, transforms, brushes, pictures of themselves. */
import { child, descendants, elements, type XmlNode } from '../containers/xml.ts';
import { firstOf } from '../containers/first-of.ts';
import type { XpsPackage } from './xps-package.ts';

export type Resources = {
  /** What stands under a key. Of a page itself the last that has it; else of the dictionaries that it names, the last one named first. */
  readonly find: (key: string) => XmlNode | undefined;
  readonly dictionaries: Iterable<Dictionary>;
};

/** What stands beside pages. */
export type Dictionary = {
  readonly part: string;
  readonly entries: ReadonlyMap<string, XmlNode>;
  /** The paths by which it names fonts. */
  readonly fonts: ReadonlySet<string>;
};

const dictionariesMax = 100;
const resourcesMax = 50_000;
const fontsMax = 200;

/**
 * Those of a page, and of the dictionaries that it names. Linear in the page, however long these are and however often they are named.
 * @param shared those read already, by part
 */
export async function readResources(
  page: XmlNode,
  part: string,
  {
    xps,
    shared,
  }: { readonly xps: Pick<XpsPackage, 'find' | 'tree' | 'missing' | 'warnings'>; readonly shared: Map<string, Dictionary> },
): Promise<Resources> {
  const own = new Map<string, XmlNode>();
  const named = new Set<Dictionary>();
  for (const dictionary of descendants(page, 'ResourceDictionary')) {
    const source = dictionary.attributes['Source'];
    const target = source === undefined ? null : xps.find(part, source);
    if (source !== undefined && target === null) xps.missing.add(source);
    if (target === null) {
      addResources(dictionary, own);
      continue;
    }
    if (!shared.has(target) && shared.size >= dictionariesMax)
      firstOf([...shared.keys(), target], { most: dictionariesMax, what: 'dictionaries', warnings: xps.warnings });
    else if (!shared.has(target)) shared.set(target, dictionaryOf(target, await xps.tree(target)));
    const known = shared.get(target);
    if (known !== undefined) named.add(known);
  }
  const others = [...named].reverse();
  const find = (key: string): XmlNode | undefined =>
    own.get(key) ?? others.find(({ entries }) => entries.has(key))?.entries.get(key);
  return { find, dictionaries: named };
}

function dictionaryOf(part: string, root: XmlNode | null): Dictionary {
  const entries = new Map<string, XmlNode>();
  const fonts = new Set<string>();
  addResources(root, entries);
  for (const { attributes } of root === null ? [] : descendants(root, 'Glyphs'))
    if (fonts.size < fontsMax) fonts.add(attributes['FontUri'] ?? '');
  return { part, entries, fonts };
}

function addResources(dictionary: XmlNode | null, resources: Map<string, XmlNode>): void {
  for (const each of elements(dictionary)) {
    const key = keyOf(each);
    if (key !== undefined && resources.size < resourcesMax) resources.set(key, each);
  }
}

function keyOf({ attributes }: XmlNode): string | undefined {
  const name = Object.keys(attributes).find((each) => each.endsWith(':Key'));
  return name === undefined ? undefined : attributes[name];
}

/** `{StaticResource key}`: what stands under that key. */
export function referenced(value: string | undefined, resources: Resources): XmlNode | undefined {
  const [, key] = /^\s*\{StaticResource\s+([^\s}]+)\s*\}\s*$/.exec(value ?? '') ?? [];
  return key === undefined ? undefined : resources.find(key);
}

/** The value of a property that is an element inside of its own, or refers to one: `Path.Fill` of a `Path`. */
export function valueOf(node: XmlNode, property: string, resources: Resources): XmlNode | undefined {
  const inside = elements(child(node, `${node.name}.${property}`))[0];
  return inside ?? referenced(node.attributes[property], resources);
}
