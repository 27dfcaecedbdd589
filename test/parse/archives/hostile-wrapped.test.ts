import { describe, expect, it } from 'vitest';
import { DocumentError } from '../../../src/errors.ts';
import { createDocumentParser } from '../../../src/parse/document-parser.ts';
import { endsRight } from '../../support/hostile-file.ts';
import { hostileWrappedFiles } from '../../support/hostile-wrapped.ts';
import { parseBytes } from '../../support/parse.ts';

const parser = createDocumentParser({});

describe('a hostile file that holds others, or stands for one [S74]', () => {
  it.each(hostileWrappedFiles().map((file) => [file.name, file] as const))('%s ends as it should', async (filename, file) => {
    const said = await parseBytes(parser, file.bytes(), {
      filename,
      ...(file.quick === undefined ? {} : { limits: file.quick }),
    }).then(
      () => 'read',
      (error: unknown) => {
        if (error instanceof DocumentError) return `${error.code}: ${error.message}`;
        throw error;
      },
    );

    expect({ said, isRight: endsRight(file, said) }).toEqual({ said, isRight: true });
  });
});
