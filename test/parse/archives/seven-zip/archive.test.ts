import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openSevenZip } from '../../../../src/parse/archives/seven-zip/archive.ts';
import { createDocumentParser } from '../../../../src/parse/document-parser.ts';
import type { ParseInput } from '../../../../src/parse/parser.ts';
import { pageLines } from '../../../support/prose.ts';
import { parseBytes, refusalOf, usualLimits } from '../../../support/parse.ts';
import { type RealSevenZip, realSevenZip } from '../../../support/seven-zip-samples.ts';
import {
  byte,
  filesOf,
  makeSevenZip,
  number,
  sevenZipOf,
  streamsOf,
  type WrittenFolder,
} from '../../../support/seven-zip-writer.ts';
import { makeZip } from '../../../support/zip-writer.ts';

const parser = createDocumentParser({});
const line = (at: number): string => `line ${at} of a file that repeats itself`;
const repeated = [1, 2, 3, 4].map((at) => `${line(at)}, ${line(at)}`).join('\n');
const real = `# a.txt\n\nSome text.\n\n# rep.txt\n\n${repeated}\n\n# 目录/合同.md\n\n## 二\n\ntext of the second`;

function sortedParts(markdown: string): string[] {
  return markdown
    .split(/^(?=# )/m)
    .map((part) => part.trim())
    .sort();
}

function inputOf(bytes: Uint8Array, more: Partial<ParseInput> = {}): ParseInput {
  return {
    path: '',
    bytes,
    fileBytes: bytes.length,
    filename: 'a.7z',
    declaredMediaType: null,
    limits: usualLimits,
    onProgress: () => {},
    ...more,
  };
}

describe('a 7z archive as 7-Zip writes it', () => {
  it.each(['lzma2', 'lzma', 'deflate', 'bzip2', 'ppmd', 'delta', 'bcj', 'folders', 'copy'] satisfies RealSevenZip[])(
    'is read: %s',
    async (name) => {
      const parsed = await parseBytes(parser, realSevenZip(name), { filename: 'a.7z' });

      expect(sortedParts(parsed.markdown)).toEqual(sortedParts(real));
      expect(parsed).toMatchObject({ format: '7z', warnings: ['The file empty.txt was not read: it is empty'] });
    },
  );

  it.each(['password', 'list'] satisfies RealSevenZip[])('needs its password, and the right one: %s', async (name) => {
    const bytes = realSevenZip(name);
    const parsed = await parseBytes(parser, bytes, { filename: 'a.7z', password: 'geheim密' });

    expect(sortedParts(parsed.markdown)).toEqual(sortedParts(real));
    expect(await refusalOf(parser, bytes, { filename: 'a.7z' })).toBe(
      'encrypted: The file is protected by a password: remove the password and upload it again, or send the password with it',
    );
    expect(await refusalOf(parser, bytes, { filename: 'a.7z', password: 'geheim' })).toBe(
      'encrypted: The file is protected by a password, and the password sent with it does not open it',
    );
  });

  it('is refused with the name of a method that is not read', async () => {
    expect(await refusalOf(parser, realSevenZip('bcj2'), { filename: 'a.7z' })).toMatch(
      /^no_text: .* was not read: it is packed by BCJ2, which is not read: pack it by LZMA2 or as ZIP and upload that$/,
    );
  });
});

const prose = Buffer.from(pageLines(3, 800).join('\n'));
const files = [
  { name: 'a.txt', data: 'plain zebrafish' },
  { name: 'long.txt', data: prose },
  { name: 'b.txt', data: 'more of it' },
];

describe('a 7z archive', () => {
  it.each(['copy', 'lzma', 'lzma2', 'deflate'] as const)('gives back any files that were packed by %s', async (method) => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z中文 ]{1,8}$/), { minLength: 1, maxLength: 6 });
    const content = fc.oneof(fc.uint8Array({ maxLength: 400 }), fc.constantFrom(prose, prose.subarray(0, 5000)));
    const options = { method: fc.constant(method), packedList: fc.boolean(), filesPerFolder: fc.integer({ min: 1, max: 6 }) };
    await fc.assert(
      fc.asyncProperty(
        names,
        fc.array(content, { minLength: 6, maxLength: 6 }),
        fc.record(options),
        async (named, contents, how) => {
          const packed = named.map((name, at) => ({ name, data: Buffer.from(contents[at]!) }));
          const archive = await openSevenZip(inputOf(makeSevenZip(packed, how), { limits: { ...usualLimits, ratioMax: 1e6 } }));
          const got: { name: string; data: Buffer }[] = [];
          for await (const { name, bytes } of archive.members()) got.push({ name, data: await bytes(1e6) });

          expect(got.map(({ name, data }) => [name, data.toString('hex')])).toEqual(
            packed.map(({ name, data }) => [name, data.toString('hex')]),
          );
          expect(archive.warnings).toEqual([]);
        },
      ),
      { numRuns: 15 },
    );
  });

  it('is read from a file as from memory, and unpacks only what is asked for', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'seven-zip-'));
    const path = join(folder, 'a.7z');
    const bytes = makeSevenZip(files);
    writeFileSync(path, bytes);
    const { bytes: _bytes, ...onDisk } = inputOf(bytes, { path });
    const archive = await openSevenZip(onDisk);
    const got: string[] = [];
    for await (const { name, bytes: read } of archive.members()) if (name !== 'long.txt') got.push((await read(1000)).toString());
    archive.close();
    rmSync(folder, { recursive: true });

    expect(got).toEqual(['plain zebrafish', 'more of it']);
  });

  it('leaves out folders, links, and marks of deleted files, and what systems put into archives', async () => {
    const parsed = await parseBytes(
      parser,
      makeSevenZip([
        { name: 'folder', data: null, attributes: 0x10 },
        { name: 'link', data: 'a.txt', attributes: 0x8000 | (0o120777 << 16) },
        { name: 'junction', data: 'a.txt', attributes: 0x400 },
        { name: 'gone.txt', data: '', isAnti: true },
        { name: '.DS_Store', data: 'junk' },
        { name: '../../a.txt', data: 'text', attributes: 0x8000 | (0o100644 << 16) },
        { name: 'piped.txt', data: 'out of a pipe', attributes: 0x8000 | (0o010644 << 16) },
      ]),
    );

    expect(parsed.markdown).toBe('# a.txt\n\ntext\n\n# piped.txt\n\nout of a pipe');
    expect(parsed.warnings).toEqual([]);
  });

  it('holds archives and is held by them, as deep as files may lie in files', async () => {
    const inner = makeSevenZip([{ name: 'deep.txt', data: 'deeper' }]);
    const both = makeZip([
      {
        name: 'in.7z',
        data: makeSevenZip([
          { name: 'next.7z', data: inner },
          { name: 'b.txt', data: 'beside' },
        ]),
      },
    ]);
    let nested = inner;
    for (let level = 0; level < 8; level++)
      nested = makeSevenZip([
        { name: 'next.7z', data: nested },
        { name: 'n.txt', data: 'note' },
      ]);
    const deep = await parseBytes(parser, nested);

    expect((await parseBytes(parser, both)).markdown).toBe('# in.7z\n\n## next.7z\n\n### deep.txt\n\ndeeper\n\n## b.txt\n\nbeside');
    expect(deep.markdown).not.toContain('deeper');
    expect(deep.warnings.some((warning) => warning.includes('inside more than 5 files'))).toBe(true);
  });

  it('says that there are no files in it', async () => {
    expect(await refusalOf(parser, sevenZipOf(Buffer.alloc(0), Buffer.alloc(0)))).toBe('no_text: The archive has no files');
    expect(await refusalOf(parser, makeSevenZip([{ name: 'folder', data: null }]))).toBe('no_text: The archive has no files');
  });

  it('opens all folders with one key, and a file that is damaged is not taken for a wrong password', async () => {
    const locked = makeSevenZip([files[0]!, { ...files[2]!, crc: 1 }], { password: '密码', filesPerFolder: 1 });
    const parsed = await parseBytes(parser, locked, { password: '密码' });

    expect(parsed.markdown).toBe('# a.txt\n\nplain zebrafish\n\n# b.txt\n\nmore of it');
    expect(parsed.warnings).toEqual(['The part b.txt is damaged (its checksum is wrong)']);
  });
});

describe('[S79] a 7z archive that is damaged or lies', () => {
  it('keeps a file whose checksum is wrong, and says so', async () => {
    const parsed = await parseBytes(parser, makeSevenZip([files[0]!, { ...files[2]!, crc: 7 }]));

    expect(parsed.markdown).toBe('# a.txt\n\nplain zebrafish\n\n# b.txt\n\nmore of it');
    expect(parsed.warnings).toEqual(['The part b.txt is damaged (its checksum is wrong)']);
  });

  it('gives the files before the damage of a folder, and those of the other folders', async () => {
    const bytes = makeSevenZip([...files, { name: 'c.txt', data: 'of the next folder' }], { method: 'lzma', filesPerFolder: 3 });
    bytes.fill(0xff, 32 + 200, 32 + 1200);
    const parsed = await parseBytes(parser, bytes);

    expect(parsed.markdown).toMatch(/^# a\.txt\n\nplain zebrafish\n/);
    expect(parsed.markdown).toMatch(/# c\.txt\n\nof the next folder$/);
    expect(parsed.warnings.length).toBeGreaterThan(0);
  });

  it('is cut short or unreadable, never text and never read in part, wherever it is cut', async () => {
    const whole = makeSevenZip(files);
    for (let end = 2; end < whole.length; end += end < 40 ? 1 : 97)
      expect(await refusalOf(parser, whole.subarray(0, end), { filename: 'a.7z' })).toBe(
        'corrupt: The 7z archive is cut short, or only the first of several volumes: the list of its files is missing',
      );
    const text = Buffer.concat([whole.subarray(0, 6), Buffer.from(' and then there is text, as long as one likes'.repeat(50))]);
    expect(await refusalOf(parser, text, { filename: 'a.txt' })).toBe(
      'corrupt: The 7z archive is damaged: the list of its files cannot be read',
    );
  });

  it('ends wherever a byte is another one', async () => {
    const whole = makeSevenZip(files.with(1, { name: 'c.txt', data: prose.subarray(0, 1000) }), { packedList: true });
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(255), async (at, value) => {
        const bytes = Buffer.from(whole);
        bytes[at] = value;
        await parseBytes(parser, bytes, { filename: 'a.7z' }).catch((error: unknown) =>
          expect(String(error)).toMatch(/DocumentError|AppError/),
        );
      }),
      { numRuns: 200 },
    );
  });

  it('is bounded in what it unpacks to, all folders and all archives in it together', async () => {
    const zeros = Buffer.alloc(3_000_000);
    const bomb = makeSevenZip([{ name: 'a', data: zeros }]);
    expect(await refusalOf(parser, bomb)).toMatch(/^no_text: .*MAX_UNPACK_RATIO/);

    const limits = { unpackedBytesMax: 500_000, ratioMax: 1e6 };
    const text = Buffer.from('text '.repeat(60_000));
    const folders = makeSevenZip(
      [0, 1, 2].map((at) => ({ name: `${at}.txt`, data: text })),
      { filesPerFolder: 1 },
    );
    const three = await parseBytes(parser, folders, { limits });
    expect(three.warnings).toEqual([
      expect.stringMatching(/^The file 1.txt was not read: .*MAX_UNPACKED_BYTES/),
      expect.stringMatching(/^The file 2.txt was not read: .*MAX_UNPACKED_BYTES/),
    ]);
    const inner = makeSevenZip([{ name: 'a.txt', data: text }]);
    const nested = await parseBytes(parser, makeZip([0, 1, 2].map((at) => ({ name: `${at}.7z`, data: inner }))), { limits });
    expect(nested.warnings.some((warning) => warning.includes('MAX_UNPACKED_BYTES'))).toBe(true);
  });

  it('counts its entries, whatever they are', async () => {
    const many = Array.from({ length: 11 }, (_, at) => ({ name: `${at}`, data: null }));
    expect(await refusalOf(parser, makeSevenZip(many), { limits: { entriesMax: 10 } })).toBe(
      'limit_exceeded: The archive has more than 10 entries (MAX_ARCHIVE_ENTRIES)',
    );
  });

  it('takes no more memory for its dictionaries than is bounded, those of archives in it counted in', async () => {
    const claims = (dictionary: number, bytes: number, method = '21'): Buffer => {
      const properties = method === '21' ? Buffer.from([dictionary]) : Buffer.from([93, 0xff, 0xff, 0xff, 0xff]);
      const folder: WrittenFolder = {
        coders: [{ id: method, properties, bytes }],
        packedBytes: 1,
        streams: [
          { bytes: 4, crc: 0 },
          { bytes: bytes - 4, crc: 0 },
        ],
      };
      const list = Buffer.concat([
        byte(1, 4),
        streamsOf(0, [folder]),
        filesOf([
          { name: 'a', data: 'text' },
          { name: 'b', data: 'text' },
        ]),
        byte(0),
      ]);
      return sevenZipOf(Buffer.alloc(1), list);
    };
    const said =
      /^no_text: .*The file a was not read: Unpacking it takes a dictionary of more than 268435456 bytes: pack it with a smaller one/;
    expect(await refusalOf(parser, claims(40, 2 ** 40))).toMatch(said);
    expect(await refusalOf(parser, claims(40, 2 ** 40, '030101'))).toMatch(said);
    // No more is taken than can come out, however far back a header says that it may refer.
    expect(await refusalOf(parser, claims(40, 10))).toMatch(/The file a was not read: The part a is damaged/);
    const input = inputOf(claims(40, 2 ** 28), {
      inside: { depth: 1, left: { parts: 9, pages: 9, unpackedBytes: 1e9, heldBytes: 1e9, dictionaryBytes: 2 ** 27 } },
    });
    const archive = await openSevenZip(input);
    const first = (await archive.members().next()).value!;
    await expect(first.bytes(1000)).rejects.toThrow(/dictionary of more than 134217728 bytes/);
  });

  it.each([21, 40, 62])('makes no key of 2^%i rounds', async (power) => {
    const aes = { id: '06f10701', properties: Buffer.from([power, 0]), bytes: 4 };
    const folder = {
      coders: [{ id: '00', properties: Buffer.alloc(0), bytes: 4 }, aes],
      packedBytes: 16,
      streams: [{ bytes: 4, crc: 0 }],
    };
    const list = Buffer.concat([byte(1, 4), streamsOf(0, [folder]), filesOf([{ name: 'a', data: 'text' }]), byte(0)]);

    expect(await refusalOf(parser, sevenZipOf(Buffer.alloc(16), list), { password: 'x' })).toMatch(
      /^no_text: .*Opening the file takes more than 1048576 rounds of hashing/,
    );
  });

  it('makes no keys without end, each for another salt', async () => {
    const folders = Array.from({ length: 9 }, (_, at) => ({
      coders: [
        { id: '00', properties: Buffer.alloc(0), bytes: 4 },
        { id: '06f10701', properties: Buffer.from([0x80 | 18, 0, at]), bytes: 4 },
      ],
      packedBytes: 0,
      streams: [{ bytes: 4, crc: 0 }],
    }));
    const named = folders.map((_, at) => ({ name: `${at}`, data: 'text' }));
    const list = Buffer.concat([byte(1, 4), streamsOf(0, folders), filesOf(named), byte(0)]);
    const archive = await openSevenZip(inputOf(sevenZipOf(Buffer.alloc(0), list), { password: 'x' }));
    const said: string[] = [];
    for await (const { bytes } of archive.members())
      said.push(await bytes(9).then(String, (error: unknown) => (error as Error).message));

    expect(said.filter((each) => each.includes('rounds of hashing'))).toHaveLength(5);
  });

  it('does not unpack a list that is packed in itself without end', async () => {
    const folder: WrittenFolder = { coders: [{ id: '00', properties: Buffer.alloc(0), bytes: 0 }], packedBytes: 0, streams: [] };
    const listOf = (bytes: number): Buffer => {
      const one = { ...folder, coders: [{ ...folder.coders[0]!, bytes }], packedBytes: bytes };
      const streams = streamsOf(0, [one]);
      return Buffer.concat([byte(0x17), Buffer.concat([streams.subarray(0, -1 - 5), byte(0)])]);
    };
    const list = listOf(listOf(20).length);

    expect(list.length).toBe(listOf(list.length).length);
    expect(await refusalOf(parser, sevenZipOf(list, list))).toMatch(/^corrupt: The 7z archive is damaged: the list/);
  });

  it('refers to no packed bytes beyond its end, however far its numbers go', async () => {
    const folder: WrittenFolder = {
      coders: [{ id: '00', properties: Buffer.alloc(0), bytes: 4 }],
      packedBytes: 4,
      streams: [{ bytes: 4, crc: 0 }],
    };
    for (const at of [2 ** 40, 2n ** 53n - 1n, 2n ** 64n - 1n]) {
      const streams = streamsOf(0, [folder]);
      const list = Buffer.concat([
        byte(1, 4),
        streams.subarray(0, 1),
        number(at),
        streams.subarray(2),
        filesOf([{ name: 'a', data: 'text' }]),
        byte(0),
      ]);
      expect(await refusalOf(parser, sevenZipOf(Buffer.alloc(4), list))).toMatch(/^(?:no_text|corrupt): .*damaged/);
    }
  });
});
