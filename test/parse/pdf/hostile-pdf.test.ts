import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DocumentError } from '../../../src/errors.ts';
import type { ParseLimits } from '../../../src/parse/parser.ts';
import { createPdfParser } from '../../../src/parse/pdf/pdf-parser.ts';
import { samplePdf } from '../../support/sample-files.ts';
import { endsRight } from '../../support/hostile-file.ts';
import { hostilePdfFiles } from '../../support/hostile-pdf.ts';
import { makePdf } from '../../support/pdf-writer.ts';

const limits: ParseLimits = {
  unpackedBytesMax: 1024 ** 3,
  entriesMax: 10_000,
  ratioMax: 200,
  depthMax: 256,
  pagesMax: 1000,
  cellsMax: 100_000,
  charactersMax: 1_000_000,
  pixelsMax: 100_000_000,
  pdfMemoryMb: 512,
  pageMs: 1500,
};

let folder: string;
const parser = createPdfParser();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hostile-pdf-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** `read`, or `code: sentence`; anything but a DocumentError is thrown on. */
async function endOf(bytes: Uint8Array): Promise<string> {
  const path = join(folder, 'file.pdf');
  await writeFile(path, bytes);
  try {
    await parser.parse({
      path,
      fileBytes: bytes.length,
      filename: 'file.pdf',
      declaredMediaType: null,
      limits,
      onProgress: () => undefined,
    });
    return 'read';
  } catch (error) {
    if (error instanceof DocumentError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

describe('A hostile PDF ends in its sentence [S16]:', () => {
  it.each(hostilePdfFiles().map((file) => [file.name, file] as const))('%s', async (_name, file) => {
    expect(await endOf(file.bytes())).toSatisfy((said: string) => endsRight(file, said));
  });

  it('and the next file is read as if nothing had been', async () => {
    const bomb = hostilePdfFiles().find(({ name }) => name.startsWith('forms in forms'))!;
    expect(await endOf(bomb.bytes())).toMatch(bomb.ends as RegExp);
    expect(await endOf(makePdf({ pages: [['Good as new']] }))).toBe('read');
  });
});

describe('A damaged PDF', () => {
  const base = samplePdf();
  const change = fc.oneof(
    fc.record({ kind: fc.constant('set' as const), at: fc.nat(base.length - 1), to: fc.nat(255) }),
    fc.record({ kind: fc.constant('cut' as const), at: fc.nat(base.length - 1), bytes: fc.integer({ min: 1, max: 400 }) }),
    fc.record({
      kind: fc.constant('copy' as const),
      at: fc.nat(base.length - 1),
      from: fc.nat(base.length - 1),
      bytes: fc.nat(400),
    }),
  );

  it('is read or refused with a documented code, however it was damaged', async () => {
    const documented = /^(?:read$|corrupt: |encrypted: |no_text: |limit_exceeded: |timeout: )/;
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 12 }), async (changes) => {
        const bytes = changes.reduce((some, each) => {
          const tail = some.subarray(Math.min(some.length, each.at + (each.kind === 'cut' ? each.bytes : 0)));
          const put =
            each.kind === 'set'
              ? Buffer.from([each.to])
              : each.kind === 'copy'
                ? some.subarray(each.from, each.from + each.bytes)
                : Buffer.alloc(0);
          return Buffer.concat([some.subarray(0, each.at), put, each.kind === 'set' ? tail.subarray(1) : tail]);
        }, base);
        expect(await endOf(bytes)).toMatch(documented);
      }),
      { numRuns: 150 },
    );
  });

  it('is refused when it is rubbish', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 2000 }), async (rubbish) => {
        expect(await endOf(Buffer.concat([Buffer.from('%PDF-1.7\n'), rubbish]))).toMatch(/^(?:corrupt|no_text|encrypted): /);
      }),
      { numRuns: 100 },
    );
  });
});
