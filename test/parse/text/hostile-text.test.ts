import { describe, expect, it } from 'vitest';
import { splitDocument } from '../../../src/chunk/splitter.ts';
import { DocumentError } from '../../../src/errors.ts';
import { createDocumentParser } from '../../../src/parse/document-parser.ts';
import { endsRight } from '../../support/hostile-file.ts';
import { hostileTextFiles } from '../../support/hostile-text.ts';
import { parseBytes } from '../../support/parse.ts';

const parser = createDocumentParser({});

describe('a hostile text file', () => {
  it.each(hostileTextFiles().map((file) => [file.name, file] as const))(
    'ends as it must: %s [S13] [S18]',
    async (name, file) => {
      const outcome = await parseBytes(parser, file.bytes(), { filename: name }).then(
        (parsed) => {
          const chunks = [...splitDocument(parsed, { tokensMax: 320 })];
          return chunks.every((chunk) => chunk.text !== '') && chunks.length > 0 ? 'read' : 'split into nothing';
        },
        (error: unknown) => {
          if (error instanceof DocumentError) return `${error.code}: ${error.message}`;
          throw error;
        },
      );

      expect(outcome).toSatisfy((said: string) => endsRight(file, said));
    },
    20_000,
  );

  it('changes no prototype', async () => {
    const json = '{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}, "text": "kept"}';
    await parseBytes(parser, Buffer.from(json), { filename: 'a.json' });

    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('never shows what a declared entity stands for', async () => {
    const xml = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a><b>text &x;</b></a>';
    const { markdown } = await parseBytes(parser, Buffer.from(xml), { filename: 'a.xml' });

    expect(markdown).toBe('b: text &x;');
  });
});
