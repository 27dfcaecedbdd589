import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { zipEntries, type ZipEntry } from '../../../src/http/upload/zip-entries.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { encodeAs } from '../../support/text-fixtures.ts';
import { makeZip, unicodePath, type ZipMember } from '../../support/zip-writer.ts';

async function read(
  bytes: Buffer,
  { pieceBytes = 7, bytesMax = 100_000, entriesMax = 100, begins = (_place: number): void => {} } = {},
): Promise<ZipEntry[]> {
  async function* pieces(): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield Buffer.from(bytes.subarray(at, at + pieceBytes));
  }
  const entries = [];
  for await (const entry of zipEntries(pieces(), { bytesMax, entriesMax, begins })) entries.push(entry);
  return entries;
}

const told = (entries: readonly ZipEntry[]): unknown[] =>
  entries.map(({ number, name, content, problem }) => [number, name, content?.toString('utf8') ?? problem]);

const zeros = (bytes: number): string => '0'.repeat(bytes);

describe('[S78] the files of a ZIP archive as it comes in', () => {
  const members: readonly ZipMember[] = [
    { name: '手册/泵.txt', data: '启动前排气' },
    { name: 'stored.txt', data: 'as it is PK\x07\x08 PK', stored: true },
    { name: 'empty.txt', data: '' },
    { name: 'long.txt', data: zeros(50_000) },
  ];
  const wanted = [
    [1, '手册/泵.txt', '启动前排气'],
    [2, 'stored.txt', 'as it is PK\x07\x08 PK'],
    [3, 'empty.txt', ''],
    [4, 'long.txt', zeros(50_000)],
  ];

  it.each([1, 3, 64, 100_000])('are all there, with sizes before them, in pieces of %i bytes', async (pieceBytes) => {
    expect(told(await read(makeZip(members), { pieceBytes }))).toEqual(wanted);
  });

  it.each([1, 3, 64, 100_000])('are all there, with sizes after them, in pieces of %i bytes', async (pieceBytes) => {
    const described = members.map((member) => ({ ...member, described: true }));

    expect(told(await read(makeZip(described), { pieceBytes }))).toEqual(wanted);
  });

  it('are what Python writes into a pipe, and what it writes into a file', async () => {
    const script = (to: string): string =>
      `import sys, zipfile\nwith zipfile.ZipFile(${to}, 'w', zipfile.ZIP_DEFLATED) as z:\n z.writestr('a/甲.txt', '一' * 9000)\n z.writestr('b.txt', 'two', zipfile.ZIP_STORED)`;
    await using folder = await tempDir();
    const path = join(folder.path, 'a.zip');
    const pipe = "type('Pipe', (), {'write': lambda s, b: sys.stdout.buffer.write(b), 'flush': lambda s: None})()";
    const piped = spawnSync('python3', ['-c', script(pipe)]);
    const filed = spawnSync('python3', [
      '-c',
      `${script(JSON.stringify(path))}\nsys.stdout.buffer.write(open(${JSON.stringify(path)}, 'rb').read())`,
    ]);
    if (piped.error !== undefined) return;

    for (const { stdout, stderr } of [piped, filed])
      expect([told(await read(stdout)), stderr.toString()]).toEqual([
        [
          [1, 'a/甲.txt', '一'.repeat(9000)],
          [2, 'b.txt', 'two'],
        ],
        '',
      ]);
  });

  it('are those of the zip command too, folders and hidden files passed over and counted', async () => {
    await using folder = await tempDir();
    await mkdir(join(folder.path, 'box/.git'), { recursive: true });
    await writeFile(join(folder.path, 'box/.git/config'), 'hidden');
    await writeFile(join(folder.path, 'box/note.txt'), 'a note');
    const { stdout, error } = spawnSync('zip', ['-qr', '-', 'box'], { cwd: folder.path });
    if (error !== undefined) return;

    const entries = await read(stdout);

    expect(entries).toMatchObject([{ name: 'box/note.txt' }]);
    expect(entries[0]!.number).toBeGreaterThan(1);
  });

  it('that are too large, protected, packed otherwise or damaged are told of, and the next ones read', async () => {
    const bytes = makeZip([
      { name: 'large', data: zeros(200) },
      { name: 'large, open', data: zeros(200), described: true },
      { name: 'protected', data: 'x', flags: 1 },
      { name: 'bzip2', data: 'x', method: 12 },
      { name: 'broken', data: 'x', packed: Buffer.from([0xff, 0xff]) },
      { name: 'last', data: 'x' },
    ]);

    expect(told(await read(bytes, { bytesMax: 100 }))).toEqual([
      [1, 'large', 'too_long'],
      [2, 'large, open', 'too_long'],
      [3, 'protected', 'encrypted'],
      [4, 'bzip2', 'unknown_method'],
      [5, 'broken', 'damaged'],
      [6, 'last', 'x'],
    ]);
  });

  it('are named in UTF-8, in GBK by Chinese Windows, and in the code page of DOS', async () => {
    const named = (name: Buffer): Buffer => {
      const zip = makeZip([{ name: 'x'.repeat(name.length), data: 'x' }]);
      name.copy(zip, 30);
      return zip;
    };
    const names = [
      Buffer.from('报告.txt'),
      Buffer.from([0xb1, 0xa8, 0xb8, 0xe6, 0x2e, 0x74]),
      Buffer.from([0x9a, 0x62, 0x75, 0x6e, 0x67]),
    ];

    expect((await Promise.all(names.map((name) => read(named(name))))).flat().map(({ name }) => name)).toEqual([
      '报告.txt',
      '报告.t',
      'Übung',
    ]);
  });

  it.each([
    ['gbk', ['朱镕基.txt', '會議紀錄.txt', '喆.txt', '囧.txt', '李.txt', '表2-3.txt', '报告.txt']],
    ['big5', ['會議紀錄.txt', '預算表.txt']],
    ['ibm437', ['Übung', 'Größe.txt', 'Résumé.doc', 'Straße.txt', 'Anhänge.pdf', 'mañana.txt', 'Präsentation.ppt']],
  ])('are named in %s by systems that say no encoding, each alone and all together', async (encoding, names) => {
    const zip = (some: readonly string[]): Buffer =>
      makeZip(some.map((name) => ({ name: Buffer.from(encodeAs(name, encoding)), data: 'x' })));
    const named = async (some: readonly string[]): Promise<string[]> => (await read(zip(some))).map(({ name }) => name);

    expect((await Promise.all(names.map((name) => named([name])))).flat()).toEqual(names);
    expect(await named(names)).toEqual(names);
  });

  it('are named by the name in UTF-8 that stands beside theirs, unless its checksum is of another', async () => {
    const member = (about: string): ZipMember => ({
      name: 'plain.txt',
      data: 'x',
      extra: unicodePath('计划.txt', Buffer.from(about)),
    });

    expect(told(await read(makeZip([member('plain.txt'), member('other.txt')])))).toEqual([
      [1, '计划.txt', 'x'],
      [2, 'plain.txt', 'x'],
    ]);
  });

  it('that unpack without end are told of by themselves, or passed over, where their packed size is known', async () => {
    const zeroBytes = Buffer.alloc(260 * 1024 * 1024);
    const bomb = { data: '', packed: deflateRawSync(zeroBytes, { level: 1 }) };
    const bytes = makeZip([
      { name: 'bomb', ...bomb },
      { name: '__MACOSX/bomb', ...bomb },
      { name: 'last', data: 'x' },
    ]);

    expect(told(await read(bytes, { pieceBytes: 65_536 }))).toEqual([
      [1, 'bomb', 'too_long'],
      [3, 'last', 'x'],
    ]);
  });

  it('are bounded in their number, folders and all', async () => {
    const folders = makeZip(Array.from({ length: 5 }, (_, n) => ({ name: `${n}/`, data: '' })));

    expect(await read(folders, { entriesMax: 5 })).toEqual([]);
    await expect(read(folders, { entriesMax: 4 })).rejects.toThrow('One request may have at most 4 documents');
  });

  it('end with a sentence where nothing can be read any more', async () => {
    const whole = makeZip(members);

    await expect(read(Buffer.from('no archive at all'))).rejects.toThrow('The body is not a ZIP archive.');
    await expect(read(whole.subarray(0, 60))).rejects.toThrow('The archive is incomplete.');
    await expect(read(Buffer.alloc(0))).rejects.toThrow('The archive is incomplete.');
    await expect(read(makeZip([{ name: 'a', data: 'x', described: true, flags: 9 }]))).rejects.toThrow(
      'The archive does not say where',
    );
  });

  it('are not taken for all when the directory at the end names more', async () => {
    const whole = makeZip(members);
    const directory = whole.indexOf('PK\x01\x02');
    const damaged = 'The archive is damaged: a file header is missing.';

    await expect(read(whole.subarray(directory))).rejects.toThrow(damaged);
    await expect(read(Buffer.concat([Buffer.from('PK\x01\x02'), Buffer.alloc(100)]))).rejects.toThrow(damaged);
    await expect(read(whole.subarray(whole.length - 22))).rejects.toThrow(damaged);
    await expect(read(whole.subarray(0, directory + 10))).rejects.toThrow('The archive is incomplete.');
    expect(await read(makeZip([]))).toEqual([]);
  });

  it('end at the place that is told before it is read', async () => {
    const whole = makeZip([{ name: 'folder/', data: '' }, { name: '.hidden', data: '' }, ...members]);
    const places: number[] = [];

    await expect(read(whole.subarray(0, whole.indexOf('empty.txt')), { begins: (place) => places.push(place) })).rejects.toThrow();
    expect(places).toEqual([1, 2, 3, 4, 5]);
  });

  it('never end in anything but a sentence, wherever a byte is changed or the archive cut', async () => {
    const whole = makeZip(
      members
        .flatMap((member) => [member, { ...member, described: true }])
        .map((member) => ({ ...member, data: member.data.slice(0, 99) })),
    );
    for (let at = 0; at < whole.length; at += 1) {
      const changed = Buffer.from(whole);
      changed[at] = changed[at]! ^ 0xff;
      for (const bytes of [changed, whole.subarray(0, at)])
        await read(bytes, { pieceBytes: 1000 }).catch((error: Error) => expect(error.name).toBe('AppError'));
    }
  });
});
