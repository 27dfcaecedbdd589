import { expect, it } from 'vitest';
import { readPart } from '../../../src/parse/containers/parts.ts';
import { usualLimits } from '../../../src/parse/limits.ts';
import type { ParsedDocument, ParseInput, Parser } from '../../../src/parse/parser.ts';

const mebibyte = 1024 * 1024;

it('asks files inside of files for no more bytes than those around them leave [S72]', async () => {
  const asked: number[] = [];
  const warnings: string[] = [];
  /** Reads a file that holds one more, of 10 MB each. */
  const parser: Parser = {
    parse: async (input) => (await read(input)) ?? nothing,
  };
  const read = (input: ParseInput) => {
    const bytes = (bytesMax: number) => {
      asked.push(bytesMax / mebibyte);
      return Buffer.alloc(10 * mebibyte);
    };
    return readPart({ name: 'in', mediaType: null, bytes }, { input, parser, warnings, kind: 'file' });
  };
  await read({
    path: '',
    fileBytes: 1,
    filename: 'out',
    declaredMediaType: null,
    limits: usualLimits,
    onProgress: () => undefined,
  });

  expect(asked).toEqual([256, 246, 236, 226, 216]);
  expect(warnings.at(-1)).toContain('it is inside more than 5 files');
});

const nothing: ParsedDocument = {
  mediaType: 'text/plain',
  title: null,
  author: null,
  language: null,
  pages: null,
  markdown: '',
  blocks: [],
  warnings: [],
};
