/**
 * What goes in is what is found: every value that a person sees in a file is found by a search for it, in documents that are generated for each
 * structured format. Numbers digit for digit.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { splitDocument } from '../../src/chunk/splitter.ts';
import { createBuiltinEmbedder } from '../../src/embed/builtin-embedder.ts';
import { createDocumentParser } from '../../src/parse/document-parser.ts';
import type { DocumentIndex } from '../../src/search/document-index.ts';
import { openSqliteIndex } from '../../src/search/sqlite/sqlite-index.ts';
import { tokenize } from '../../src/search/analysis/tokens.ts';
import { newId } from '../support/engine-steps.ts';
import { makeXlsx } from '../support/office-writer.ts';
import { parseBytes } from '../support/parse.ts';
import { stageDocument } from '../support/staged-document.ts';

let folder: string;
let index: DocumentIndex;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'leaf-values-'));
  index = openSqliteIndex({ indexDir: folder, embedder: createBuiltinEmbedder() });
});
afterAll(async () => {
  await index.close();
  await rm(folder, { recursive: true, force: true });
});

const word = fc.constantFrom(...'harbour lantern Überprüfung naïve 发票 合同编号 契約書 계약 zebrafish Łódź ταξίδι'.split(' '));
const number = fc.oneof(
  fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }).map(String),
  fc.tuple(fc.nat(99_999), fc.nat(9999)).map(([whole, part]) => `${whole}.${String(part).padStart(4, '0')}`),
  fc.constantFrom('12.50', '1e400', '0.10', '-0.000001', '9007199254740993', '3.14159265358979323846'),
);
const text = fc.oneof(
  fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join(' ')),
  fc.constantFrom(
    'List<String> names',
    'if (a < b && c > d)',
    'AB-99/X',
    '007',
    '2024-03-15',
    'a | b | c',
    '50 % off',
    '# no heading',
    '* star *',
    '<ok>',
    '&amp; again',
    '1. first',
    'C:\\new\\table',
    "it's",
    '“quoted”',
    'x_y_z',
    '`code`',
  ),
);
const scalar = fc.oneof(text, number);
const key = fc.constantFrom('name', 'price', 'isbn', 'note', 'title', 'author', 'nested', '价格', '__proto__', 'constructor');

/** What search can ask for: signs alone are no words. */
function hasWords(value: string): boolean {
  return tokenize(value).length > 0;
}

async function expectFound(filename: string, bytes: Uint8Array, values: readonly string[]): Promise<void> {
  if (!values.some(hasWords)) return;
  const parsed = await parseBytes(createDocumentParser({ ocr: null }), bytes, { filename });
  const texts = [...splitDocument(parsed, { tokensMax: 320 })].map((chunk) =>
    [...chunk.section, chunk.context, chunk.text].join('\n'),
  );
  const scratch = await mkdtemp(join(folder, 'staged-'));
  const docId = `d-${newId()}`;
  await index.replace(await stageDocument(scratch, { docId, version: newId(), texts }), scratch);
  for (const value of values.filter(hasWords)) {
    const { hits } = await index.search({ query: value, mode: 'keyword', topK: 50, offset: 0, filter: { docIds: [docId] } });
    const wanted = tokenize(value).map(({ term }) => term);
    const found = hits.some((hit) => {
      const terms = new Set(tokenize(hit.text).map(({ term }) => term));
      return wanted.every((term) => terms.has(term));
    });
    expect(found, `${JSON.stringify(value)} in ${JSON.stringify(parsed.markdown)}`).toBe(true);
  }
}

const runs = { numRuns: 25 };

const escapeXml = (value: string): string =>
  value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** A value as the XML file declares it, under a name that its letters give. */
const entityOf = (value: string): string => `&e${Buffer.from(value).toString('hex').slice(0, 90)};`;
const declarationOf = (value: string): string =>
  `<!ENTITY ${entityOf(value).slice(1, -1)} "${escapeXml(value).replaceAll('&', '&#38;')}">`;

describe('every value is found', () => {
  const json = fc.letrec<{ value: { text: string; leaves: string[] } }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      text.map((value) => ({ text: JSON.stringify(value), leaves: [value] })),
      number.filter((value) => !/^-?0\d/.test(value)).map((value) => ({ text: value, leaves: [value] })),
      fc.array(tie('value'), { minLength: 1, maxLength: 4 }).map((all) => ({
        text: `[${all.map((each) => each.text).join(', ')}]`,
        leaves: all.flatMap((each) => each.leaves),
      })),
      // Also keys that an object has more than once.
      fc.array(fc.tuple(key, tie('value')), { minLength: 1, maxLength: 4 }).map((all) => ({
        text: `{${all.map(([name, each]) => `${JSON.stringify(name)}: ${each.text}`).join(', ')}}`,
        leaves: all.flatMap(([, each]) => each.leaves),
      })),
    ),
  })).value;

  it('in JSON', () =>
    fc.assert(
      fc.asyncProperty(json, ({ text: body, leaves }) => expectFound('a.json', Buffer.from(body), leaves)),
      runs,
    ));

  it('in JSON Lines', () =>
    fc.assert(
      fc.asyncProperty(fc.array(json, { minLength: 2, maxLength: 5 }), (lines) =>
        expectFound(
          'a.jsonl',
          Buffer.from(lines.map((line) => line.text).join('\n')),
          lines.flatMap((line) => line.leaves),
        ),
      ),
      runs,
    ));

  const xml = fc.letrec<{ element: { text: string; leaves: string[] } }>((tie) => ({
    element: fc
      .record({
        name: fc.constantFrom('book', 'title', 'price', 'p', 'description', 'item', 'doc', 'x:code'),
        attributes: fc.uniqueArray(
          fc.tuple(fc.constantFrom('id', 'xml:id', 'isbn', 'sku', 'price', 'constructor', 'class'), scalar),
          {
            maxLength: 3,
            selector: ([name]) => name,
          },
        ),
        own: fc.option(fc.tuple(scalar, fc.boolean(), fc.boolean())),
        children: fc.oneof(
          { maxDepth: 3 },
          fc.constant<{ text: string; leaves: string[] }[]>([]),
          fc.array(tie('element'), { maxLength: 3 }),
        ),
      })
      .map(({ name, attributes, own, children }) => {
        const isCdata = own !== null && own[1];
        const isEntity = own !== null && own[2] && !isCdata;
        const shown = own === null ? '' : isCdata ? `<![CDATA[${own[0]}]]>` : isEntity ? entityOf(own[0]) : escapeXml(own[0]);
        const given = attributes.map(([attribute, value]) => ` ${attribute}="${escapeXml(value)}"`).join('');
        const leaves = [
          ...attributes.map(([, value]) => value),
          ...(own === null ? [] : [own[0]]),
          ...children.flatMap((child) => child.leaves),
        ];
        return { text: `<${name}${given}>${shown}${children.map((child) => child.text).join('')}</${name}>`, leaves };
      }),
  })).element;

  it('in XML, attributes and what the file declares as entities too', () =>
    fc.assert(
      fc.asyncProperty(fc.constantFrom('catalog', 'config', 'order'), xml, (root, { text: body, leaves }) => {
        const declared = `<!DOCTYPE ${root} [${[...new Set(leaves)].map(declarationOf).join('')}]>`;
        return expectFound(
          'a.xml',
          Buffer.from(`<?xml version="1.0"?>${declared}<${root} xmlns:x="urn:x">${body}</${root}>`),
          leaves,
        );
      }),
      runs,
    ));

  const rows = fc
    .tuple(fc.integer({ min: 2, max: 4 }), fc.integer({ min: 2, max: 5 }))
    .chain(([width, height]) =>
      fc.array(fc.array(scalar, { minLength: width, maxLength: width }), { minLength: height, maxLength: height }),
    );

  it('in CSV', () =>
    fc.assert(
      fc.asyncProperty(rows, fc.constantFrom(',', ';', '\t'), (cells, delimiter) => {
        const lines = cells.map((row) => row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(delimiter));
        return expectFound('a.csv', Buffer.from(lines.join('\r\n')), cells.flat());
      }),
      runs,
    ));

  it('in XLSX', () =>
    fc.assert(
      fc.asyncProperty(rows, (cells) =>
        expectFound('a.xlsx', makeXlsx({ sheets: [{ name: 'Sheet', rows: cells }] }), cells.flat()),
      ),
      runs,
    ));

  it('in HTML, what stands in fields and pictures too', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(12), scalar), { minLength: 1, maxLength: 12 }), (parts) => {
        const shapes = [
          (value: string) => `<p>${value}</p>`,
          (value: string) => `<ul><li>${value}</li></ul>`,
          (value: string) => `<table><tr><th>k</th><td>${value}</td></tr></table>`,
          (value: string) => `<h2>${value}</h2>`,
          (value: string) => `<pre>${value}</pre>`,
          (value: string) => `<img src="x.png" alt="${value}">`,
          (value: string) => `<label>k <input type="text" value="${value}"></label>`,
          (value: string) => `<textarea>${value}</textarea>`,
          (value: string) => `<select><option>other</option><option selected>${value}</option></select>`,
          (value: string) => `<details><summary>${value}</summary></details>`,
          (value: string) => `<object data="a.swf"><p>${value}</p></object>`,
          (value: string) => `<noscript>${value}</noscript>`,
          (value: string) => `<svg><g><text>k</text><text>${value}</text></g></svg>`,
        ];
        const body = parts.map(([shape, value]) => shapes[shape]!(escapeXml(value))).join('\n');
        return expectFound(
          'a.html',
          Buffer.from(`<!doctype html><html><head><meta charset="utf-8"></head><body>${body}</body></html>`),
          parts.map(([, value]) => value),
        );
      }),
      runs,
    ));

  it('in mail, its heads, its text and its attachments', () =>
    fc.assert(
      fc.asyncProperty(text, scalar, fc.array(scalar, { minLength: 1, maxLength: 5 }), rows, (subject, from, lines, cells) => {
        const encoded = `=?utf-8?B?${Buffer.from(subject).toString('base64')}?=`;
        const sender = `=?utf-8?B?${Buffer.from(from).toString('base64')}?=`;
        const csv = cells.map((row) => row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',')).join('\r\n');
        const mail = [
          `From: ${sender} <a@example.org>`,
          `Subject: ${encoded}`,
          'Date: Fri, 15 Mar 2024 10:00:00 +0000',
          'MIME-Version: 1.0',
          'Content-Type: multipart/mixed; boundary="b"',
          '',
          '--b',
          'Content-Type: text/plain; charset=utf-8',
          'Content-Transfer-Encoding: 8bit',
          '',
          ...lines,
          '--b',
          'Content-Type: text/csv; charset=utf-8; name="t.csv"',
          'Content-Disposition: attachment; filename="t.csv"',
          'Content-Transfer-Encoding: base64',
          '',
          Buffer.from(csv).toString('base64'),
          '--b--',
          '',
        ];
        return expectFound('a.eml', Buffer.from(mail.join('\r\n')), [subject, from, ...lines, ...cells.flat()]);
      }),
      runs,
    ));
});
