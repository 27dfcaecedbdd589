import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Damage } from '../../../../src/parse/archives/seven-zip/damage.ts';
import { ppmdMemoryBytes, unpackPpmd } from '../../../../src/parse/archives/seven-zip/ppmd.ts';
import { pageLines } from '../../../support/prose.ts';
import { proseInPpmd } from '../../../support/seven-zip-samples.ts';

const prose = pageLines(1, 700).join('\n');
const { packed, properties } = proseInPpmd();

async function unpacked(bytes: Buffer, size: number, pieceBytes = 64 * 1024): Promise<string> {
  async function* pieces(): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
  }
  const all: Buffer[] = [];
  for await (const piece of unpackPpmd(pieces(), properties, size)) all.push(piece);
  return Buffer.concat(all).toString();
}

it('unpacks text, its model begun anew whenever its memory is full', async () => {
  expect(await unpacked(packed, prose.length)).toBe(prose);
  expect(await unpacked(packed, 1000, 7)).toBe(prose.slice(0, 1000));
});

it('is damaged where it is cut', async () => {
  for (const end of [0, 1, 4, 5, 1000, packed.length - 5])
    await expect(unpacked(packed.subarray(0, end), prose.length)).rejects.toThrow(Damage);
});

it('ends on any bytes, its model whole', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(packed.length - 1),
      fc.nat(255),
      fc.uint8Array({ minLength: 2000, maxLength: 4000 }),
      async (at, value, noise) => {
        const bytes = Buffer.from(packed);
        bytes[at] = value;
        for (const each of [bytes, Buffer.concat([packed.subarray(0, at), noise]), Buffer.concat([Buffer.alloc(1), noise])])
          await unpacked(each, 100_000).catch((error: unknown) => {
            expect(error).toBeInstanceOf(Damage);
            expect((error as Damage).message).not.toBe('model');
          });
      },
    ),
    { numRuns: 40 },
  );
});

it('has an order from 2 to 64 and 2 KiB of memory at least', () => {
  const said = ['0200080000', '40ffffffff', '0100080000', '4100080000', '02ff070000', '0200'].map((hex) =>
    ppmdMemoryBytes(Buffer.from(hex, 'hex')),
  );

  expect(said).toEqual([2048, 0xffff_ffff, null, null, null, null]);
});
