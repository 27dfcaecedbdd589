import { expect, it } from 'vitest';
import { firstOf } from '../../../src/parse/containers/first-of.ts';
import { createDocumentParser } from '../../../src/parse/document-parser.ts';
import { makeDocx } from '../../support/office-writer.ts';
import { makeOfd } from '../../support/ofd-writer.ts';
import { parseBytes } from '../../support/parse.ts';

it('a list of which only the first are read is said to be longer, once', () => {
  const warnings: string[] = [];
  for (let again = 0; again < 1000; again++) expect(firstOf([1, 2, 3], { most: 2, what: 'numbers', warnings })).toEqual([1, 2]);

  expect(warnings).toEqual(['The file has more than 2 numbers; those behind were not read']);
  expect(firstOf([1, 2], { most: 2, what: 'numbers', warnings })).toEqual([1, 2]);
  expect(warnings).toHaveLength(1);
});

const header = (at: number) => ({
  id: `h${at}`,
  type: 'http://schemas.openxmlformats.org/officeDocument/2006/relationships/header',
  target: `h${at}.xml`,
});
const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

it.each([
  [
    'headers',
    makeDocx({
      paragraphs: ['文字'],
      relationships: numbers(302).map(header),
      members: numbers(302).map((at) => ({ name: `word/h${at}.xml`, data: '<a/>' })),
    }),
    'The file has more than 300 headers; those behind were not read',
  ],
  [
    'templates',
    makeOfd({
      templates: Object.fromEntries(numbers(22).map((at) => [`t${at}`, ''])),
      pages: [1, 2].map(() => ({
        objects: '<ofd:TextObject Boundary="0 0 50 9" Size="4"><ofd:TextCode X="0" Y="5">文字</ofd:TextCode></ofd:TextObject>',
        head: numbers(22)
          .map((at) => `<ofd:Template TemplateID="t${at}"/>`)
          .join(''),
      })),
    }),
    'The file has more than 20 templates on one page; those behind were not read',
  ],
])('what a file has too many of is named, once a document: %s', async (_what, bytes, sentence) => {
  const { markdown, warnings } = await parseBytes(createDocumentParser({}), bytes);

  expect(markdown).toContain('文字');
  expect(warnings).toEqual([sentence]);
});
