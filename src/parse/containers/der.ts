/**
 * ASN.1 in its basic encoding (ITU-T X.690), as signatures and seals have it, lengths of both kinds. Reads only what is asked for and
 * copies nothing.
 */

export type DerNode = {
  /** The first byte: class, whether there are parts, number. */
  readonly tag: number;
  readonly content: Buffer;
  /** The parts of a constructed value; read when asked for, at most `partsMax`. Empty where it is not one, or damaged. */
  readonly parts: () => readonly DerNode[];
};

const partsMax = 100_000;
/** Of values without a length inside of each other. */
const depthMax = 32;

export const derTags = { integer: 0x02, octets: 0x04, id: 0x06, sequence: 0x30, set: 0x31 } as const;

/** The value that begins at the start of `bytes`, or null. */
export function readDer(bytes: Buffer): DerNode | null {
  return valueAt(bytes, 0, 0)?.node ?? null;
}

/** The bytes of an octet string, which may come in parts. */
export function octetsOf(node: DerNode): Buffer {
  if ((node.tag & 0x20) === 0) return node.content;
  return Buffer.concat(node.parts().map((part) => ((part.tag & 0x20) === 0 ? part.content : Buffer.alloc(0))));
}

type Value = { readonly node: DerNode; readonly end: number };

function valueAt(bytes: Buffer, at: number, depth: number): Value | null {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) return null;
  if (first === 0x80) return openValue(bytes, at, tag, depth);
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (lengthBytes > 4 || at + 2 + lengthBytes > bytes.length) return null;
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes);
  const start = at + 2 + lengthBytes;
  const end = Math.min(bytes.length, start + length);
  const content = bytes.subarray(start, end);
  return { node: { tag, content, parts: () => partsOf(tag, content, depth) }, end };
}

/** Without a length: up to two zero bytes where a part would begin. */
function openValue(bytes: Buffer, at: number, tag: number, depth: number): Value | null {
  if (depth >= depthMax || (tag & 0x20) === 0) return null;
  const parts: DerNode[] = [];
  let next = at + 2;
  while (parts.length < partsMax && next < bytes.length && !(bytes[next] === 0 && bytes[next + 1] === 0)) {
    const part = valueAt(bytes, next, depth + 1);
    if (part === null) break;
    parts.push(part.node);
    next = part.end;
  }
  return { node: { tag, content: bytes.subarray(at + 2, next), parts: () => parts }, end: Math.min(bytes.length, next + 2) };
}

function partsOf(tag: number, content: Buffer, depth: number): readonly DerNode[] {
  const parts: DerNode[] = [];
  if ((tag & 0x20) === 0 || depth >= depthMax) return parts;
  for (let at = 0; at < content.length && parts.length < partsMax;) {
    const part = valueAt(content, at, depth + 1);
    if (part === null) break;
    parts.push(part.node);
    at = part.end;
  }
  return parts;
}
