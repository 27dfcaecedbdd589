import { describe, expect, it } from 'vitest';
import { DocumentError } from '../../../src/errors.ts';
import { createDocumentParser } from '../../../src/parse/document-parser.ts';
import { hostileBinaryFiles } from '../../support/hostile-binary.ts';
import { endsRight } from '../../support/hostile-file.ts';
import { parseBytes } from '../../support/parse.ts';

const parser = createDocumentParser({});

describe('a hostile file of an old binary format [S11] [S12] [S59]', () => {
  it.each(hostileBinaryFiles().map((file) => [file.name, file] as const))('%s ends as it should', async (filename, file) => {
    const said = await parseBytes(parser, file.bytes(), { filename }).then(
      () => 'read',
      (error: unknown) => {
        if (error instanceof DocumentError) return `${error.code}: ${error.message}`;
        throw error;
      },
    );

    expect({ said, isRight: endsRight(file, said) }).toEqual({ said, isRight: true });
  });
});
