import { describe, expect, it } from 'vitest';
import { DocumentError } from '../../../src/errors.ts';
import { createDocumentParser } from '../../../src/parse/document-parser.ts';
import { endsRight } from '../../support/hostile-file.ts';
import { hostileXpsFiles } from '../../support/hostile-xps.ts';
import { parseBytes } from '../../support/parse.ts';

describe('a hostile XPS [S11] [S13]', () => {
  const parser = createDocumentParser({});

  it.each(hostileXpsFiles().map((file) => [file.name, file] as const))('%s ends as it must', async (filename, file) => {
    const limits = file.quick === undefined ? {} : { limits: file.quick };
    const end = await parseBytes(parser, file.bytes(), { filename, ...limits }).then(
      () => 'read',
      (error: unknown) => {
        if (error instanceof DocumentError) return `${error.code}: ${error.message}`;
        throw error;
      },
    );

    expect(endsRight(file, end), end).toBe(true);
  });
});
