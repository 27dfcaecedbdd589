/** Writes small presentations of PowerPoint's binary format (MS-PPT): records in records, and a directory of the objects. */
import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { compoundFile } from '../../src/parse/containers/compound-writer.ts';
import { rc4 } from '../../src/parse/office/binary-encryption.ts';
import { u16, u32, u8 } from './xls-writer.ts';

/** A record that holds records. */
export function container(type: number, children: readonly Uint8Array[], instance = 0): Buffer {
  return recordOf(type, 0x0f | (instance << 4), Buffer.concat(children));
}

export function atom(type: number, data: Uint8Array, instance = 0): Buffer {
  return recordOf(type, instance << 4, data);
}

function recordOf(type: number, version: number, data: Uint8Array): Buffer {
  return Buffer.concat([u16(version, type), u32(data.length), data]);
}

/** A text: its kind (0 title, 1 body, 4 other), and which paragraphs have what level and bullet. */
export function text(
  kind: number,
  lines: readonly string[],
  looks: readonly { readonly level: number; readonly bullet?: boolean }[] = [],
): Buffer {
  const runs = lines.map((line, at) => {
    const { level = 0, bullet } = looks[at] ?? {};
    const look = bullet === undefined ? u32(0) : Buffer.concat([u32(1), u16(bullet ? 1 : 0)]);
    return Buffer.concat([u32(line.length + 1), u16(level), look]);
  });
  const style = looks.length === 0 ? [] : [atom(4001, Buffer.concat(runs))];
  return Buffer.concat([atom(3999, u32(kind)), atom(4000, Buffer.from(lines.join('\r'), 'utf16le')), ...style]);
}

/** A shape with a text box; `placeholder` is the number of its kind (`later`: as PowerPoint 2007 says it), `anchor` where a cell of a table stands. */
export function shape(
  content: Uint8Array,
  {
    placeholder,
    later,
    anchor,
    flags = 0,
  }: { placeholder?: number; later?: number; anchor?: readonly number[]; flags?: number } = {},
): Buffer {
  const kinds = [
    ...(placeholder === undefined ? [] : [atom(3011, Buffer.concat([u32(0), u8(placeholder, 0, 0, 0)]))]),
    ...(later === undefined ? [] : [atom(1056, u8(later))]),
  ];
  const data = kinds.length === 0 ? [] : [container(0xf011, kinds)];
  const place = anchor === undefined ? [] : [atom(0xf00f, u32(...anchor))];
  return container(0xf004, [atom(0xf00a, u32(1, flags)), ...place, ...data, container(0xf00d, [content])]);
}

export function group(children: readonly Uint8Array[], isTable = false): Buffer {
  const properties = isTable ? [atom(0xf122, Buffer.concat([u16(0x39f), u32(1)]), 1)] : [];
  return container(0xf003, [container(0xf004, [atom(0xf00a, u32(0, 1)), ...properties]), ...children]);
}

/** Behind a text: a stretch of it leads to the address of that number. */
export function linked(start: number, end: number, address: number): Buffer {
  return Buffer.concat([container(4082, [atom(4083, u32(0, address, 0, 0))]), atom(4063, u32(start, end))]);
}

export type PptSlide = {
  readonly shapes: readonly Uint8Array[];
  /** Texts in the list of slides, to which shapes refer. */ readonly outline?: readonly Uint8Array[];
  readonly notes?: readonly Uint8Array[];
  /** Records of the page of notes beside its drawing. */ readonly notesMore?: readonly Uint8Array[];
  readonly hidden?: boolean;
  /** Records of the slide beside its drawing. */ readonly more?: readonly Uint8Array[];
};

export type PptParts = {
  readonly slides: readonly PptSlide[];
  /** By kind of text, what the master says of bullets by level. */ readonly master?: Readonly<Record<number, readonly boolean[]>>;
  readonly masterShapes?: readonly Uint8Array[];
  /** Files inside, packed here. */ readonly objects?: readonly Uint8Array[];
  /** The same, packed already. */ readonly packed?: readonly Uint8Array[];
  /** Addresses by their numbers, from 1. */ readonly links?: readonly string[];
  readonly password?: string;
};

export function makePpt({
  slides,
  master = {},
  masterShapes = [],
  objects = [],
  packed = [],
  links = [],
  password,
}: PptParts): Buffer {
  const list: Buffer[] = [Buffer.alloc(0)];
  const add = (record: Buffer): number => list.push(record) - 1;
  const persist = (id: number, slideId: number) => atom(1011, u32(id, 0, 0, slideId, 0));
  const styles = Object.entries(master).map(([kind, levels]) => atom(4003, masterStyle(Number(kind), levels), Number(kind)));
  const masterId = add(container(1016, [...styles, drawing(masterShapes)]));
  const entries: Uint8Array[] = [];
  const notes: Buffer[] = [];
  slides.forEach((slide, at) => {
    const notesId = slide.notes === undefined ? 0 : 1000 + at;
    if (slide.notes !== undefined)
      notes.push(persist(add(container(1008, [drawing(slide.notes), ...(slide.notesMore ?? [])])), notesId));
    const atoms = [atom(1007, Buffer.concat([u32(0), Buffer.alloc(8), u32(0x8000_0000, notesId), u16(1, 0)]))];
    if (slide.hidden === true) atoms.push(atom(1017, Buffer.concat([u32(0, 0), u16(0, 4), u32(0)])));
    entries.push(
      persist(add(container(1006, [...atoms, drawing(slide.shapes), ...(slide.more ?? [])])), 256 + at),
      ...(slide.outline ?? []),
    );
  });
  for (const bytes of [...objects.map((each) => deflateSync(each)), ...packed]) add(atom(4113, Buffer.concat([u32(0), bytes]), 1));
  const documentId = add(
    container(1000, [
      container(1033, links.map(addressOf)),
      container(4080, entries, 0),
      container(4080, [persist(masterId, 0x8000_0000)], 1),
      container(4080, notes, 2),
    ]),
  );
  const session = password === undefined ? null : cryptSession(password);
  const sessionId = session === null ? 0 : add(session.record);
  const records = list.map((record, id) => (session === null || id === sessionId ? record : session.encrypt(id, record)));
  const places = records.map((_, id) => Buffer.concat(records.slice(0, id)).length).slice(1);
  const body = Buffer.concat(records);
  const directory = atom(6002, Buffer.concat([u32((places.length << 20) | 1), u32(...places)]));
  const edit = atom(4085, u32(0, 0, 0, body.length, documentId, 0, 0, ...(session === null ? [] : [sessionId])));
  const user = atom(4086, u32(20, session === null ? 0xe391_c05f : 0xf3d1_c4df, body.length + directory.length, 0));
  return compoundFile({ streams: { 'PowerPoint Document': Buffer.concat([body, directory, edit]), 'Current User': user } });
}

function addressOf(address: string, at: number): Buffer {
  return container(4055, [
    atom(4051, u32(at + 1)),
    atom(4026, Buffer.from('its name', 'utf16le'), 0),
    atom(4026, Buffer.from(address, 'utf16le'), 1),
  ]);
}

/** One slide of these shapes, and further entries in the list of slides. */
export function makePptRecords({
  shapes,
  outline,
  list,
}: {
  readonly shapes: readonly Uint8Array[];
  readonly outline: Uint8Array;
  readonly list: Uint8Array;
}): Buffer {
  return makePpt({ slides: [{ shapes, outline: [outline, list] }], master: { 1: [true] }, links: ['http://a'] });
}

function drawing(shapes: readonly Uint8Array[]): Buffer {
  return container(1036, [container(0xf002, [container(0xf003, shapes)])]);
}

function masterStyle(kind: number, levels: readonly boolean[]): Buffer {
  const all = levels.map((bullet, level) =>
    Buffer.concat([...(kind >= 5 ? [u16(level)] : []), u32(1), u16(bullet ? 1 : 0), u32(0x2_0000), u16(24)]),
  );
  return Buffer.concat([u16(levels.length), ...all]);
}

/** RC4 of CryptoAPI with a key of 128 bits (MS-OFFCRYPTO 2.3.5). */
function cryptSession(password: string): { record: Buffer; encrypt: (block: number, bytes: Buffer) => Buffer } {
  const salt = Buffer.from('0123456789abcdef');
  const sha1 = (...bytes: readonly Uint8Array[]) => createHash('sha1').update(Buffer.concat(bytes)).digest();
  const base = sha1(salt, Buffer.from(password, 'utf16le'));
  const encrypt = (block: number, bytes: Buffer) => rc4(sha1(base, u32(block)).subarray(0, 16), bytes);
  const verifier = Buffer.from('a verifier of 16');
  const secret = encrypt(0, Buffer.concat([verifier, sha1(verifier)]));
  const header = u32(4, 0, 0x6801, 0x8004, 128, 1, 0, 0, 0);
  const info = [u16(3, 2), u32(4, header.length), header, u32(16), salt, secret.subarray(0, 16), u32(20), secret.subarray(16)];
  return { record: container(12_052, [Buffer.concat(info)]), encrypt };
}
