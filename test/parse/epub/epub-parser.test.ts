import { describe, expect, it } from 'vitest';
import { createEpubParser } from '../../../src/parse/epub/epub-parser.ts';
import { makeEpub } from '../../support/office-writer.ts';
import { parseBytes, refusalOf } from '../../support/parse.ts';
import { makeZip } from '../../support/zip-writer.ts';

const parser = createEpubParser();

describe('a book', () => {
  it('is read in the order of its spine, with title, author and language', async () => {
    const document = await parseBytes(
      parser,
      makeEpub({
        title: '草枕',
        author: '夏目漱石',
        language: 'ja-JP',
        chapters: [{ body: '<h1>一</h1><p>山路を登りながら</p>' }, { body: '<h1>二</h1><p>「おい」</p>' }],
      }),
    );

    expect(document.markdown).toBe('# 一\n\n山路を登りながら\n\n# 二\n\n「おい」');
    expect(document).toMatchObject({
      mediaType: 'application/epub+zip',
      title: '草枕',
      author: '夏目漱石',
      language: 'ja',
      pages: null,
      warnings: [],
    });
  });

  it('takes a title from the table of contents where a chapter has none', async () => {
    const document = await parseBytes(
      parser,
      makeEpub({
        chapters: [{ body: '<p>It began.</p>' }, { body: '<h2>Own title</h2><p>It went on.</p>' }],
        nav: [
          { chapter: 0, label: 'The beginning' },
          { chapter: 1, label: 'Another title' },
        ],
      }),
    );

    expect(document.markdown).toBe('# The beginning\n\nIt began.\n\n## Own title\n\nIt went on.');
  });

  it('names chapters of the order of reading that it does not have, and how many more there are', async () => {
    const unknown = Array.from({ length: 23 }, (_, at) => `第${at}章`);
    const { markdown, warnings } = await parseBytes(parser, makeEpub({ chapters: [{ body: '<p>text</p>' }], unknown }));

    expect(markdown).toBe('text');
    expect(warnings).toHaveLength(21);
    expect([warnings[0], warnings[20]]).toEqual([
      'The chapter 第0章 is missing from the book',
      '3 more chapters are missing or damaged',
    ]);
  });

  it('leaves out the reading aids of ruby', async () => {
    const body = '<p><ruby>東<rp>(</rp><rt>とう</rt><rp>)</rp>京<rt>きょう</rt></ruby>へ</p>';

    expect((await parseBytes(parser, makeEpub({ chapters: [{ body }] }))).markdown).toBe('東京へ');
  });

  it('is refused when its chapters are encrypted, not when its fonts are scrambled', async () => {
    const encryption = (uri: string) => ({
      name: 'META-INF/encryption.xml',
      data: `<encryption xmlns:enc="http://www.w3.org/2001/04/xmlenc#"><enc:EncryptedData><enc:CipherData><enc:CipherReference URI="${uri}"/></enc:CipherData></enc:EncryptedData></encryption>`,
    });
    const chapters = [{ body: '<p>text</p>' }];

    expect(await refusalOf(parser, makeEpub({ chapters, members: [encryption('OPS/text/c1.xhtml')] }))).toBe(
      'encrypted: The book is copy-protected (DRM): upload a copy without that protection',
    );
    expect((await parseBytes(parser, makeEpub({ chapters, members: [encryption('OPS/font.otf')] }))).markdown).toBe('text');
  });

  it('names chapters that are missing, and is refused without a package document', async () => {
    const opf =
      '<package xmlns="http://www.idpf.org/2007/opf"><manifest><item id="a" href="a.xhtml" media-type="application/xhtml+xml"/><item id="b" href="b.xhtml" media-type="application/xhtml+xml"/></manifest><spine><itemref idref="a"/><itemref idref="b"/></spine></package>';
    const document = await parseBytes(
      parser,
      makeZip([
        { name: 'x.opf', data: opf },
        { name: 'a.xhtml', data: '<html><body><p>here</p></body></html>' },
      ]),
    );

    expect(document.markdown).toBe('here');
    expect(document.warnings).toEqual(['The chapter b.xhtml is missing from the book']);
    expect(await refusalOf(parser, makeZip([{ name: 'a.txt', data: 'x' }]))).toMatch(/^corrupt: .*package document/);
  });
});
