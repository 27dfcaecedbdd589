import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDocumentParser } from '../../../src/parse/document-parser.ts';
import { makeTar, tarEntry } from '../../support/archive-writer.ts';
import { agileEncrypted } from '../../support/encrypted-office.ts';
import { makeDocx, makeXlsx } from '../../support/office-writer.ts';
import { makePdf } from '../../support/pdf-writer.ts';
import { parseBytes, refusalOf } from '../../support/parse.ts';
import { makeSevenZip } from '../../support/seven-zip-writer.ts';
import { makeZip } from '../../support/zip-writer.ts';

const parser = createDocumentParser({});
const files = [
  { name: 'letters/a.txt', data: 'plain zebrafish' },
  { name: 'report.docx', data: makeDocx({ paragraphs: [{ text: 'Findings', style: 'Heading1' }, '中文 text'] }) },
  { name: 'prices/b.xlsx', data: makeXlsx({ sheets: [{ name: 'S', rows: [['a', 1]] }] }) },
  { name: 'c.pdf', data: makePdf({ pages: [['A page']] }) },
  { name: 'tool.exe', data: Buffer.from([0, 1, 2, 3, 0xff]) },
  { name: '__MACOSX/._a.txt', data: 'junk' },
];
const expected =
  '# letters/a.txt\n\nplain zebrafish\n\n# report.docx\n\n## Findings\n\n中文 text\n\n# prices/b.xlsx\n\n## S\n\n| a | 1 |\n| --- | --- |\n\n# c.pdf\n\nA page';

describe('an archive', () => {
  it.each([
    ['a.zip', makeZip(files), 'application/zip'],
    ['a.tar', makeTar(files), 'application/x-tar'],
    ['a.tgz', gzipSync(makeTar(files)), 'application/gzip'],
    ['a.7z', makeSevenZip(files), 'application/x-7z-compressed'],
    ['packed-list.7z', makeSevenZip(files, { packedList: true, filesPerFolder: 2 }), 'application/x-7z-compressed'],
    ['named-otherwise', gzipSync(makeTar(files)), 'application/gzip'],
  ])('is one document of its files, each under its path: %s', async (filename, bytes, mediaType) => {
    const parsed = await parseBytes(parser, bytes, { filename });

    expect(parsed.markdown).toBe(expected);
    expect(parsed.mediaType).toBe(mediaType);
    expect(parsed.warnings).toEqual(['The file tool.exe was not read: Unsupported file format: tool.exe']);
    expect(parsed.blocks.map((block) => parsed.markdown.slice(block.start, block.end)).join('\n\n')).toBe(parsed.markdown);
  });

  it('reads one packed file as if it came by itself', async () => {
    expect((await parseBytes(parser, gzipSync('# Head\n\ntext'), { filename: 'notes.md.gz' })).markdown).toBe('# Head\n\ntext');
  });

  it('keeps long and Chinese names of a tar, and what is in archives in it', async () => {
    const name = `${'folder/'.repeat(20)}合同.txt`;
    for (const pax of [true, false]) {
      const bytes = makeTar([
        { name, data: 'text', pax },
        { name: 'in.zip', data: makeZip([{ name: 'deep.txt', data: 'deeper' }]) },
      ]);
      expect((await parseBytes(parser, bytes)).markdown).toBe(`# ${name}\n\ntext\n\n# in.zip\n\n## deep.txt\n\ndeeper`);
    }
  });

  it('says why nothing in it could be read', async () => {
    const locked = makeZip([{ name: 'a.txt', data: 'x', flags: 1 }]);
    expect(await refusalOf(parser, locked, { filename: 'a.zip' })).toMatch(/^encrypted: The file is an encrypted archive/);
    const office = makeZip([
      { name: 'a.txt', data: '' },
      { name: 'a.docx', data: agileEncrypted(makeDocx({ paragraphs: ['x'] }), 'secret', 1) },
    ]);
    expect(await refusalOf(parser, office, { filename: 'a.zip' })).toMatch(/^encrypted: The file is protected by a password/);
    const tools = makeZip([{ name: 'a.exe', data: Buffer.from([0, 1, 2]) }]);
    expect(await refusalOf(parser, tools, { filename: 'a.zip' })).toBe(
      'no_text: None of the 1 file(s) in the archive could be read. The file a.exe was not read: Unsupported file format: a.exe',
    );
  });

  it('counts what is inside of archives inside of it all together', async () => {
    const inner = makeZip(Array.from({ length: 6 }, (_, at) => ({ name: `${at}.txt`, data: `text ${at}` })));
    const outer = makeZip(Array.from({ length: 3 }, (_, at) => ({ name: `${at}.zip`, data: inner })));

    const many = await parseBytes(parser, outer, { filename: 'a.zip', limits: { entriesMax: 10 } });
    expect(many.markdown.match(/text/g)!.length).toBeLessThan(10);
    expect(many.warnings.some((warning) => warning.includes('MAX_ARCHIVE_ENTRIES'))).toBe(true);

    let nested: Buffer = makeZip([{ name: 'innermost.txt', data: 'innermost' }]);
    for (let level = 0; level < 8; level++)
      nested = makeZip([
        { name: 'next.zip', data: nested },
        { name: 'note.txt', data: `level ${level}` },
      ]);
    const deep = await parseBytes(parser, nested, { filename: 'a.zip' });
    expect(deep.markdown).not.toContain('innermost');
    expect(deep.warnings.some((warning) => warning.includes('inside more than 5 files'))).toBe(true);
  });

  it('is bounded in what it unpacks to, whatever packs it', async () => {
    const zeros = Buffer.alloc(40 * 1024 * 1024);
    expect(await refusalOf(parser, gzipSync(makeTar([{ name: 'a', data: zeros }])), { filename: 'a.tgz' })).toMatch(
      /MAX_UNPACK_RATIO/,
    );
    const limits = { unpackedBytesMax: 2_000_000, ratioMax: 100_000 };
    expect(await refusalOf(parser, gzipSync(makeTar([{ name: 'a', data: zeros }])), { filename: 'a.tgz', limits })).toMatch(
      /MAX_UNPACKED_BYTES/,
    );
    const text = makeZip([{ name: 'a.txt', data: 'x'.repeat(900_000) }]);
    const three = makeZip([0, 1, 2].map((at) => ({ name: `${at}.zip`, data: text })));
    const parsed = await parseBytes(parser, three, { filename: 'a.zip', limits });
    expect(parsed.warnings.some((warning) => warning.includes('MAX_UNPACKED_BYTES'))).toBe(true);
  });

  it('ends on any tar, lying sizes too', async () => {
    const lying = Buffer.concat([...tarEntry('a.txt', '0', Buffer.from('text'), 0o77777777777), Buffer.alloc(1024)]);
    expect(await refusalOf(parser, lying, { filename: 'a.tar' })).toMatch(/limit_exceeded|no_text/);
    const whole = makeTar(files);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: whole.length }), fc.integer({ min: 0, max: 255 }), async (at, byte) => {
        const bytes = Buffer.from(whole.subarray(0, Math.max(1024, at + 600)));
        bytes[at % bytes.length] = byte;
        await parseBytes(parser, bytes, { filename: 'a.tar' }).catch((error: unknown) =>
          expect(String(error)).toMatch(/DocumentError|AppError/),
        );
      }),
      { numRuns: 30 },
    );
  });
});
