import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Damage } from '../../../../src/parse/archives/seven-zip/damage.ts';
import { lzma2DictionaryBytes, unpackLzma, unpackLzma2 } from '../../../../src/parse/archives/seven-zip/lzma.ts';
import {
  createLzmaEncoder,
  type LzmaSettings,
  type LzmaSymbol,
  packLzma,
  packLzma2,
  propertiesByte,
  usualSettings,
} from '../../../support/lzma-encoder.ts';
import { pageLines } from '../../../support/prose.ts';

async function* inPieces(bytes: Buffer, pieceBytes = 64 * 1024): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

async function whole(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

const prose = (lines: number): Buffer => Buffer.from(pageLines(1, lines).join('\n'));

type Around = { readonly settings?: LzmaSettings; readonly pieceBytes?: number; readonly windowBytes?: number };

function unpacked(
  packed: Buffer,
  bytes: number,
  { settings = usualSettings, pieceBytes, windowBytes }: Around = {},
): Promise<Buffer> {
  const properties = Buffer.from([propertiesByte(settings), 0, 0, 1, 0]);
  return whole(unpackLzma(inPieces(packed, pieceBytes), properties, { bytes, windowBytes: windowBytes ?? bytes }));
}

/** Written symbol by symbol, and what they mean. */
function written(symbols: Iterable<LzmaSymbol>, settings: LzmaSettings = usualSettings): { packed: Buffer; bytes: Buffer } {
  const encoder = createLzmaEncoder(settings);
  for (const symbol of symbols) encoder.write(symbol);
  return { packed: encoder.flush(), bytes: Buffer.from(encoder.unpacked) };
}

const settingsOfAll = [
  usualSettings,
  { lc: 0, lp: 0, pb: 0 },
  { lc: 8, lp: 4, pb: 4 },
  { lc: 0, lp: 4, pb: 0 },
  { lc: 4, lp: 0, pb: 2 },
];
/** From as far back as four stretches have been, so that each old distance is another one. */
const beginning: readonly LzmaSymbol[] = [
  ...Array.from({ length: 40 }, (_, at) => ({ byte: (at * 37) & 0xff })),
  { distance: 7, length: 3 },
  { distance: 19, length: 3 },
  { distance: 31, length: 3 },
  { distance: 11, length: 3 },
];

describe('LZMA', () => {
  it.each(settingsOfAll)('goes every way from four kinds of symbols to the next: %o', async (settings) => {
    const kinds: readonly LzmaSymbol[] = [
      { byte: 65 },
      { distance: 13, length: 4 },
      'again',
      ...([0, 1, 2, 3] as const).map((repeat) => ({ repeat, length: 2 })),
    ];
    const every: LzmaSymbol[] = [...beginning];
    for (const one of kinds) {
      for (const two of kinds) for (const three of kinds) for (const four of kinds) every.push(one, two, three, four);
    }
    const { packed, bytes } = written(every, settings);

    expect((await unpacked(packed, bytes.length, { settings })).equals(bytes)).toBe(true);
  });

  it('knows every length, and distances of every size', async () => {
    const symbols: LzmaSymbol[] = [...beginning];
    for (let length = 2; length <= 273; length++)
      symbols.push({ distance: 5, length }, { byte: length & 0xff }, { repeat: 1, length });
    let reach = 38_000;
    for (const power of Array.from({ length: 15 }, (_, at) => at + 1))
      for (const distance of [2 ** power - 1, 2 ** power, 2 ** power + 1, 2 ** power * 1.5]) {
        if (distance > reach) continue;
        for (const length of [2, 3, 4, 5, 273]) symbols.push({ distance, length });
      }
    symbols.push(...Array.from({ length: 4000 }, (): LzmaSymbol => ({ repeat: 0, length: 273 })));
    for (const distance of [65_536, 65_537, 100_000, 500_000, 1_000_000]) symbols.push({ distance, length: 18 });
    const { packed, bytes } = written(symbols);

    expect((await unpacked(packed, bytes.length)).equals(bytes)).toBe(true);
  });

  it('unpacks whatever symbols there are, in whatever pieces they come', async () => {
    const kind = fc.record({ kind: fc.nat(6), back: fc.nat(), length: fc.integer({ min: 2, max: 273 }), byte: fc.nat(255) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(kind, { maxLength: 200 }),
        fc.constantFrom(...settingsOfAll),
        fc.integer({ min: 1, max: 60 }),
        async (kinds, settings, pieceBytes) => {
          const encoder = createLzmaEncoder(settings);
          for (const symbol of beginning) encoder.write(symbol);
          for (const { kind: which, back, length, byte } of kinds) {
            if (which === 0) encoder.write({ byte });
            else if (which === 1) encoder.write({ distance: (back % encoder.unpacked.length) + 1, length });
            else encoder.write(which === 2 ? 'again' : { repeat: (which - 3) as 0 | 1 | 2 | 3, length });
          }
          const bytes = Buffer.from(encoder.unpacked);

          expect((await unpacked(encoder.flush(), bytes.length, { settings, pieceBytes })).equals(bytes)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('keeps no more than its window, which text goes round and round', async () => {
    const near = prose(1200).subarray(0, 12_000);
    const round = Buffer.concat(Array.from({ length: 25 }, () => near));

    expect((await unpacked(packLzma(round), round.length, { windowBytes: 64 * 1024 })).equals(round)).toBe(true);
    expect((await whole(unpackLzma2(inPieces(packLzma2(round)), 64 * 1024))).equals(round)).toBe(true);
  });

  it('ends at its mark, and is damaged where more should come', async () => {
    const encoder = createLzmaEncoder(usualSettings);
    for (const symbol of beginning) encoder.write(symbol);
    encoder.end();
    const packed = encoder.flush();

    expect((await unpacked(packed, 1000)).equals(Buffer.from(encoder.unpacked))).toBe(true);
    await expect(unpacked(packed.subarray(0, packed.length - 12), 1000)).rejects.toThrow(Damage);
  });

  it('refers to nothing before its beginning', async () => {
    const encoder = createLzmaEncoder(usualSettings);
    encoder.write({ byte: 1 });
    (encoder.unpacked as number[]).push(...Buffer.alloc(10)); // not written
    encoder.write({ distance: 5, length: 4 });

    await expect(unpacked(encoder.flush(), 5)).rejects.toThrow(Damage);
  });
});

describe('LZMA2', () => {
  it('unpacks texts in chunks of every kind', async () => {
    const bytes = prose(2000);
    const packed = packLzma2(bytes);

    expect(bytes.length).toBeGreaterThan(100_000);
    expect((await whole(unpackLzma2(inPieces(packed, 777), bytes.length))).equals(bytes)).toBe(true);
  });

  it('takes stored chunks as they are, and lets packed ones refer to them', async () => {
    const text = Buffer.from('stored text ');
    const packed = Buffer.concat([
      Buffer.from([1, 0, text.length - 1]),
      text,
      Buffer.from([2, 0, text.length - 1]),
      text,
      Buffer.from([0]),
    ]);

    expect((await whole(unpackLzma2(inPieces(packed), 100))).toString()).toBe('stored text stored text ');
  });

  it.each([
    ['keeps a dictionary that was not begun', '02000061 00'],
    ['keeps a state that was not begun', '01000061 8000000000000000'],
    ['begins a state without its properties', '01000061 a000000000000000'],
    ['has a kind that there is none of', '0300'],
    ['says more than there is', 'e0ffffffff5d00'],
    ['breaks off', '010000'],
    ['has no end', '01000061'],
    ['has no such properties', 'e000000004ff0000000000'],
  ])('is damaged where a chunk %s', async (_, hex) => {
    const packed = Buffer.from(hex.replaceAll(' ', ''), 'hex');

    await expect(whole(unpackLzma2(inPieces(packed), 1000))).rejects.toThrow(Damage);
  });

  it('has dictionaries of the sizes that its byte can say', () => {
    const sizes = [0, 1, 2, 24, 40].map((bits) => lzma2DictionaryBytes(Buffer.from([bits])));

    expect(sizes).toEqual([4096, 6144, 8192, 16 * 1024 * 1024, 0xffff_ffff]);
    expect(lzma2DictionaryBytes(Buffer.from([41]))).toBeNull();
  });
});

it('ends on any bytes', async () => {
  const packed = packLzma2(prose(60));
  await fc.assert(
    fc.asyncProperty(fc.nat(packed.length - 1), fc.nat(255), fc.nat(packed.length), async (at, byte, end) => {
      const bytes = Buffer.from(packed);
      bytes[at] = byte;
      for (const unpacking of [
        unpackLzma2(inPieces(bytes.subarray(0, end)), 1 << 20),
        unpackLzma(inPieces(bytes.subarray(at)), Buffer.from([93, 0, 0, 1, 0]), { bytes: 100_000, windowBytes: 65_536 }),
      ])
        await whole(unpacking).catch((error: unknown) => expect(error).toBeInstanceOf(Damage));
    }),
    { numRuns: 60 },
  );
});
