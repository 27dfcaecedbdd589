import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createDocumentParser } from '../../src/parse/document-parser.ts';
import { parseBytes, refusalOf, usualLimits } from '../support/parse.ts';
import { encodeAs, proseOf, smallFiles } from '../support/text-fixtures.ts';

const parser = createDocumentParser({});
const bytesOf = (name: string): Uint8Array => Buffer.from(smallFiles[name]!);

describe('createDocumentParser', () => {
  it.each([
    ['page.html', 'text/html'],
    ['notes.md', 'text/markdown'],
    ['rates.csv', 'text/csv'],
    ['rates.json', 'application/json'],
    ['article.xml', 'application/xml'],
    ['letter.rtf', 'application/rtf'],
    ['mail.eml', 'message/rfc822'],
    ['talk.srt', 'application/x-subrip'],
    ['talk.vtt', 'text/vtt'],
    ['story.txt', 'text/plain'],
  ])('reads %s as %s', async (filename, mediaType) => {
    const parsed = await parseBytes(parser, bytesOf(filename), { filename });

    expect(parsed.mediaType).toBe(mediaType);
    expect(parsed.blocks.map((block) => parsed.markdown.slice(block.start, block.end)).join('\n\n')).toBe(parsed.markdown);
  });

  it.each(['page.html', 'article.xml', 'letter.rtf', 'mail.eml', 'talk.srt', 'talk.vtt'])(
    'recognises %s under a wrong name [S3]',
    async (name) => {
      const right = await parseBytes(parser, bytesOf(name), { filename: name });
      const wrong = await parseBytes(parser, bytesOf(name), { filename: 'report.pdf' });

      expect(wrong.mediaType).toBe(right.mediaType);
      expect(wrong.markdown).toBe(right.markdown);
    },
  );

  it('reads a file from disk as it does from memory', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'parse-'));
    try {
      const path = join(folder, 'payload');
      writeFileSync(path, smallFiles['notes.md']!);
      const parsed = await parser.parse({
        path,
        fileBytes: bytesOf('notes.md').length,
        filename: 'notes.md',
        declaredMediaType: null,
        limits: usualLimits,
        onProgress: () => {},
      });
      expect(parsed.title).toBe('Handbook');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('says what it does not read, by name [S3]', async () => {
    const gzip = Buffer.from('1f8b08000000000000034b4c4a0600c241243503000000', 'hex');
    expect(await refusalOf(parser, gzip, { filename: 'large_document.pdf' })).toBe(
      'unsupported_format: Unsupported file format: large_document.pdf',
    );
  });

  it('says when there is no text', async () => {
    expect(await refusalOf(parser, Buffer.from(' \n\n '), { filename: 'blank.txt' })).toBe('no_text: No text found in blank.txt');
  });

  it.each([
    [proseOf.chineseSimplified, 'zh'],
    [proseOf.japanese, 'ja'],
    [proseOf.korean, 'ko'],
    [
      'The rules of the house are as follows, and it is for you to read them with care, as they were written for all that live in it.',
      'en',
    ],
    [proseOf.russian, null],
  ])('tells the language by the script where that is enough: %s', async (text, language) => {
    expect((await parseBytes(parser, Buffer.from(text), { filename: 'a.txt' })).language).toBe(language);
  });

  it('keeps source code as one block of code', async () => {
    const { markdown } = await parseBytes(parser, Buffer.from('# not a heading\nprint(1)\n'), { filename: 'run.py' });

    expect(markdown).toBe('```py\n# not a heading\nprint(1)\n```');
  });

  it('takes the declared media type where the name says nothing', async () => {
    const input = { path: '', bytes: bytesOf('rates.csv'), fileBytes: 1, limits: usualLimits, onProgress: () => {} };
    const parsed = await parser.parse({ ...input, filename: 'upload', declaredMediaType: 'text/csv; charset=utf-8' });

    expect(parsed.mediaType).toBe('text/csv');
  });

  it('reads plain text of old encodings', async () => {
    const parsed = await parseBytes(parser, encodeAs(proseOf.chineseTraditional, 'big5'), { filename: '手冊.txt' });

    expect(parsed.markdown).toBe(proseOf.chineseTraditional);
  });
});
