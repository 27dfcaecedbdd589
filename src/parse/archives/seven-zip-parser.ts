/** 7z archives: read as ZIP and tar are, each folder of files unpacked once, as it comes. */
import type { Part } from '../containers/parts.ts';
import type { Parser } from '../parser.ts';
import { readMembers } from './archive-parser.ts';
import { openSevenZip, type SevenZip } from './seven-zip/archive.ts';

/** `parts` reads the files: the parser of all formats. */
export function createSevenZipParser(parts: Parser): Parser {
  return {
    async parse(input) {
      const archive = await openSevenZip(input);
      try {
        const parsed = await readMembers(partsOf(archive), { input, parts, mediaType: 'application/x-7z-compressed' });
        return { ...parsed, warnings: [...archive.warnings, ...parsed.warnings] };
      } finally {
        archive.close();
      }
    },
  };
}

async function* partsOf(archive: SevenZip): AsyncGenerator<Part> {
  for await (const { name, bytes } of archive.members()) yield { name, mediaType: null, bytes };
}
