import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DocumentError } from '../../../src/errors.ts';
import { openZip, type Zip, type ZipLimits } from '../../../src/parse/containers/zip.ts';
import { makeZip, unicodePath } from '../../support/zip-writer.ts';

const usual: ZipLimits = { unpackedBytesMax: 64 * 1024 * 1024, entriesMax: 100, ratioMax: 200 };

function open(bytes: Buffer, limits: Partial<ZipLimits> = {}): Zip {
  return openZip({ path: '', bytes }, { ...usual, ...limits });
}

async function text(zip: Zip, name: string): Promise<string | undefined> {
  return (await zip.read(name))?.toString();
}

async function codeOf(action: () => Promise<unknown>): Promise<string> {
  try {
    await action();
  } catch (error) {
    if (error instanceof DocumentError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'no error';
}

describe('a ZIP archive', () => {
  it('finds a member by its name as it is read and as it is written, which is its own first', () => {
    const names = ['my%20pages/%E9%A1%B5.xml', 'a b.xml', 'a%20b.xml', 'ten%.xml'];
    const zip = open(makeZip(names.map((name) => ({ name, data: name }))));
    expect(['my pages/页.xml', 'MY PAGES/页.XML', ...names].map((name) => zip.find(name))).toEqual([names[0], names[0], ...names]);
  });

  it('is read from a file and from memory, packed and stored, small and large', async () => {
    const large = Buffer.from(Array.from({ length: 600_000 }, (_, at) => `line ${at * 7919}\n`).join(''));
    const bytes = makeZip([
      { name: 'a.txt', data: 'packed' },
      { name: 'b/c.txt', data: 'stored', stored: true },
      { name: 'large', data: large },
    ]);
    const path = join(mkdtempSync(join(tmpdir(), 'zip-')), 'a.zip');
    writeFileSync(path, bytes);
    const zip = openZip({ path }, usual);

    expect(zip.names).toEqual(['a.txt', 'b/c.txt', 'large']);
    expect(await text(zip, 'a.txt')).toBe('packed');
    expect(await text(zip, 'b/c.txt')).toBe('stored');
    expect((await zip.read('large'))?.equals(large)).toBe(true);
    expect(await zip.read('nothing')).toBeNull();
    expect(zip.find('B/C.TXT')).toBe('b/c.txt');
    zip.close();
    expect(await text(open(bytes), 'a.txt')).toBe('packed');
  });

  it('may be ZIP64, have sizes after the data, and something before it', async () => {
    const members = [{ name: 'a', data: 'text', described: true }];

    expect(await text(open(makeZip(members, { zip64: true })), 'a')).toBe('text');
    expect(await text(open(Buffer.concat([Buffer.from('#!/bin/stub\n'), makeZip(members)])), 'a')).toBe('text');
  });

  it('gives no names that leave it [S12]', () => {
    const names = ['../up', '/root', 'C:\\win', 'a\\..\\..\\b', 'dir/', 'ok\\file'];

    expect(open(makeZip(names.map((name) => ({ name, data: 'x' })))).names).toEqual(['ok/file']);
  });

  it('has the name in UTF-8 that stands beside another, unless its checksum is of another', () => {
    const member = (name: string, about: string) => ({ name, data: 'x', extra: unicodePath('计划.txt', Buffer.from(about)) });
    const right = makeZip([member('plain.txt', 'plain.txt')]);
    const wrong = makeZip([member('plain.txt', 'other.txt')]);

    expect([right, wrong].map((bytes) => open(bytes).names)).toEqual([['计划.txt'], ['plain.txt']]);
    expect(open(right.subarray(0, right.indexOf('PK\x01\x02'))).names).toEqual(['计划.txt']);
  });

  it('is searched for its members when its directory is lost', async () => {
    const whole = makeZip([
      { name: 'a', data: 'first' },
      { name: 'b', data: 'second', described: true },
      { name: 'c', data: 'third' },
    ]);
    const zip = open(whole.subarray(0, whole.indexOf('PK\x01\x02')));

    expect(zip.names).toEqual(['a', 'b', 'c']);
    expect(await text(zip, 'b')).toBe('second');
    expect(zip.warnings).toEqual(['The directory of the archive is damaged; its entries were found by searching']);
  });

  it('gives what is left of a member that is cut off, and says that it is damaged', async () => {
    const data = Array.from({ length: 5000 }, (_, at) => `${at * 7919} `).join('');
    const zip = open(makeZip([{ name: 'a', data }]).subarray(0, 9000));

    const read = (await text(zip, 'a'))!;

    expect(read.length).toBeGreaterThan(1000);
    expect(data.startsWith(read)).toBe(true);
    expect(zip.warnings).toContain('The part a is damaged (its checksum is wrong)');
  });
});

describe('a ZIP archive is refused [S11] [S12]', () => {
  const zeros = Buffer.alloc(8 * 1024 * 1024);

  it('for the bytes that really come out, whatever it claims', async () => {
    const lie = makeZip([{ name: 'a', data: zeros, claims: { bytes: 10 } }]);

    expect(await codeOf(() => open(lie, { ratioMax: 1e6, unpackedBytesMax: 1e6 }).read('a'))).toBe(
      'limit_exceeded: The file unpacks to more than 1000000 bytes (MAX_UNPACKED_BYTES)',
    );
    expect(await codeOf(() => open(lie).read('a'))).toBe(
      'limit_exceeded: The part a unpacks to more than 200 times its packed size (MAX_UNPACK_RATIO)',
    );
  });

  it('for bytes over all members together', async () => {
    const zip = open(makeZip(['a', 'b', 'c'].map((name) => ({ name, data: Buffer.alloc(500_000) }))), {
      unpackedBytesMax: 1_200_000,
    });

    expect(await codeOf(() => zip.read('a'))).toBe('no error');
    expect(await codeOf(() => zip.read('b'))).toBe('no error');
    expect(await codeOf(() => zip.read('c'))).toMatch(/^limit_exceeded.*MAX_UNPACKED_BYTES/);
  });

  it('for too many members, also when its directory is lost', async () => {
    const many = makeZip(Array.from({ length: 101 }, (_, at) => ({ name: `f${at}`, data: '' })));
    const sentence = 'limit_exceeded: The archive has more than 100 entries (MAX_ARCHIVE_ENTRIES)';

    expect(await codeOf(async () => open(many))).toBe(sentence);
    expect(await codeOf(async () => open(many.subarray(0, many.indexOf('PK\x01\x02'))))).toBe(sentence);
  });

  it('when a member is encrypted or packed in a strange way', async () => {
    expect(await codeOf(() => open(makeZip([{ name: 'a', data: 'x', flags: 1 }])).read('a'))).toMatch(/^encrypted/);
    expect(await codeOf(() => open(makeZip([{ name: 'a', data: 'x', method: 12 }])).read('a'))).toMatch(/^corrupt.*method 12/);
  });

  it('when it is none, or what is packed is noise', async () => {
    expect(await codeOf(async () => open(Buffer.from('PK\x03\x04 but nothing more')))).toMatch(/^corrupt/);
    const noise = makeZip([{ name: 'a', data: 'x', packed: Buffer.from('ffffffffffff', 'hex') }]);
    expect(await codeOf(() => open(noise).read('a'))).toBe('corrupt: The part a is damaged and cannot be unpacked');
  });
});
