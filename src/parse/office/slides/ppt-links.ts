/** Where texts of a PPT file lead: the addresses that the document lists (MS-PPT 2.10.16), and the stretches of a text that name one (2.9.46). */
import { linkText } from '../../markdown/link.ts';
import type { Repeats } from '../../repeats.ts';
import { findRecord, pptTypes, readPptRecords, type PptRecord } from './ppt-records.ts';

/** The address of that number; none where a long one was shown too often. */
export type PptLinks = (id: number) => string | undefined;

const linksMax = 100_000;
/** The part of a link that is its address; others name it, or a place in it. */
const addressPart = 1;

export function readPptLinks(document: Buffer, repeats: Repeats): PptLinks {
  const links = new Map<number, string>();
  const list = findRecord(document, pptTypes.objectList);
  for (const { type, data } of readPptRecords(list?.data ?? Buffer.alloc(0))) {
    if (type !== pptTypes.link || links.size >= linksMax) continue;
    const id = findRecord(data, pptTypes.linkAtom)?.data;
    const address = findRecord(data, pptTypes.text, addressPart)?.data.toString('utf16le') ?? '';
    if (id !== undefined && id.length >= 4 && address !== '') links.set(id.readUInt32LE(0), address);
  }
  return (id) => {
    const address = links.get(id);
    return address !== undefined && repeats.again(address) === address ? address : undefined;
  };
}

/** A stretch of a text, `end` not included. */
export type LinkedText = { readonly start: number; readonly end: number; readonly target: string };

/** In order, and none over another: each stretch stands behind the record that says where it leads. */
export function readLinkedTexts(group: readonly PptRecord[], links: PptLinks): LinkedText[] {
  const found: LinkedText[] = [];
  let address: number | null = null;
  for (const { type, data } of group) {
    if (type === pptTypes.interaction) {
      const interaction = findRecord(data, pptTypes.interactionAtom)?.data;
      address = interaction !== undefined && interaction.length >= 8 ? interaction.readUInt32LE(4) : null;
    } else if (type === pptTypes.linkedText && data.length >= 8 && address !== null) {
      const target = links(address);
      if (target !== undefined) found.push({ start: data.readUInt32LE(0), end: data.readUInt32LE(4), target });
    }
  }
  let last = 0;
  return found
    .sort((a, b) => a.start - b.start)
    .filter(({ start, end }) => {
      const isApart = start >= last && end > start;
      if (isApart) last = end;
      return isApart;
    });
}

/** Asked line by line, in order. */
export function createLineLinks(
  links: readonly LinkedText[],
): (line: string, at: number, show: (from: number, to: number) => string) => string {
  let next = 0;
  return (line, at, show) => {
    const end = at + line.length;
    let shown = '';
    let done = 0;
    while (next < links.length && links[next]!.start < end) {
      const link = links[next]!;
      const [from, to] = [Math.max(link.start - at, done), Math.min(link.end - at, line.length)];
      shown += show(done, from) + linkText(show(from, to), link.target);
      done = to;
      if (link.end > end) break;
      next++;
    }
    return shown + show(done, line.length);
  };
}
