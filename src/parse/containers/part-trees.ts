/** Parts of a fixed-layout package (OFD, XPS) as trees. Elements are known by their local names, since writers use several namespaces, or none. */
import { DocumentError } from '../../errors.ts';
import type { ParseLimits } from '../parser.ts';
import { createTreeBuilder, createXmlCounts, readXmlPart, withLocalNames, type XmlNode } from './xml.ts';
import type { Zip } from './zip.ts';

/** How often one part is read, a page say that is listed again and again: each reading costs what the part does. */
const readsMax = 20;

/**
 * Reads a part; null when there is none, or none that is XML, and where it was read often enough, each of which but the first becomes one of `warnings`.
 * @throws DocumentError `limit_exceeded`, of the elements and characters of all parts together
 */
export function createPartTrees(zip: Zip, limits: ParseLimits, warnings: string[]): (part: string) => Promise<XmlNode | null> {
  const options = { namespaces: {}, limits, counts: createXmlCounts() };
  const reads = new Map<string, number>();

  return async function tree(part) {
    const count = (reads.get(part) ?? 0) + 1;
    reads.set(part, count);
    if (count === readsMax + 1)
      warnings.push(`The part ${part} is named in more than ${readsMax} places; it was read in the first of them`);
    if (count > readsMax) return null;
    const builder = createTreeBuilder(part);
    try {
      const end = await readXmlPart(zip, part, withLocalNames(builder.handler), options);
      if (end?.isCutShort === true) warnings.push(`The part ${part} is incomplete; it was read as far as possible`);
      return builder.root();
    } catch (error) {
      if (!(error instanceof DocumentError) || error.code !== 'corrupt') throw error;
      warnings.push(`The part ${part} was not read: ${error.message}`);
      return null;
    }
  };
}
