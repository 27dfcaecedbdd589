import { describe, expect, it } from 'vitest';
import { createDocumentParser } from '../../../src/parse/document-parser.ts';
import { makeOlePackage } from '../../support/archive-writer.ts';
import { agileEncrypted, standardEncrypted } from '../../support/encrypted-office.ts';
import { makeDocx, makeXlsx } from '../../support/office-writer.ts';
import { parseBytes, refusalOf, usualLimits } from '../../support/parse.ts';

const parser = createDocumentParser({});
const book = makeXlsx({ sheets: [{ name: 'S', rows: [['zebrafish', 7]] }] });

describe('a protected office file', () => {
  it.each([
    ['agile', agileEncrypted],
    ['standard', standardEncrypted],
  ])('opens with the password that nobody set: %s', async (_, encrypt) => {
    const parsed = await parseBytes(parser, encrypt(book, 'VelvetSweatshop'), { filename: 'a.xlsx' });

    expect(parsed.markdown).toBe((await parseBytes(parser, book)).markdown);
  });

  it.each([
    ['agile', agileEncrypted],
    ['standard', standardEncrypted],
  ])('opens with the one that came with it, and with no other: %s', async (_, encrypt) => {
    const bytes = encrypt(book, '密码 42');
    const input = {
      path: '',
      bytes,
      fileBytes: bytes.length,
      filename: 'a.xlsx',
      declaredMediaType: null,
      limits: usualLimits,
      onProgress: () => {},
    };

    expect((await parser.parse({ ...input, password: '密码 42' })).markdown).toContain('zebrafish');
    expect(await refusalOf(parser, bytes)).toMatch(/^encrypted: .*send the password with it/);
    await expect(parser.parse({ ...input, password: 'secret-guess' })).rejects.toThrow(
      /the password sent with it does not open it/,
    );
    await expect(parser.parse({ ...input, password: 'secret-guess' })).rejects.not.toThrow(/secret-guess/);
  });

  it('ends in a sentence where it names a hash, a cipher or a key that there is not', async () => {
    const whole = agileEncrypted(makeDocx({ paragraphs: ['x'] }), 'VelvetSweatshop', 1).toString('latin1');
    const damaged = (from: string, to: string): Buffer => Buffer.from(whole.replaceAll(from, to), 'latin1');
    // The first is that of the content, the second that of the password.
    const bytes = [
      Buffer.from(whole.replace('"SHA512"', '"SHA51x"'), 'latin1'),
      damaged('"SHA512"', '"SHA51x"'),
      damaged('keyBits="256"', 'keyBits="192"'),
    ];
    for (const each of bytes)
      expect(await refusalOf(parser, each, { filename: 'a.docx' })).toMatch(/^(?:corrupt|encrypted): The (?:protected )?file is /);
  });

  it('does not hash as often as a file may ask for', async () => {
    expect(await refusalOf(parser, agileEncrypted(book, 'x', 1).subarray(0))).toMatch(/^encrypted: /);
    const greedy = Buffer.from(
      agileEncrypted(book, 'x', 1000000).toString('latin1').replace('spinCount="1000000"', 'spinCount="9999999"'),
      'latin1',
    );
    expect(await refusalOf(parser, greedy)).toMatch(/^limit_exceeded: .*rounds of hashing/);
  });
});

describe('a file in an OLE package', () => {
  it('is read by its own name and kind, where it lies in a document too', async () => {
    const packed = makeOlePackage('rates.csv', Buffer.from('City,Limit\nParis,120\n'));
    expect((await parseBytes(parser, packed, { filename: 'oleObject1.bin' })).mediaType).toBe('text/csv');

    const bytes = makeDocx({
      paragraphs: ['Text.'],
      relationships: [{ id: 'o', type: 'oleObject', target: 'embeddings/oleObject1.bin' }],
      members: [{ name: 'word/embeddings/oleObject1.bin', data: packed }],
    });
    expect((await parseBytes(parser, bytes)).markdown).toContain('| Paris | 120 |');
  });

  it('that cannot be read is named with its reason', async () => {
    const packed = makeOlePackage('tool.exe', Buffer.from([0, 1, 2]));
    expect(await refusalOf(parser, packed, { filename: 'oleObject1.bin' })).toBe(
      'unsupported_format: Unsupported file format: tool.exe',
    );
  });
});
