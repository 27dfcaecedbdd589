/** Damages files the way that disks, networks and attackers do; the same for one seed. */
import { inflateRawSync } from 'node:zlib';
import { isCompoundFile, openCompoundFile } from '../../src/parse/containers/compound-file.ts';
import { compoundFile, contentOf, type CompoundContent } from '../../src/parse/containers/compound-writer.ts';
import { makeZip } from './zip-writer.ts';

/** Changes bytes, cuts, repeats, swaps pieces, or inserts what parsers dislike. */
export function mutate(bytes: Uint8Array, seed: number): Uint8Array {
  const random = generator(seed);
  let result = Buffer.from(bytes);
  const rounds = 1 + random(4);
  for (let round = 0; round < rounds; round++) result = mutations[random(mutations.length)]!(result, random);
  return result;
}

/**
 * Changes what is inside of a container, and packs it again, so that the change gets past checksums and directories: one member of an
 * archive of `makeZip`, one stream of a compound file. Any other file is damaged as it is.
 */
export function mutateInside(whole: Buffer, seed: number): Uint8Array {
  if (isCompoundFile(whole)) return mutateStream(whole, seed);
  const random = generator(seed);
  const members = storedMembers(whole);
  if (members.length === 0) return mutate(whole, seed);
  const changed = random(members.length);
  return makeZip(
    members.map((member, at) => {
      if (at !== changed) return member;
      // Records of an XLSB, pictures, files in files.
      if (!/\.(?:xml|rels|xhtml|html|opf|vml)$/.test(member.name))
        return { ...member, data: Buffer.from(mutate(member.data, seed)) };
      let text = member.data.toString('utf8');
      for (let count = 1 + random(5); count > 0; count--) text = mutateText(text, random);
      return { ...member, data: text };
    }),
  );
}

/** One stream at random, in whatever storage. */
function mutateStream(whole: Buffer, seed: number): Uint8Array {
  const content = contentOf(openCompoundFile(whole, 2 ** 28));
  const places: { readonly streams: Record<string, Uint8Array>; readonly name: string }[] = [];
  const collect = (storage: CompoundContent): void => {
    const streams = storage.streams as Record<string, Uint8Array>;
    for (const name of Object.keys(streams)) places.push({ streams, name });
    for (const inner of Object.values(storage.storages ?? {})) collect(inner);
  };
  collect(content);
  const place = places[generator(seed)(places.length)]!;
  place.streams[place.name] = mutate(place.streams[place.name]!, seed);
  return compoundFile(content);
}

function mutateText(text: string, random: Random): string {
  const at = random(text.length + 1);
  const end = Math.min(text.length, at + random(40));
  const piece = text.slice(at, end);
  const values = [
    '-1',
    '2147483648',
    '99999999999999999999',
    'NaN',
    '',
    '&amp;',
    '<',
    '>',
    '"',
    '<w:p>',
    '</w:p>',
    '\u0000',
    '𠮷',
    ']]>',
  ];
  switch (random(5)) {
    case 0:
      return text.slice(0, at) + text.slice(end);
    case 1:
      return text.slice(0, at) + piece.repeat(1 + random(50)) + text.slice(end);
    case 2:
      return text.slice(0, at) + values[random(values.length)]! + text.slice(end);
    case 3: {
      const numbers = [...text.matchAll(/"\d+"/g)];
      const number = numbers[random(Math.max(1, numbers.length))];
      if (number === undefined) return text;
      return `${text.slice(0, number.index)}"${values[random(4)]!}"${text.slice(number.index + number[0].length)}`;
    }
    default:
      return text.slice(0, at);
  }
}

/** The members of an archive that this project's own writer made. */
function storedMembers(whole: Buffer): { name: string; data: Buffer; stored: boolean }[] {
  const members: { name: string; data: Buffer; stored: boolean }[] = [];
  for (let at = 0; at + 30 <= whole.length && whole.readUInt32LE(at) === 0x04034b50;) {
    const nameBytes = whole.readUInt16LE(at + 26);
    const start = at + 30 + nameBytes;
    const packed = whole.subarray(start, start + whole.readUInt32LE(at + 18));
    const isStored = whole.readUInt16LE(at + 8) === 0;
    members.push({
      name: whole.toString('utf8', at + 30, start),
      data: isStored ? packed : inflateRawSync(packed),
      stored: isStored,
    });
    at = start + packed.length;
  }
  return members;
}

export type Random = (below: number) => number;

const mutations: readonly ((bytes: Buffer, random: Random) => Buffer<ArrayBuffer>)[] = [
  (bytes, random) => {
    const result = Buffer.from(bytes);
    for (let count = 1 + random(16); count > 0 && result.length > 0; count--) result[random(result.length)] = random(256);
    return result;
  },
  (bytes, random) => Buffer.from(bytes.subarray(0, random(bytes.length + 1))),
  (bytes, random) => {
    const [start, end] = range(bytes, random);
    return Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
  },
  (bytes, random) => {
    const [start, end] = range(bytes, random);
    const piece = bytes.subarray(start, Math.min(end, start + 2000));
    return Buffer.concat([bytes.subarray(0, end), ...Array.from({ length: 1 + random(20) }, () => piece), bytes.subarray(end)]);
  },
  (bytes, random) => {
    const at = random(bytes.length + 1);
    const unkind = Buffer.from(unkindWords[random(unkindWords.length)]!, 'latin1');
    return Buffer.concat([bytes.subarray(0, at), unkind, bytes.subarray(at)]);
  },
  (bytes, random) => {
    const result = Buffer.from(bytes);
    const at = random(result.length);
    if (at + 4 <= result.length) result.writeUInt32LE([0, 1, 0x7fffffff, 0xffffffff, 0x80000000][random(5)]!, at);
    return result;
  },
];

const unkindWords = [
  '\0\0\0\0',
  '\xff\xfe',
  '<![CDATA[',
  '<!--',
  ']]>',
  '{\\',
  '\\bin999999 ',
  '"',
  '\r\n\r\n',
  '--b',
  '<table><tr><td>',
  '```',
  '\x1b$B',
  '[[[[[[',
  '%PDF-',
  '\xe4\xb8',
];

function range(bytes: Buffer, random: Random): [number, number] {
  const a = random(bytes.length + 1);
  const b = random(bytes.length + 1);
  return [Math.min(a, b), Math.max(a, b)];
}

/** Whole numbers from 0 to below the bound (mulberry32). */
export function generator(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}
