import { describe, expect, it } from 'vitest';
import { createDocumentParser } from '../../../src/parse/document-parser.ts';
import { makeDocx } from '../../support/office-writer.ts';
import { parseBytes, refusalOf } from '../../support/parse.ts';
import { makePdf } from '../../support/pdf-writer.ts';

const parser = createDocumentParser({});
const note = { name: 'note 说明.txt', data: Buffer.from('An attached zebrafish.') };
const letter = { name: 'letter.docx', data: makeDocx({ paragraphs: [{ text: 'Head', style: 'Heading1' }, 'Dear reader.'] }) };

describe('files attached to a PDF', () => {
  it('are read under a heading each, whether the document lists them or a page holds them', async () => {
    const bytes = makePdf({ pages: [{ lines: ['The page.'], files: [letter] }], files: [note] });
    const parsed = await parseBytes(parser, bytes, { filename: 'a.pdf' });

    expect(parsed.markdown).toBe(
      'The page.\n\n# Attachment: note 说明.txt\n\nAn attached zebrafish.\n\n# Attachment: letter.docx\n\n## Head\n\nDear reader.',
    );
    expect(parsed.blocks.map(({ page }) => page)).toEqual([1, null, null, null, null, null]);
  });

  it('are all there is of a portfolio, whose files may be PDFs with files', async () => {
    const inner = makePdf({ pages: [['The inner page.']], files: [note] });
    const bytes = makePdf({ pages: [[]], files: [{ name: 'inner.pdf', data: inner }], portfolio: true });

    expect((await parseBytes(parser, bytes, { filename: 'a.pdf' })).markdown).toBe(
      '# Attachment: inner.pdf\n\nThe inner page.\n\n## Attachment: note 说明.txt\n\nAn attached zebrafish.',
    );
  });

  it('are named in a warning where they cannot be read, and end at the bound of files inside of files [S72]', async () => {
    const odd = { name: 'tool.bin', data: Buffer.from([0, 1, 2, 3, 0, 0, 0, 5]) };
    const bytes = makePdf({ pages: [['The page.']], files: [odd, note, { name: 'more.txt', data: Buffer.from('more') }] });
    const parsed = await parseBytes(parser, bytes, { filename: 'a.pdf', limits: { entriesMax: 2 } });

    expect(parsed.warnings).toEqual([
      'The attachment tool.bin was not read: Unsupported file format: tool.bin',
      'The attachment more.txt was not read: the file has more than 2 files inside (MAX_ARCHIVE_ENTRIES)',
    ]);
    expect(parsed.markdown).toContain('An attached zebrafish.');
  });
});

describe('what is laid over a page of a PDF', () => {
  it('is read, signatures and stamps by what they show, and no field twice', async () => {
    const bytes = makePdf({
      pages: [
        {
          lines: ['The contract.'],
          fields: [{ name: 'city', value: 'Hamburg', y: 300 }],
          signature: 'Digitally signed by Ann Lee',
          stamp: 'APPROVED 4711',
        },
      ],
    });
    const { markdown } = await parseBytes(parser, bytes, { filename: 'a.pdf' });

    for (const text of ['The contract.', 'Hamburg', 'Digitally signed by Ann Lee', 'APPROVED 4711'])
      expect(markdown.split(text)).toHaveLength(2);
  });
});

describe('a PDF under a password', () => {
  const locked = makePdf({ pages: [['A secret zebrafish.']], userPassword: 'geheim' });

  it('is read with the password that comes with it, and without one where that is empty', async () => {
    expect((await parseBytes(parser, locked, { password: 'geheim' })).markdown).toBe('A secret zebrafish.');
    const open = makePdf({ pages: [['A secret zebrafish.']], userPassword: '' });
    expect((await parseBytes(parser, open)).markdown).toBe('A secret zebrafish.');
  });

  it('says what is missing, or that it was the wrong one, and never which', async () => {
    expect(await refusalOf(parser, locked)).toBe(
      'encrypted: The PDF is protected by a password: remove the password and upload it again, or send the password with it',
    );
    expect(await refusalOf(parser, locked, { password: 'zebra' })).toBe(
      'encrypted: The PDF is protected by a password, and the password sent with it does not open it',
    );
  });
});
