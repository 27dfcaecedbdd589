import fc from 'fast-check';
import { expect, it } from 'vitest';
import { unpackBzip2 } from '../../../../src/parse/archives/seven-zip/bzip2.ts';
import { Damage } from '../../../../src/parse/archives/seven-zip/damage.ts';
import { pageLines } from '../../../support/prose.ts';
import { proseInBzip2 } from '../../../support/seven-zip-samples.ts';

const prose = [...pageLines(1, 1500), 'a'.repeat(5), 'b'.repeat(4), 'c'.repeat(700), ...pageLines(50, 900)].join('\n');
const short = Buffer.from('QlpoOTFBWSZTWahJPA4AAAmRgMAgAgAEUAAIIAAxDACKDRgyhg7qQY9lh4u5IpwoSFQkngcA', 'base64');
const nothing = Buffer.from('425a683917724538509000000000', 'hex');

async function unpacked(packed: Buffer, pieceBytes = 64 * 1024): Promise<string> {
  async function* pieces(): AsyncGenerator<Buffer> {
    for (let at = 0; at < packed.length; at += pieceBytes) yield packed.subarray(at, at + pieceBytes);
  }
  const all: Buffer[] = [];
  for await (const piece of unpackBzip2(pieces())) all.push(piece);
  return Buffer.concat(all).toString();
}

it('unpacks blocks, and the runs in them', async () => {
  expect(await unpacked(proseInBzip2(), 77)).toBe(prose);
  expect(await unpacked(short)).toBe('text text '.repeat(3) + 'z'.repeat(300));
});

it('goes on with the next stream behind one, and knows an empty one', async () => {
  expect(await unpacked(Buffer.concat([nothing, short, nothing, short]))).toBe(
    ('text text '.repeat(3) + 'z'.repeat(300)).repeat(2),
  );
});

it('is damaged wherever it is cut', async () => {
  for (let end = 0; end < short.length; end++) await expect(unpacked(short.subarray(0, end))).rejects.toThrow(Damage);
});

it('ends on any bytes', async () => {
  const whole = proseInBzip2();
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(255), async (at, value) => {
      const bytes = Buffer.from(whole);
      bytes[at] = value;
      await unpacked(bytes).catch((error: unknown) => expect(error).toBeInstanceOf(Damage));
    }),
    { numRuns: 60 },
  );
});
