/** Old binary office files that mean harm: chains that loop, sizes that lie, lists that name one thing ten thousand times, bombs, halves. */
import { deflateSync } from 'node:zlib';
import { compoundFile } from '../../src/parse/containers/compound-writer.ts';
import { docSample, msgSample, pptSample, xlsSample, xlsbSample } from './binary-samples.ts';
import { makeDoc, operations, para, placeTable, styleSheet } from './doc-writer.ts';
import type { HostileFile } from './hostile-file.ts';
import { makeMsg, msgContent, type MsgParts } from './msg-writer.ts';
import { atom, container, group, makePpt, shape, text } from './ppt-writer.ts';
import { cells, makeXls, narrow, record, u16, u32, u8, wide } from './xls-writer.ts';

const mebibyte = 1024 * 1024;

export function hostileBinaryFiles(): HostileFile[] {
  return [...containers(), ...workbooks(), ...documents(), ...presentations(), ...messages(), ...protectedFiles()];
}

/** A file with words in its table of sectors changed: `[entry, what follows it]`. */
function chained(file: Buffer, changes: readonly (readonly [number, number])[]): Buffer {
  const table = 512 * (file.readUInt32LE(76) + 1);
  for (const [entry, next] of changes) file.writeUInt32LE(next, table + entry * 4);
  return file;
}

const large = (): Buffer =>
  makeXls({ sheets: [{ name: 'S', records: Array.from({ length: 2000 }, (_, at) => cells.label(at, 0, `text ${at}`)) }] });

function containers(): HostileFile[] {
  const half = (bytes: Buffer): Buffer => bytes.subarray(0, bytes.length >> 1);
  const noise = Buffer.from(Array.from({ length: 50_000 }, (_, at) => (at * 2_654_435_761) >>> 24));
  return [
    { name: 'loop.xls', bytes: () => chained(large(), [[4, 2]]), ends: 'read' },
    { name: 'loop-of-one.xls', bytes: () => chained(large(), [[0, 0]]), ends: /^(?:read|no_text|corrupt)/ },
    {
      name: 'loop-in-directory.doc',
      bytes() {
        const file = docSample();
        return chained(file, [[file.readUInt32LE(48), file.readUInt32LE(48)]]);
      },
      ends: 'read',
    },
    {
      name: 'says-4-gb.xls',
      bytes() {
        const file = large();
        file.writeUInt32LE(0xffff_fff0, file.indexOf(Buffer.from('Workbook', 'utf16le')) + 120);
        return file;
      },
      ends: 'read',
    },
    ...(['doc', 'xls', 'ppt', 'msg'] as const).map((ending): HostileFile => {
      const sample = { doc: docSample, xls: xlsSample, ppt: pptSample, msg: msgSample }[ending];
      return { name: `half.${ending}`, bytes: () => half(sample()), ends: /^(?:read|corrupt: |no_text: |unsupported_format: )/ };
    }),
    { name: 'half.xlsb', bytes: () => half(xlsbSample()), ends: /^(?:read|corrupt: |no_text: |unsupported_format: )/ },
    {
      name: 'noise.doc',
      bytes: () => Buffer.concat([docSample().subarray(0, 512), noise]),
      ends: /^(?:corrupt|unsupported_format): /,
    },
    {
      name: '30000-storages.msg',
      bytes: () =>
        compoundFile({
          streams: { '__properties_version1.0': Buffer.alloc(32) },
          storages: Object.fromEntries(Array.from({ length: 30_000 }, (_, at) => [`__recip_version1.0_#${at}`, { streams: {} }])),
        }),
      ends: /^(?:read|no_text: )/,
    },
  ];
}

function workbooks(): HostileFile[] {
  const inside = Array.from({ length: 9000 }, () => record(0x809, u16(0x600, 0x10)));
  const list = (from: number) =>
    Array.from({ length: 9000 }, (_, at) => record(0x85, u32(from + at * 8), u8(0, 0), u8(1, 0), Buffer.from('S')));
  return [
    {
      name: 'sheets-in-sheets.xls',
      bytes: () =>
        compoundFile({
          streams: { Workbook: Buffer.concat([record(0x809, u16(0x600, 5)), ...list(8 + 9000 * 14 + 4), record(0x0a), ...inside]) },
        }),
      ends: /^(?:read|no_text: |limit_exceeded: )/,
    },
    {
      name: '4-billion-strings.xls',
      bytes: () =>
        makeXls({
          globals: [record(0xfc, u32(0xffff_ffff, 0xffff_ffff), narrow('a'))],
          sheets: [{ name: 'S', records: [cells.shared(0, 0, 0)] }],
        }),
      ends: 'read',
    },
    {
      name: 'one-text-in-200000-cells.xls',
      bytes: () =>
        makeXls({
          globals: [record(0xfc, u32(1, 1), wide('x'.repeat(4000)))],
          sheets: [{ name: 'S', records: Array.from({ length: 200_000 }, (_, at) => cells.shared(at >> 3, at & 7, 0)) }],
        }),
      ends: 'read',
    },
    {
      name: 'merged-whole-sheet.xls',
      bytes: () =>
        makeXls({
          sheets: [
            {
              name: 'S',
              records: [
                cells.label(0, 0, 'x'.repeat(1000)),
                cells.label(0xffff, 255, 'end'),
                ...Array.from({ length: 1000 }, () => record(0xe5, u16(2), u16(0, 0xffff, 0, 255), u16(0, 0xffff, 0, 255))),
              ],
            },
          ],
        }),
      ends: 'read',
    },
  ];
}

function documents(): HostileFile[] {
  const many = Array.from({ length: 20_000 }, (_, at) => at * 4000);
  const pieces = placeTable(
    many,
    many.slice(1).map(() => Buffer.concat([u16(0), u32(0x600), u16(0)])),
  );
  const loop = styleSheet(Array.from({ length: 200 }, (_, at) => ({ id: 0xffe, name: 's', basedOn: (at + 1) % 200 })));
  return [
    {
      name: '20000-pieces-of-the-same.doc',
      bytes: () => makeDoc({ body: [para('x'.repeat(3999))], tables: { 33: Buffer.concat([u8(2), u32(pieces.length), pieces]) } }),
      ends: 'read',
    },
    {
      name: 'styles-in-a-circle.doc',
      bytes: () => makeDoc({ body: [para('text', { style: 7 })], tables: { 1: loop } }),
      ends: 'read',
    },
    {
      name: 'tables-2-billion-deep.doc',
      bytes: () => makeDoc({ body: [para('text', { look: operations.inTable(0x7fff_ffff), end: '\x07' })] }),
      ends: 'read',
    },
    {
      name: 'notes-in-notes.doc',
      bytes: () =>
        makeDoc({
          body: [para('a\x02')],
          footnotes: [para('\x02 b')],
          tables: { 2: placeTable([1, 3, 9], [u16(1), u16(1)]), 3: placeTable([0, 4, 4, 5]) },
        }),
      ends: 'read',
    },
  ];
}

function presentations(): HostileFile[] {
  const entry = (id: number) => atom(1011, u32(id, 0, 0, 256, 0));
  let deep = shape(text(4, ['deep']));
  for (let depth = 0; depth < 5000; depth++) deep = group([deep]);
  const packed = deflateSync(Buffer.alloc(300 * mebibyte));
  return [
    {
      name: 'one-slide-10000-times.ppt',
      bytes: () =>
        makePpt({
          slides: [{ shapes: [shape(text(4, ['x'.repeat(9000)]))], outline: Array.from({ length: 10_000 }, () => entry(2)) }],
        }),
      ends: 'read',
    },
    {
      name: '5000-groups-deep.ppt',
      bytes: () => makePpt({ slides: [{ shapes: [shape(text(4, ['text'])), deep] }] }),
      ends: 'read',
    },
    {
      name: '300-mb-inside.ppt',
      bytes: () => makePpt({ slides: [{ shapes: [shape(text(4, ['text']))] }], packed: [packed] }),
      ends: 'read',
    },
    {
      name: 'edits-in-a-circle.ppt',
      bytes() {
        const edit = (before: number) => atom(4085, u32(0, 0, before, 0, 1, 0, 0));
        const stream = Buffer.concat([edit(36), edit(0), edit(36)]);
        return compoundFile({ streams: { 'PowerPoint Document': stream, 'Current User': Buffer.concat([u32(0, 0, 0, 0, 36)]) } });
      },
      ends: /^corrupt: /,
    },
    {
      name: 'says-4-gb.ppt',
      bytes: () =>
        makePpt({
          slides: [
            { shapes: [Buffer.concat([u16(0x0f, 0xf004), u32(0xffff_ffff)])], more: [container(0xf003, [])] },
            { shapes: [shape(text(4, ['text']))] },
          ],
        }),
      ends: 'read',
    },
  ];
}

function messages(): HostileFile[] {
  let parts: MsgParts = { properties: { 0x37: 'innermost', 0x1000: 'text' } };
  for (let depth = 0; depth < 20; depth++)
    parts = {
      properties: { 0x37: `message ${depth}`, 0x1000: 'text' },
      attachments: [{ properties: { 0x3001: 'm' }, inside: msgContent(parts, 24) }],
    };
  const bomb = Buffer.concat([
    u32(2_000_000, 0xffff_ffff, 0x75465a4c, 0),
    Buffer.alloc(2_000_000, Buffer.from([0xff, 0x0c, 0xff])),
  ]);
  return [
    { name: '20-messages-deep.msg', bytes: () => makeMsg(parts), ends: 'read' },
    {
      name: 'rtf-that-says-4-gb.msg',
      bytes: () => makeMsg({ properties: { 0x37: 'S', 0x1009: bomb } }),
      ends: /^(?:read|limit_exceeded: )/,
    },
    {
      name: '3000-attachments.msg',
      bytes: () =>
        makeMsg({
          properties: { 0x37: 'S' },
          attachments: Array.from({ length: 3000 }, (_, at) => ({ 0x3707: `${at}.txt`, 0x3701: Buffer.from('a') })),
        }),
      ends: 'read',
    },
  ];
}

function protectedFiles(): HostileFile[] {
  const password = 'chosen';
  return [
    {
      name: 'protected.xls',
      bytes: () => makeXls({ sheets: [{ name: 'S', records: [cells.label(0, 0, 'x')] }], password }),
      ends: /^encrypted: /,
    },
    { name: 'protected.doc', bytes: () => makeDoc({ body: [para('x')], password }), ends: /^encrypted: / },
    { name: 'protected.ppt', bytes: () => makePpt({ slides: [{ shapes: [] }], password }), ends: /^encrypted: / },
  ];
}
