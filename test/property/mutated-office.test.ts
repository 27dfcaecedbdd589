/**
 * Mutated office files end in a documented way: they are read, or refused with a code of the list; never a bug, never without end.
 * `npm run fuzz` damages 500 of every format.
 */
import { describe, expect, it } from 'vitest';
import { DocumentError, type DocumentErrorCode } from '../../src/errors.ts';
import { createDocumentParser } from '../../src/parse/document-parser.ts';
import { mutate, mutateInside } from '../support/mutation.ts';
import { parseBytes } from '../support/parse.ts';
import { officeSamples } from '../support/sample-files.ts';

const mutations = 25;
/** What a parser may say of a broken file; `internal` and `worker_crashed` are bugs. */
const documented: readonly DocumentErrorCode[] = ['unsupported_format', 'encrypted', 'corrupt', 'no_text', 'limit_exceeded'];

describe('mutated office files', () => {
  const parser = createDocumentParser({});

  it.each(Object.keys(officeSamples))('of format %s are read or refused with a documented code', async (format) => {
    const whole = officeSamples[format]!();

    for (let seed = 0; seed < mutations; seed++) {
      const bytes = seed % 2 === 0 ? mutate(whole, seed) : mutateInside(whole, seed);
      const end = await parseBytes(parser, bytes, { filename: `file.${format}` }).then(
        () => 'read',
        (error: unknown) => {
          if (error instanceof DocumentError) return error.code;
          throw new Error(`seed ${seed}: ${String(error)}`, { cause: error });
        },
      );

      expect(['read', ...documented]).toContain(end);
    }
  });
});
