/** The records of a PPT file (MS-PPT 2.3.1), and the objects that its directory names (2.3.4): slides, masters, notes, the document itself. */
import { DocumentError } from '../../../errors.ts';
import type { CompoundStorage } from '../../containers/compound-file.ts';
import { openRc4Blocks, protectedByPassword } from '../binary-encryption.ts';

export type PptRecord = {
  readonly type: number;
  /** Which of several of its kind it is. */ readonly instance: number;
  /** It holds records. */ readonly isContainer: boolean;
  readonly data: Buffer;
};

export const pptTypes = {
  document: 1000,
  slide: 1006,
  slideAtom: 1007,
  notes: 1008,
  slidePersist: 1011,
  master: 1016,
  slideShowInfo: 1017,
  objectList: 1033,
  drawing: 1036,
  laterPlaceholder: 1056,
  placeholder: 3011,
  outlineReference: 3998,
  textHeader: 3999,
  textCharacters: 4000,
  textStyle: 4001,
  masterStyle: 4003,
  textBytes: 4008,
  textNumbers: 4012,
  text: 4026,
  linkAtom: 4051,
  link: 4055,
  objectStorage: 4113,
  slideNumber: 4056,
  headersFooters: 4057,
  headersFootersAtom: 4058,
  linkedText: 4063,
  slideList: 4080,
  interaction: 4082,
  interactionAtom: 4083,
  userEdit: 4085,
  dateTime: 4087,
  genericDate: 4088,
  header: 4089,
  footer: 4090,
  directory: 6002,
  comment: 12_000,
  cryptSession: 12_052,
} as const;

/** The records one after the other in a container or a stream; the last one ends where the bytes do. */
export function* readPptRecords(data: Buffer): Generator<PptRecord> {
  for (let at = 0; at + 8 <= data.length;) {
    const record = recordAt(data, at);
    yield record;
    at += 8 + record.data.length;
  }
}

export function recordAt(data: Buffer, at: number): PptRecord {
  const version = data.readUInt16LE(at);
  const length = data.readUInt32LE(at + 4);
  return {
    type: data.readUInt16LE(at + 2),
    instance: version >> 4,
    isContainer: (version & 0x0f) === 0x0f,
    data: data.subarray(at + 8, at + 8 + length),
  };
}

/** The first record of that type (and instance) in a container. */
export function findRecord(data: Buffer, type: number, instance?: number): PptRecord | null {
  for (const record of readPptRecords(data))
    if (record.type === type && (instance === undefined || record.instance === instance)) return record;
  return null;
}

/** Containers in containers. */
const depthMax = 50;

/** All records of that type, at whatever depth. */
export function* recordsWithin(data: Buffer, type: number, depth = 0): Generator<PptRecord> {
  for (const record of readPptRecords(data)) {
    if (record.type === type) yield record;
    else if ((record.isContainer || record.type === binaryTag) && depth < depthMax)
      yield* recordsWithin(record.data, type, depth + 1);
  }
}

/** What later versions have added stands in blobs that look like no containers. */
const binaryTag = 0x138b;

export interface PptFile {
  /** The document container. */
  readonly document: Buffer;
  /** An object of the directory by its number. */
  object(id: number): PptRecord | null;
  /** Where it stands; several numbers may name one place. */
  placeOf(id: number): number;
  readonly objectIds: readonly number[];
}

const editsMax = 10_000;
const objectsMax = 1_000_000;

/** @throws DocumentError `corrupt`, `encrypted`. */
export function openPptFile(root: CompoundStorage, passwords: readonly string[]): PptFile {
  const storage = root.storage('PP97_DUALSTORAGE') ?? root;
  const stream = storage.stream('PowerPoint Document')?.read() ?? Buffer.alloc(0);
  const user = storage.stream('Current User')?.read() ?? Buffer.alloc(0);
  const edit = user.length >= 20 ? user.readUInt32LE(16) : stream.length;
  const { offsets, documentId, sessionId } = readDirectory(stream, isEdit(stream, edit) ? edit : lastEdit(stream));
  const session = sessionId === null ? null : offsets.get(sessionId);
  const decrypt = session === null || session === undefined ? null : openSession(stream, session, passwords);
  const object = (id: number): PptRecord | null => {
    const at = offsets.get(id);
    if (at === undefined || at + 8 > stream.length) return null;
    return decrypt === null || id === sessionId ? recordAt(stream, at) : decryptedAt(stream, at, (bytes) => decrypt(id, bytes));
  };
  const document = (documentId === null ? null : object(documentId)) ?? findRecord(stream, pptTypes.document);
  if (document?.type !== pptTypes.document)
    throw new DocumentError('corrupt', 'The presentation is damaged: its list of slides cannot be read');
  return { document: document.data, object, placeOf: (id) => offsets.get(id) ?? -1, objectIds: [...offsets.keys()] };
}

function isEdit(stream: Buffer, at: number): boolean {
  return at + 8 <= stream.length && stream.readUInt16LE(at + 2) === pptTypes.userEdit;
}

/** Where the last edit is noted, found by going through the file. */
function lastEdit(stream: Buffer): number {
  let found = stream.length;
  for (let at = 0; at + 8 <= stream.length; at += 8 + recordAt(stream, at).data.length) if (isEdit(stream, at)) found = at;
  return found;
}

type Directory = {
  readonly offsets: ReadonlyMap<number, number>;
  readonly documentId: number | null;
  readonly sessionId: number | null;
};

/** Each save adds an edit that points to the one before; of an object's places the newest counts. */
function readDirectory(stream: Buffer, start: number): Directory {
  const offsets = new Map<number, number>();
  let documentId: number | null = null;
  let sessionId: number | null = null;
  const seen = new Set<number>();
  for (let at = start; isEdit(stream, at) && !seen.has(at) && seen.size < editsMax;) {
    seen.add(at);
    const { data } = recordAt(stream, at);
    if (data.length < 20) break;
    documentId ??= data.readUInt32LE(16);
    if (data.length >= 32) sessionId ??= data.readUInt32LE(28);
    const directory = data.readUInt32LE(12);
    if (directory + 8 <= stream.length) addOffsets(recordAt(stream, directory), offsets);
    at = data.readUInt32LE(8);
    if (at === 0) break;
  }
  return { offsets, documentId, sessionId };
}

function addOffsets({ type, data }: PptRecord, offsets: Map<number, number>): void {
  if (type !== pptTypes.directory) return;
  for (let at = 0; at + 4 <= data.length;) {
    const head = data.readUInt32LE(at);
    const [first, count] = [head & 0xf_ffff, head >>> 20];
    at += 4;
    for (let index = 0; index < count && at + 4 <= data.length && offsets.size < objectsMax; index++, at += 4)
      if (!offsets.has(first + index)) offsets.set(first + index, data.readUInt32LE(at));
  }
}

type Decrypt = (block: number, bytes: Buffer) => Buffer;

function openSession(stream: Buffer, at: number, passwords: readonly string[]): Decrypt {
  const session = at + 8 <= stream.length ? recordAt(stream, at) : null;
  const open = session?.type === pptTypes.cryptSession ? openRc4Blocks(session.data, passwords) : null;
  if (open === null) throw protectedByPassword(passwords);
  return open;
}

function decryptedAt(stream: Buffer, at: number, decrypt: (bytes: Buffer) => Buffer): PptRecord {
  const head = decrypt(stream.subarray(at, at + 8));
  const length = Math.min(head.readUInt32LE(4), stream.length - at - 8);
  return recordAt(decrypt(stream.subarray(at, at + 8 + length)), 0);
}
