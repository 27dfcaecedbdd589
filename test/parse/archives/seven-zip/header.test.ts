import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DocumentError } from '../../../../src/errors.ts';
import { Damage } from '../../../../src/parse/archives/seven-zip/damage.ts';
import { type Header, readHeader } from '../../../../src/parse/archives/seven-zip/header.ts';
import { byte, filesOf, number, property, streamsOf, type WrittenFolder } from '../../../support/seven-zip-writer.ts';

const copy = { id: '00', properties: Buffer.alloc(0), bytes: 7 };
const folder: WrittenFolder = {
  coders: [copy],
  packedBytes: 7,
  streams: [
    { bytes: 3, crc: 1 },
    { bytes: 4, crc: 2 },
  ],
};
const files = [
  { name: '目录', data: null, attributes: 0x10 },
  { name: 'a\\..\\b/./c.txt', data: 'abc' },
  { name: 'empty', data: '' },
  { name: 'gone', data: '', isAnti: true },
  { name: 'link', data: 'abcd', attributes: 0x8000 | (0o120777 << 16) },
];

function read(parts: readonly Buffer[], entriesMax = 100): Header {
  return readHeader(Buffer.concat(parts), { entriesMax });
}

const listOf = (streams: Buffer, named = filesOf(files)): Buffer[] => [byte(1), byte(4), streams, named, byte(0)];

describe('the list of a 7z archive', () => {
  it('says where folders are, how they are packed, and which files come out of them', () => {
    expect(read(listOf(streamsOf(5, [folder])))).toEqual({
      kind: 'plain',
      folders: [
        {
          packedAt: 5,
          packedBytes: 7,
          isChain: true,
          steps: [{ method: '00', properties: Buffer.alloc(0), bytes: 7 }],
          streams: folder.streams,
        },
      ],
      entries: [
        { name: '目录', isFile: false, hasStream: false },
        { name: 'a/b/c.txt', isFile: true, hasStream: true },
        { name: 'empty', isFile: true, hasStream: false },
        { name: 'gone', isFile: false, hasStream: false },
        { name: 'link', isFile: false, hasStream: true },
      ],
    });
  });

  it('undoes its methods from the packed end on, in whatever order they are written', () => {
    const coders = ['0a', '0b', '0c'].map((id, at) => ({ id, properties: Buffer.from([at]), bytes: at }));
    const header = read([byte(0x17), streamsOf(0, [{ ...folder, coders, streams: [{ bytes: 0, crc: 0 }] }])]);

    expect(header.folders[0]!.steps.map(({ method, bytes }) => [method, bytes])).toEqual([
      ['0c', 2],
      ['0b', 1],
      ['0a', 0],
    ]);
  });

  it('names the method that takes its bytes from several places', () => {
    const bcj2 = Buffer.concat([byte(1, 0x14), Buffer.from('0303011b', 'hex'), byte(4, 1, 0, 1, 2, 3)]);
    const streams = Buffer.concat([byte(6, 0, 4, 9, 1, 1, 1, 1, 0, 7, 11, 1, 0), bcj2, byte(12, 9, 0, 0)]);

    expect(read([byte(0x17), streams])).toMatchObject({
      folders: [{ packedBytes: 4, isChain: false, steps: [{ method: '0303011b' }], streams: [{ bytes: 9 }] }],
    });
  });

  it('is damaged where methods take their bytes from each other in a circle, or twice from one', () => {
    const streams = (bonds: readonly number[]): Buffer =>
      Buffer.concat([byte(6, 0, 1, 9, 1, 0, 7, 11, 1, 0, 3, 1, 0, 1, 0, 1, 0, ...bonds, 12, 1, 1, 1, 0, 0)]);

    expect(read([byte(0x17), streams([0, 1, 1, 2])]).folders[0]!.steps).toHaveLength(3);
    for (const bonds of [
      [0, 1, 1, 0],
      [0, 0, 1, 2],
      [0, 1, 2, 1],
      [0, 3, 1, 2],
      [3, 1, 1, 2],
    ])
      expect(() => read([byte(0x17), streams(bonds)])).toThrow(Damage);
  });

  it.each([
    ['folders', [byte(0x17, 6, 0, 1, 9, 1, 0, 7, 11), number(2n ** 62n)]],
    ['packed streams', [byte(0x17, 6, 0), number(2 ** 40), byte(9)]],
    ['methods', [byte(0x17, 6, 0, 1, 9, 1, 0, 7, 11, 1, 0), number(2 ** 30)]],
    ['bytes of properties', [byte(0x17, 6, 0, 1, 9, 1, 0, 7, 11, 1, 0, 1, 0x21, 0), number(2 ** 50)]],
    ['bytes of names', [byte(1, 5, 1, 17), number(2 ** 45)]],
  ])('is damaged where it counts more %s than it has bytes', (_, parts) => {
    expect(() => read(parts)).toThrow(Damage);
  });

  it('has no more files, folders, and files in folders than MAX_ARCHIVE_ENTRIES, whatever it claims', () => {
    const many = Array.from({ length: 11 }, () => ({ ...folder, streams: [] }));
    const inFolders = Buffer.concat([byte(6, 0, 1, 9, 1, 0, 7, 11, 1, 0, 1, 1, 0, 12, 1, 0, 8, 13), number(2 ** 50), byte(0, 0)]);
    for (const parts of [
      [byte(1, 5), number(2 ** 50)],
      [byte(0x17), streamsOf(0, many)],
      [byte(0x17), inFolders],
    ]) {
      expect(() => read(parts, 10)).toThrow(/MAX_ARCHIVE_ENTRIES/);
    }
  });

  it('says nothing twice, which would cost as much again for few bytes', () => {
    expect(() => read([byte(1, 5, 8), property(14, byte(0xff)), property(14, byte(0xff)), byte(0, 0)])).toThrow(Damage);
    expect(() => read([byte(1), byte(5, 0, 0), byte(5, 0, 0), byte(0)])).toThrow(Damage);
  });

  it('is damaged where files are larger than their folder, or others than come out of it', () => {
    const larger = { ...folder, streams: [{ bytes: 8, crc: 1 }, folder.streams[1]!] };
    const fewer = { ...folder, streams: folder.streams.slice(1) };
    for (const one of [larger, fewer]) expect(() => read(listOf(streamsOf(0, [one])))).toThrow(Damage);
  });

  it('ends on any bytes', () => {
    const list = Buffer.concat(listOf(streamsOf(5, [folder])));
    fc.assert(
      fc.property(fc.nat(list.length - 1), fc.nat(255), fc.nat(list.length), (at, value, end) => {
        const bytes = Buffer.from(list.subarray(0, end));
        if (at < end) bytes[at] = value;
        try {
          readHeader(bytes, { entriesMax: 100 });
        } catch (error) {
          if (!(error instanceof Damage || error instanceof DocumentError)) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });
});
