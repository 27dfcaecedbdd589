import { describe, expect, it } from 'vitest';
import { createMissingParts } from '../../../src/parse/containers/missing-parts.ts';
import type { XmlNode } from '../../../src/parse/containers/xml.ts';
import { type Dictionary, readResources, referenced } from '../../../src/parse/xps/resources.ts';

const node = (name: string, attributes: Record<string, string>, children: XmlNode[] = []): XmlNode => ({
  name,
  attributes,
  children,
});
const entry = (key: string, said: string): XmlNode => node('MatrixTransform', { 'x:Key': key, Matrix: said });
const inline = (...entries: XmlNode[]): XmlNode => node('ResourceDictionary', {}, entries);
const from = (source: string): XmlNode => node('ResourceDictionary', { Source: source });
const page = (...dictionaries: XmlNode[]): XmlNode => node('FixedPage', {}, dictionaries);

/** A package of these dictionaries, and how often it was asked for each, and gone through. */
function packageOf(parts: Readonly<Record<string, XmlNode[]>>) {
  const [trees, walks]: [string[], string[]] = [[], []];
  const xps = {
    missing: createMissingParts(),
    warnings: [],
    find: (_from: string, path: string): string | null => (path in parts ? path : null),
    tree: async (part: string): Promise<XmlNode> => {
      trees.push(part);
      return {
        ...node('ResourceDictionary', {}),
        get children() {
          walks.push(part);
          return parts[part]!;
        },
      };
    },
  };
  return { xps, trees, walks };
}

describe('what stands under a key', () => {
  it('is what the page itself says last, else the dictionary that it names last', async () => {
    const { xps } = packageOf({ '/a': [entry('k', 'a'), entry('l', 'a')], '/b': [entry('l', 'b')] });
    const root = page(inline(entry('k', 'first'), entry('k', 'own')), from('/b'), from('/a'), from('/missing'));
    const resources = await readResources(root, 'page', { xps, shared: new Map() });
    const said = (key: string) => referenced(`{StaticResource ${key}}`, resources)?.attributes['Matrix'];

    expect([said('k'), said('l'), said('m')]).toEqual(['own', 'a', undefined]);
  });

  it('is looked up without going through a dictionary again, however often pages name it', async () => {
    const { xps, trees, walks } = packageOf({ '/a': [entry('k', 'a')] });
    const shared = new Map<string, Dictionary>();
    await readResources(page(from('/a')), 'page', { xps, shared });
    walks.splice(0);
    for (let number = 2; number <= 4; number += 1) {
      const resources = await readResources(page(...Array.from({ length: 5 }, () => from('/a'))), 'page', { xps, shared });
      expect(resources.find('k')?.attributes['Matrix']).toBe('a');
    }

    expect([trees, walks]).toEqual([['/a'], []]);
  });
});
