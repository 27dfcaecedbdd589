/** What electronic seals and signatures of an OFD say: the name of the stamp, and its picture where that is text (GB/T 38540-2020). */
import { firstOf } from '../containers/first-of.ts';
import { descend, descendants, elements, textOf } from '../containers/xml.ts';
import { type DerNode, derTags, octetsOf, readDer } from '../containers/der.ts';
import type { OfdDocument, OfdPackage } from './ofd-package.ts';

export type Seal = {
  /** `''` where it has none. */
  readonly name: string;
  /** Of the page that it stands on; null when nobody says. */
  readonly pageId: string | null;
  readonly signedAt: string;
  /** An OFD that is the seal's picture. */
  readonly picture: Buffer | null;
};

const sealsMax = 200;
const nameCharactersMax = 1000;

/** The stamps of a document, in the order of its signatures. */
export async function readSeals(ofd: OfdPackage, document: OfdDocument): Promise<Seal[]> {
  const part = document.signatures;
  const list = part === null ? null : await ofd.tree(part);
  const seals: Seal[] = [];
  for (const { attributes } of firstOf(elements(list, 'Signature'), {
    most: sealsMax,
    what: 'signatures in one document',
    warnings: ofd.warnings,
  })) {
    const own = ofd.need(attributes['BaseLoc'] ?? '', part!);
    const signature = own === null ? null : await ofd.tree(own);
    if (own === null || signature === null) continue;
    const info = descend(signature, 'SignedInfo');
    const stamp = descendants(signature, 'StampAnnot').next().value;
    const seal = await sealOf(ofd, own, [textOf(descend(info, 'Seal', 'BaseLoc')), textOf(descend(signature, 'SignedValue'))]);
    const signedAt = textOf(descend(info, 'SignatureDateTime')).trim();
    const pageId = stamp?.attributes['PageRef'] ?? null;
    if (seal !== null || pageId !== null) seals.push({ name: '', picture: null, ...seal, pageId, signedAt });
  }
  return seals;
}

/** The first of the parts in which a seal is found. */
async function sealOf(ofd: OfdPackage, from: string, paths: readonly string[]): Promise<Pick<Seal, 'name' | 'picture'> | null> {
  for (const path of paths) {
    const part = path.trim() === '' ? null : ofd.find(from, path);
    const bytes = part === null ? null : await ofd.bytes(part);
    const root = bytes === null ? null : readDer(bytes);
    const seal = root === null ? null : findSeal(root, 0);
    if (seal !== null) return seal;
  }
  return null;
}

const searchDepthMax = 8;
const searchWidthMax = 50;

/** `SES_SealInfo ::= SEQUENCE { header { "ES", … }, esID, property { type, name, … }, picture { type, data, … }, … }`, wherever it lies. */
function findSeal(node: DerNode, depth: number): Pick<Seal, 'name' | 'picture'> | null {
  if (depth > searchDepthMax) return null;
  const parts = node.parts().slice(0, searchWidthMax);
  const [header, , property, picture] = parts;
  if (header?.tag === derTags.sequence && header.parts()[0]?.content.toString('latin1') === 'ES' && property !== undefined) {
    const name = property.parts()[1]?.content.toString('utf8').replace(/\s+/g, ' ').trim() ?? '';
    const [kind, data] = picture?.parts() ?? [];
    const isOfd = kind?.content.toString('latin1').toLowerCase() === 'ofd' && data !== undefined;
    return { name: name.slice(0, nameCharactersMax), picture: isOfd ? octetsOf(data) : null };
  }
  for (const part of parts) {
    const found = findSeal(part, depth + 1);
    if (found !== null) return found;
  }
  return null;
}
