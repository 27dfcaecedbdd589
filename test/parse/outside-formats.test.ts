import { describe, expect, it } from 'vitest';
import { createDocumentParser } from '../../src/parse/document-parser.ts';
import { refusalOf, parseBytes } from '../support/parse.ts';
import { encodeAs } from '../support/text-fixtures.ts';
import { makeZip } from '../support/zip-writer.ts';

const parser = createDocumentParser({});

describe('a file of a kind that is known and not read', () => {
  it.each([
    ['a.wps', Buffer.concat([Buffer.from('CHNKWKS '), Buffer.alloc(500)]), 'Microsoft Works files are not supported'],
    ['a.rar', Buffer.from('526172211a0701000000', 'hex'), 'RAR archives are not supported'],
    ['a.mp4', Buffer.from('00000018667479706d703432', 'hex'), 'Sound and video are not supported'],
    ['a.mobi', Buffer.concat([Buffer.alloc(60), Buffer.from('BOOKMOBI')]), 'Kindle books are not supported'],
    ['a.pages', makeZip([{ name: 'Index/Document.iwa', data: 'x' }]), 'Pages, Numbers and Keynote files are not supported'],
    ['a.key', makeZip([{ name: 'index.apxl', data: '<a/>' }]), 'Pages, Numbers and Keynote files are not supported'],
  ])('%s ends in a sentence that says what to do', async (filename, bytes, said) => {
    expect(await refusalOf(parser, bytes, { filename })).toMatch(
      new RegExp(`^unsupported_format: Unsupported file format: ${filename}\\. ${said}: \\w+ `),
    );
  });
});

it.each([
  ['rar', '526172211a07'],
  ['xz', 'fd377a585a00'],
  ['zst', '28b52ffd'],
  ['mkv', '1a45dfa3'],
  ['db', Buffer.from('SQLite format 3\0').toString('hex')],
])('a file that begins as a %s does is no text, however much of it follows', async (ending, signature) => {
  const bytes = Buffer.concat([Buffer.from(signature, 'hex'), Buffer.from(' and a good deal of plain text'.repeat(100))]);
  expect(await refusalOf(parser, bytes, { filename: `a.${ending}` })).toMatch(/^unsupported_format: .* (?:is|are) not supported: /);
});

describe('names in an archive', () => {
  it.each([
    ['gb18030', '预算表格/二〇二四年费用.txt'],
    ['big5', '會議記錄/第一季預算.txt'],
    ['shift_jis', 'ファイル一覧/見積もり.txt'],
    ['ibm437', 'Übersicht für März.txt'],
    ['ibm437', 'Übung.txt'],
    ['gbk', '囧.txt'],
  ])('are read in %s where they are no UTF-8', async (encoding, name) => {
    const bytes = Buffer.from(encodeAs(name, encoding));
    const stand = 'x'.repeat(bytes.length);
    const zip = Buffer.from(
      makeZip([{ name: stand, data: 'Some text.' }])
        .toString('latin1')
        .replaceAll(stand, bytes.toString('latin1')),
      'latin1',
    );
    expect((await parseBytes(parser, zip, { filename: 'a.zip' })).markdown).toBe(`# ${name}\n\nSome text.`);
  });
});

describe('source code', () => {
  it.each([
    ['main.py', 'import os\n', 'py'],
    ['index.php', '<?php\n$a = 1;\n', 'php'],
    ['App.vue', '<template>\n  <p>x</p>\n</template>\n', 'vue'],
    ['Dockerfile', 'FROM node:24\n', 'dockerfile'],
    ['run', '#!/usr/bin/env python3\nprint(1)\n', 'py'],
    ['go', '#!/bin/bash\nls\n', 'sh'],
  ])('%s is kept as code with its language', async (filename, text, language) => {
    expect((await parseBytes(parser, Buffer.from(text), { filename })).markdown).toBe(`\`\`\`${language}\n${text.trim()}\n\`\`\``);
  });
});

describe('a mail that Windows saved in UTF-16', () => {
  it('is read as any other', async () => {
    const mail = '\ufeffFrom: ann@example.org\r\nTo: bob@example.org\r\nSubject: Plan 预算\r\n\r\nHello 你好\r\n';
    const parsed = await parseBytes(parser, Buffer.from(mail, 'utf16le'), { filename: 'a.eml' });
    expect(parsed).toMatchObject({ format: 'eml', title: 'Plan 预算' });
    expect(parsed.markdown).toContain('Hello 你好');
  });
});
