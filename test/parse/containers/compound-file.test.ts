import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DocumentError } from '../../../src/errors.ts';
import { describeCompoundFile, openCompoundFile, type CompoundStorage } from '../../../src/parse/containers/compound-file.ts';
import { compoundFile, contentOf, type CompoundContent } from '../../../src/parse/containers/compound-writer.ts';

const bytesMax = 100_000_000;
const open = (bytes: Uint8Array) => openCompoundFile(bytes, bytesMax);

describe('a compound file', () => {
  it('gives back every stream that was written, large and small, however deep', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.integer({ min: 4000, max: 9000 }).map((size) => Buffer.alloc(size, 7)),
    );
    const name = fc.stringMatching(/^[A-Za-z_]{1,20}$/).map((text) => text.toLowerCase());
    const streams = fc.dictionary(
      name.map((each) => `s${each}`),
      bytes,
      { maxKeys: 8 },
    );
    const below = (storage: fc.Arbitrary<CompoundContent>): fc.Arbitrary<CompoundContent> =>
      fc.record({
        streams,
        storages: fc.dictionary(
          name.map((each) => `f${each}`),
          storage,
          { maxKeys: 3 },
        ),
      });
    const storage = below(below(below(fc.record({ streams }))));

    fc.assert(
      fc.property(storage, (content) => {
        expect(plain(contentOf(open(compoundFile(content))))).toEqual(plain(content));
      }),
      {
        numRuns: 60,
      },
    );
  });

  it('finds names in whatever case, and says what kind of document it is', () => {
    const file = compoundFile({ streams: { WordDocument: Buffer.alloc(10) } });

    expect(open(file).stream('worddocument')?.read()).toHaveLength(10);
    expect(describeCompoundFile(file)).toBe('doc');
    expect(describeCompoundFile(compoundFile({ streams: { EncryptedPackage: Buffer.alloc(1) } }))).toBe('encrypted-ooxml');
    expect(describeCompoundFile(compoundFile({ streams: {} }))).toBe('unknown');
    expect(describeCompoundFile(Buffer.from('no such file'))).toBe('unknown');
  });

  it('holds a table of sectors that does not fit into its header', () => {
    const large = Buffer.alloc(9_000_000, 'abc');

    expect(
      open(compoundFile({ streams: { large, small: Buffer.from('x') } }))
        .stream('large')
        ?.read()
        .equals(large),
    ).toBe(true);
  });

  it('ends where its chains come back to themselves, or leave the file', () => {
    const file = compoundFile({ streams: { a: Buffer.alloc(5000, 1), b: Buffer.alloc(5000, 2) } });
    const table = file.length - 512;
    const inLoop = Buffer.from(file);
    inLoop.writeUInt32LE(0, table + 4 * 3);
    const outside = Buffer.from(file);
    outside.writeUInt32LE(0x00ff_ffff, table + 4 * 3);

    expect(open(inLoop).stream('a')?.read()).toHaveLength(5000);
    expect(open(outside).stream('a')?.read()).toHaveLength(4 * 512);
    expect(open(outside).stream('b')?.read()).toHaveLength(5000);
  });

  it('is bounded by its own bytes and by what is read of it', () => {
    const file = compoundFile({ streams: { a: Buffer.alloc(5000, 1) } });
    const entry = file.indexOf(Buffer.from('a\0', 'utf16le').subarray(0, 2), file.indexOf('Root', 0, 'utf16le') + 128);
    file.writeUInt32LE(0xffff_fff0, entry + 120);

    expect(open(file).stream('a')!.read().length).toBeLessThan(file.length);
    expect(() => openCompoundFile(file, 4000).stream('a')?.read()).toThrow(/MAX_UNPACKED_BYTES/);
  });

  it('shows an entry once that its directory names again and again', () => {
    const file = compoundFile({ streams: { a: Buffer.alloc(10), b: Buffer.alloc(10), c: Buffer.alloc(10) } });
    const directory = file.indexOf('Root', 0, 'utf16le');
    for (const entry of [1, 2, 3]) file.writeUInt32LE(1, directory + entry * 128 + 68);

    expect(open(file).streams.length).toBeLessThanOrEqual(3);
  });

  it('is refused, or read as far as it goes, whatever is cut off or overwritten', () => {
    const whole = compoundFile({ streams: { a: Buffer.alloc(5000, 1) }, storages: { f: { streams: { b: Buffer.alloc(50, 2) } } } });

    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: whole.length }),
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 20 }),
        (size, changes) => {
          const damaged = Buffer.from(whole);
          for (const [at, value] of changes) damaged[at] = value;
          try {
            readAll(open(damaged.subarray(0, size)));
          } catch (error) {
            expect(error).toBeInstanceOf(DocumentError);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

function readAll(storage: CompoundStorage): void {
  for (const stream of storage.streams) stream.read();
  for (const each of storage.storages) readAll(each);
}

type Plain = { readonly streams: Record<string, string>; readonly storages: Record<string, Plain> };

function plain({ streams, storages = {} }: CompoundContent): Plain {
  return {
    streams: Object.fromEntries(Object.entries(streams).map(([name, bytes]) => [name, Buffer.from(bytes).toString('hex')])),
    storages: Object.fromEntries(Object.entries(storages).map(([name, each]) => [name, plain(each)])),
  };
}
