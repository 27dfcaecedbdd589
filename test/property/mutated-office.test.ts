/**
 * Mutated office files end in a documented way: they are read, or refused with a code of the list; never a bug, never without end.
 * `MUTATIONS=500 npx vitest run test/property/mutated-office.test.ts` is the long form; `SEED` repeats a run.
 */
import { inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { DocumentError, type DocumentErrorCode } from '../../src/errors.ts';
import { createDocumentParser } from '../../src/parse/document-parser.ts';
import { makeDocx, makeEpub, makeOdf, makePptx, makeXlsx } from '../support/office-writer.ts';
import { parseBytes } from '../support/parse.ts';
import { makeZip } from '../support/zip-writer.ts';

const mutations = Number(process.env['MUTATIONS'] ?? '25');
const seed = Number(process.env['SEED'] ?? '1');
/** What a parser may say of a broken file; `internal` and `worker_crashed` are bugs. */
const documented: readonly DocumentErrorCode[] = ['unsupported_format', 'encrypted', 'corrupt', 'no_text', 'limit_exceeded'];

const samples: Readonly<Record<string, () => Buffer>> = {
  docx: () =>
    makeDocx({
      title: 'T',
      paragraphs: [{ text: 'Head', style: 'Heading1' }, '中文 paragraph', '☒ box'],
      body: '<w:tbl><w:tr><w:tc><w:tcPr><w:gridSpan w:val="2"/></w:tcPr><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc><w:tc><w:p/></w:tc></w:tr></w:tbl><w:p><m:oMath><m:f><m:num><m:r><m:t>1</m:t></m:r></m:num><m:den/></m:f></m:oMath></w:p><w:p><w:pPr><w:numPr><w:ilvl w:val="1"/><w:numId w:val="1"/></w:numPr></w:pPr><w:r><w:t>item</w:t></w:r></w:p>',
      numbering:
        '<w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="1"><w:start w:val="3"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1.%2"/></w:lvl></w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>',
    }),
  pptx: () =>
    makePptx({
      slides: [
        { title: 'One', lines: ['a', 'b'], notes: 'note' },
        {
          title: 'Two',
          shapes:
            '<p:grpSp><p:graphicFrame><a:graphic><a:graphicData><a:tbl><a:tr><a:tc gridSpan="2"/></a:tr></a:tbl></a:graphicData></a:graphic></p:graphicFrame></p:grpSp>',
        },
      ],
    }),
  xlsx: () =>
    makeXlsx({
      sheets: [
        {
          name: 'S',
          rows: [
            ['a', 1, true],
            ['中', 45_000.5, { xml: '<f>A1</f><v>x</v>', attributes: 't="str" s="1"' }],
          ],
          merged: ['A1:B2'],
        },
        { name: 'T', rows: [[1]], state: 'hidden' },
      ],
      styles:
        '<numFmts><numFmt numFmtId="170" formatCode="[Red]#,##0.00;-0&quot;x&quot;"/></numFmts><cellXfs><xf numFmtId="14"/><xf numFmtId="170"/></cellXfs>',
    }),
  ods: () =>
    makeOdf({
      kind: 'spreadsheet',
      body: '<table:table table:name="S"><table:table-row table:number-rows-repeated="2"><table:table-cell table:number-columns-spanned="2"><text:p>a</text:p></table:table-cell><table:covered-table-cell/></table:table-row></table:table>',
    }),
  odt: () =>
    makeOdf({
      kind: 'text',
      body: '<text:h text:outline-level="1">H</text:h><text:list><text:list-item><text:p>a<text:s text:c="3"/>b</text:p></text:list-item></text:list><table:table><table:table-row><table:table-cell><text:p>c</text:p></table:table-cell></table:table-row></table:table>',
    }),
  epub: () =>
    makeEpub({
      title: 'B',
      chapters: [{ body: '<h1>一</h1><p>text</p>' }, { body: '<ul><li>x</li></ul>' }],
      nav: [{ chapter: 1, label: 'L' }],
    }),
};

describe('mutated office files', () => {
  const parser = createDocumentParser({});

  it.each(Object.keys(samples))('of format %s are read or refused with a documented code', async (format) => {
    const whole = samples[format]!();
    const random = createRandom(seed);

    for (let round = 0; round < mutations; round++) {
      const bytes = round % 2 === 0 ? mutateBytes(whole, random) : mutateMarkup(whole, random);
      const end = await parseBytes(parser, bytes, { filename: `file.${format}` }).then(
        () => 'read',
        (error: unknown) => {
          if (error instanceof DocumentError) return error.code;
          throw new Error(`seed ${seed}, round ${round}: ${String(error)}`, { cause: error });
        },
      );

      expect(['read', ...documented]).toContain(end);
    }
  });
});

/** Flips, cuts, repeats and overwrites bytes of the archive. */
function mutateBytes(whole: Buffer, random: (below: number) => number): Buffer {
  const bytes = Buffer.from(whole);
  for (let count = 1 + random(8); count > 0; count--) bytes[random(bytes.length)] = random(256);
  const at = random(bytes.length);
  const kind = random(4);
  if (kind === 0) return bytes.subarray(0, at);
  if (kind === 1) return Buffer.concat([bytes.subarray(0, at), bytes.subarray(random(bytes.length))]);
  return bytes;
}

/** Changes the XML inside and packs it again, so that the change gets past the checksums. */
function mutateMarkup(whole: Buffer, random: (below: number) => number): Buffer {
  const members = storedMembers(whole);
  const changed = random(members.length);
  return makeZip(
    members.map((member, at) => {
      if (at !== changed) return member;
      let text = member.data;
      for (let count = 1 + random(5); count > 0; count--) text = mutateText(text, random);
      return { ...member, data: text };
    }),
  );
}

function mutateText(text: string, random: (below: number) => number): string {
  const at = random(text.length + 1);
  const end = Math.min(text.length, at + random(40));
  const piece = text.slice(at, end);
  const values = [
    '-1',
    '2147483648',
    '99999999999999999999',
    'NaN',
    '',
    '&amp;',
    '<',
    '>',
    '"',
    '<w:p>',
    '</w:p>',
    '\u0000',
    '𠮷',
    ']]>',
  ];
  switch (random(5)) {
    case 0:
      return text.slice(0, at) + text.slice(end);
    case 1:
      return text.slice(0, at) + piece.repeat(1 + random(50)) + text.slice(end);
    case 2:
      return text.slice(0, at) + values[random(values.length)]! + text.slice(end);
    case 3: {
      const numbers = [...text.matchAll(/"\d+"/g)];
      const number = numbers[random(Math.max(1, numbers.length))];
      if (number === undefined) return text;
      return `${text.slice(0, number.index)}"${values[random(4)]!}"${text.slice(number.index + number[0].length)}`;
    }
    default:
      return text.slice(0, at);
  }
}

/** The members of an archive that this project's own writer made. */
function storedMembers(whole: Buffer): { name: string; data: string; stored: boolean }[] {
  const members: { name: string; data: string; stored: boolean }[] = [];
  for (let at = 0; whole.readUInt32LE(at) === 0x04034b50;) {
    const nameBytes = whole.readUInt16LE(at + 26);
    const start = at + 30 + nameBytes;
    const packed = whole.subarray(start, start + whole.readUInt32LE(at + 18));
    const isStored = whole.readUInt16LE(at + 8) === 0;
    members.push({
      name: whole.toString('utf8', at + 30, start),
      data: (isStored ? packed : inflateRawSync(packed)).toString('utf8'),
      stored: isStored,
    });
    at = start + packed.length;
  }
  return members;
}

/** A small generator with a seed (mulberry32), so that a failure can be repeated. */
function createRandom(from: number): (below: number) => number {
  let state = from;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
