/** Small archives and wrappers for tests: tar, mailboxes, signed files, `winmail.dat`, OLE packages. */
import { compoundFile } from '../../src/parse/containers/compound-writer.ts';
import { der } from './ofd-writer.ts';

/** A ustar archive; long names in a block of their own, as GNU tar has them, or as pax has them. */
export function makeTar(
  files: readonly { readonly name: string; readonly data: Buffer | string; readonly pax?: boolean }[],
): Buffer {
  const blocks: Buffer[] = [];
  for (const { name, data, pax = false } of files) {
    const bytes = Buffer.from(data as string);
    if (pax) blocks.push(...tarEntry('pax', 'x', paxRecord('path', name)), ...tarEntry('short', '0', bytes));
    else if (Buffer.byteLength(name) > 100)
      blocks.push(...tarEntry('././@LongLink', 'L', Buffer.from(`${name}\0`)), ...tarEntry('long', '0', bytes));
    else blocks.push(...tarEntry(name, '0', bytes));
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** `27 path=folder/name\n`: its length counts itself. */
function paxRecord(key: string, value: string): Buffer {
  const rest = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(rest);
  while (String(length).length + Buffer.byteLength(rest) !== length) length = String(length).length + Buffer.byteLength(rest);
  return Buffer.from(`${length}${rest}`);
}

/** Header and padded content. `size` may lie. */
export function tarEntry(name: string, type: string, data: Buffer, size = data.length): Buffer[] {
  const header = Buffer.alloc(512);
  header.write(name, 0, 100);
  header.write('0000644', 100);
  header.write(size.toString(8).padStart(11, '0'), 124);
  header.fill(0x20, 148, 156);
  header.write(type, 156);
  header.write('ustar\0' + '00', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0`, 148);
  return [header, data, Buffer.alloc((512 - (data.length % 512)) % 512)];
}

export function makeMbox(mails: readonly string[]): string {
  return mails
    .map((mail, at) => `From a@example.com Mon Jun 0${(at % 9) + 1} 10:00:00 2009\n${mail.replace(/^(>*From )/gm, '>$1')}\n`)
    .join('\n');
}

const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const open = (tag: number, parts: readonly Buffer[]): Buffer =>
  Buffer.concat([Buffer.from([tag, 0x80]), ...parts, Buffer.from([0, 0])]);

/** SignedData around `content` (null: a signature of something elsewhere), with lengths or, as streaming writers do, without. */
export function makeSigned(content: Buffer | null, isOpen = false): Buffer {
  const wrap = isOpen ? open : (tag: number, parts: readonly Buffer[]): Buffer => der(tag, parts);
  const octets =
    content === null
      ? []
      : [
          wrap(0xa0, [
            isOpen ? open(0x24, [der(0x04, content.subarray(0, 3)), der(0x04, content.subarray(3))]) : der(0x04, content),
          ]),
        ];
  const inner = wrap(0x30, [oid('2a864886f70d010701'), ...octets]);
  return wrap(0x30, [
    oid('2a864886f70d010702'),
    wrap(0xa0, [wrap(0x30, [der(0x02, Buffer.from([1])), der(0x31, []), inner, der(0x31, [])])]),
  ]);
}

export function makeEnveloped(): Buffer {
  return der(0x30, [oid('2a864886f70d010703'), der(0xa0, [der(0x30, [der(0x02, Buffer.from([0]))])])]);
}

/** MS-OXTNEF: a subject, a text, and attachments. */
export function makeTnef(
  subject: string,
  text: string,
  attachments: readonly { readonly name: string; readonly data: Buffer }[],
): Buffer {
  const attribute = (level: number, id: number, type: number, data: Buffer): Buffer => {
    const head = Buffer.alloc(9);
    head.writeUInt8(level);
    head.writeUInt16LE(id, 1);
    head.writeUInt16LE(type, 3);
    head.writeUInt32LE(data.length, 5);
    return Buffer.concat([head, data, Buffer.alloc(2)]);
  };
  return Buffer.concat([
    Buffer.from([0x78, 0x9f, 0x3e, 0x22, 1, 0]),
    attribute(1, 0x8004, 1, Buffer.from(`${subject}\0`)),
    attribute(1, 0x800c, 2, Buffer.from(`${text}\0`)),
    ...attachments.flatMap(({ name, data }) => [
      attribute(2, 0x9002, 6, Buffer.alloc(14)),
      attribute(2, 0x8010, 1, Buffer.from('SHORT~1.TXT\0')),
      attribute(2, 0x800f, 6, data),
      attribute(2, 0x9005, 6, mapiText(0x3707, name)),
    ]),
  ]);
}

/** One property, a text of UTF-16. */
function mapiText(id: number, text: string): Buffer {
  const data = Buffer.from(`${text}\0`, 'utf16le');
  const head = Buffer.alloc(16);
  head.writeUInt32LE(1);
  head.writeUInt16LE(0x1f, 4);
  head.writeUInt16LE(id, 6);
  head.writeUInt32LE(1, 8);
  head.writeUInt32LE(data.length, 12);
  return Buffer.concat([head, data, Buffer.alloc((4 - (data.length % 4)) % 4)]);
}

/** A file as "Package" embeds it. */
export function makeOlePackage(name: string, data: Buffer): Buffer {
  const number = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return bytes;
  };
  const path = Buffer.from(`C:\\temp\\${name}\0`);
  const body = Buffer.concat([
    Buffer.from([2, 0]),
    Buffer.from(`${name}\0`),
    path,
    Buffer.from([0, 0, 3, 0]),
    number(path.length),
    path,
    number(data.length),
    data,
  ]);
  return compoundFile({ streams: { '\u0001Ole10Native': Buffer.concat([number(body.length), body]) } });
}
