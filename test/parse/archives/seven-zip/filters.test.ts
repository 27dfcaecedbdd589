import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Damage } from '../../../../src/parse/archives/seven-zip/damage.ts';
import { undoDelta, undoX86 } from '../../../../src/parse/archives/seven-zip/filters.ts';

async function* inPieces(bytes: Buffer, pieceBytes: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield Buffer.from(bytes.subarray(at, at + pieceBytes));
}

async function whole(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

describe('Delta', () => {
  it('is undone at any distance, in whatever pieces bytes come', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 700 }),
        fc.integer({ min: 1, max: 256 }),
        fc.integer({ min: 1, max: 99 }),
        async (bytes, distance, pieceBytes) => {
          const written = Buffer.from(bytes.map((byte, at) => byte - (bytes[at - distance] ?? 0)));

          expect(await whole(undoDelta(inPieces(written, pieceBytes), Buffer.from([distance - 1])))).toEqual(Buffer.from(bytes));
        },
      ),
    );
  });

  it('is damaged without its distance', async () => {
    await expect(whole(undoDelta(inPieces(Buffer.from('text'), 4), Buffer.alloc(0)))).rejects.toThrow(Damage);
  });
});

describe('BCJ of x86', () => {
  it('gives calls and jumps the distance to their target again', async () => {
    const written = Buffer.from('90 e8 10200000 e9 00010000 e8 05000102 90'.replaceAll(' ', ''), 'hex');

    // Behind the operation at 1 stands 6, behind that at 6 stands 11; the third is none: its target is too far.
    expect((await whole(undoX86(inPieces(written, 100)))).toString('hex')).toBe(
      '90 e8 0a200000 e9 f5000000 e8 05000102 90'.replaceAll(' ', ''),
    );
  });

  it('does not depend on the pieces that bytes come in', async () => {
    const operations = fc.array(fc.constantFrom(0xe8, 0xe9, 0, 0xff, 1, 0x90), { maxLength: 300 });
    await fc.assert(
      fc.asyncProperty(operations, fc.integer({ min: 1, max: 20 }), async (bytes, pieceBytes) => {
        const written = Buffer.from(bytes);

        expect(await whole(undoX86(inPieces(written, pieceBytes)))).toEqual(await whole(undoX86(inPieces(written, 1000))));
      }),
      { numRuns: 500 },
    );
  });
});
