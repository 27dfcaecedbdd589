import { describe, expect, it } from 'vitest';
import { splitDocument } from '../../src/chunk/splitter.ts';
import { isBlank } from '../../src/chunk/tokenizer.ts';
import { DocumentError } from '../../src/errors.ts';
import { createDocumentParser } from '../../src/parse/document-parser.ts';
import { mutate } from '../support/mutation.ts';
import { parseBytes } from '../support/parse.ts';
import { smallFiles } from '../support/text-fixtures.ts';

/** `node test/bench/fuzz.ts FOLDER` does 500 of each. */
const mutantsOfEach = 60;
const parser = createDocumentParser({});

describe('a damaged file', () => {
  it.each(Object.entries(smallFiles))(
    'is read or refused with a sentence, and its blocks stay true: %s',
    async (filename, text) => {
      for (let seed = 0; seed < mutantsOfEach; seed++) {
        const bytes = mutate(Buffer.from(text), seed);
        try {
          const parsed = await parseBytes(parser, bytes, { filename });
          expect(parsed.blocks.map((block) => parsed.markdown.slice(block.start, block.end)).join('\n\n')).toBe(parsed.markdown);
          const covered = [...splitDocument(parsed, { tokensMax: 64 })].reduce((sum, chunk) => sum + countedUnits(chunk.text), 0);
          expect(covered).toBe(countedUnits(parsed.markdown));
        } catch (error) {
          if (!(error instanceof DocumentError)) throw new Error(`seed ${seed}`, { cause: error });
        }
      }
    },
  );
});

/** UTF-16 units that count as a token or a part of one: what chunks cover. */
function countedUnits(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at++) if (!isBlank(text.charCodeAt(at))) count++;
  return count;
}
