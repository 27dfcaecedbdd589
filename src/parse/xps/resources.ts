/** What pages of an XPS keep under a key to use it by that (ECMA-388, 14.2): geometries, transforms, brushes, pictures of themselves. */
import { child, descendants, elements, type XmlNode } from '../containers/xml.ts';
import type { XpsPackage } from './xps-package.ts';

/** What stands under a key. Of a page itself the last that has it; else of the dictionaries that it names, the last one named first. */
export type Resources = (key: string) => XmlNode | undefined;

/** What one dictionary has. */
export type Dictionary = ReadonlyMap<string, XmlNode>;

const dictionariesMax = 100;
const resourcesMax = 50_000;

/**
 * Those of a page, and of the dictionaries that it names. Linear in the page, however long these are and however often they are named.
 * @param shared those read already, by part
 */
export async function readResources(
  page: XmlNode,
  part: string,
  { xps, shared }: { readonly xps: Pick<XpsPackage, 'find' | 'tree'>; readonly shared: Map<string, Dictionary> },
): Promise<Resources> {
  const own = new Map<string, XmlNode>();
  const named = new Set<Dictionary>();
  for (const dictionary of descendants(page, 'ResourceDictionary')) {
    const source = dictionary.attributes['Source'];
    const target = source === undefined ? null : xps.find(part, source);
    if (target === null) {
      addResources(dictionary, own);
      continue;
    }
    if (!shared.has(target) && shared.size < dictionariesMax)
      shared.set(target, addResources(await xps.tree(target), new Map<string, XmlNode>()));
    const known = shared.get(target);
    if (known !== undefined) named.add(known);
  }
  const others = [...named].reverse();
  return (key) => own.get(key) ?? others.find((each) => each.has(key))?.get(key);
}

function addResources(dictionary: XmlNode | null, resources: Map<string, XmlNode>): Dictionary {
  for (const each of elements(dictionary)) {
    const key = keyOf(each);
    if (key !== undefined && resources.size < resourcesMax) resources.set(key, each);
  }
  return resources;
}

function keyOf({ attributes }: XmlNode): string | undefined {
  const name = Object.keys(attributes).find((each) => each.endsWith(':Key'));
  return name === undefined ? undefined : attributes[name];
}

/** `{StaticResource key}`: what stands under that key. */
export function referenced(value: string | undefined, resources: Resources): XmlNode | undefined {
  const [, key] = /^\s*\{StaticResource\s+([^\s}]+)\s*\}\s*$/.exec(value ?? '') ?? [];
  return key === undefined ? undefined : resources(key);
}

/** The value of a property that is an element inside of its own, or refers to one: `Path.Fill` of a `Path`. */
export function valueOf(node: XmlNode, property: string, resources: Resources): XmlNode | undefined {
  const inside = elements(child(node, `${node.name}.${property}`))[0];
  return inside ?? referenced(node.attributes[property], resources);
}
