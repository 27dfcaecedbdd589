/** What pages of an XPS keep under a key to use it by that (ECMA-388, 14.2): geometries, transforms, brushes, pictures of themselves. */
import { child, descendants, elements, type XmlNode } from '../containers/xml.ts';
import type { XpsPackage } from './xps-package.ts';

/** By key. The last that has a key wins, wherever on its page it stands. */
export type Resources = ReadonlyMap<string, XmlNode>;

const dictionariesMax = 100;
const resourcesMax = 50_000;

/** Those of a page, and of the dictionaries that it names. `shared` are those read already, by part. */
export async function readResources(
  page: XmlNode,
  part: string,
  { xps, shared }: { readonly xps: XpsPackage; readonly shared: Map<string, XmlNode | null> },
): Promise<Resources> {
  const resources = new Map<string, XmlNode>();
  for (const dictionary of descendants(page, 'ResourceDictionary')) {
    const source = dictionary.attributes['Source'];
    const target = source === undefined ? null : xps.find(part, source);
    if (target !== null && !shared.has(target) && shared.size < dictionariesMax) shared.set(target, await xps.tree(target));
    for (const each of elements(target === null ? dictionary : shared.get(target))) {
      const key = keyOf(each);
      if (key !== undefined && resources.size < resourcesMax) resources.set(key, each);
    }
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
  return key === undefined ? undefined : resources.get(key);
}

/** The value of a property that is an element inside of its own, or refers to one: `Path.Fill` of a `Path`. */
export function valueOf(node: XmlNode, property: string, resources: Resources): XmlNode | undefined {
  const inside = elements(child(node, `${node.name}.${property}`))[0];
  return inside ?? referenced(node.attributes[property], resources);
}
