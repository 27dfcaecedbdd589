import { describe, expect, it } from 'vitest';
import { createDocumentParser } from '../../../src/parse/document-parser.ts';
import { unpackRtf } from '../../../src/parse/mail/compressed-rtf.ts';
import { makeMsg, msgContent, packRtf, type MsgParts } from '../../support/msg-writer.ts';
import { parseBytes } from '../../support/parse.ts';
import { docStreams, para } from '../../support/doc-writer.ts';
import { u32 } from '../../support/xls-writer.ts';

const parser = createDocumentParser({});
const date = new Date('2024-05-06T07:08:09.000Z');

async function markdownOf(parts: MsgParts): Promise<string> {
  return (await parseBytes(parser, makeMsg(parts))).markdown;
}

describe('an Outlook message', () => {
  it('says who wrote to whom, when, and what', async () => {
    const document = await parseBytes(
      parser,
      makeMsg({
        properties: {
          0x37: '关于 budget',
          0xc1a: 'Ann',
          0x5d01: 'ann@a.example',
          0x39: date,
          0x1000: 'Hello,\r\n\r\nas agreed.\r\n',
        },
        recipients: [
          { 0x3001: "'Bob'", 0x39fe: 'bob@b.example', 0xc15: 1 },
          { 0x3001: 'carl@c.example', 0x3003: 'carl@c.example', 0xc15: 2 },
          { 0x3001: 'Hidden', 0xc15: 3 },
        ],
      }),
      { filename: 'a.msg' },
    );

    expect(document.markdown).toBe(
      '# 关于 budget\n\n- From: Ann (ann@a.example)\n- To: Bob (bob@b.example)\n- Cc: carl@c.example\n- Date: 2024-05-06T07:08:09.000Z\n\nHello,\n\nas agreed.',
    );
    expect(document).toMatchObject({ format: 'msg', mediaType: 'application/vnd.ms-outlook', title: '关于 budget' });
  });

  it('is read from texts of bytes in the code page that it names, or that its language has', async () => {
    const cyrillic = { text8: Buffer.from([0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2]) };
    const western = { text8: Buffer.from('öäü', 'latin1') };

    expect(await markdownOf({ properties: { 0x37: cyrillic, 0x3ffd: 1251, 0x1000: 'x' } })).toContain('# Привет');
    expect(await markdownOf({ properties: { 0x37: western, 0x3fde: 65_001, 0x3ff1: 1031, 0x1000: 'x' } })).toContain('# öäü');
  });

  it('is read from HTML that is kept as a text of bytes in the encoding of the HTML, not of the message', async () => {
    const html = { text8: Buffer.from('<html><body>中 ö</body></html>') };

    expect(await markdownOf({ properties: { 0x1013: html, 0x3ffd: 1252, 0x3fde: 65_001 } })).toBe('中 ö');
    expect(await markdownOf({ properties: { 0x1013: html, 0x3ffd: 1252 } })).toBe('中 ö');
  });

  it('gives nobody an address that is a path of a directory', async () => {
    const path = '/O=A/OU=B/CN=RECIPIENTS/CN=ANN@EXAMPLE';

    expect(
      await markdownOf({
        properties: { 0x37: 'S', 0xc1a: 'Ann', 0xc1f: path, 0x65: 'ann@a.example', 0x1000: 'x' },
        recipients: [{ 0x3001: 'Bob', 0x39fe: path, 0xc15: 1 }],
      }),
    ).toBe('# S\n\n- From: Ann (ann@a.example)\n- To: Bob\n\nx');
  });

  it('prefers HTML for its structure, then the text, then packed RTF', async () => {
    const html = Buffer.from('<html><body><h1>H</h1><ul><li>eins ü</ul></body></html>');
    const rtf = packRtf(['{\\rtf1 Packed ', 'text', ', \\b ', [0, 6], ' end\\par}']);

    expect(await markdownOf({ properties: { 0x1013: html, 0x3fde: 65_001, 0x1000: 'plain' } })).toBe('## H\n\n- eins ü');
    expect(await markdownOf({ properties: { 0x1013: Buffer.from(' '), 0x1000: 'plain', 0x1009: rtf } })).toBe('plain');
    expect(await markdownOf({ properties: { 0x37: 'S', 0x1009: rtf } })).toMatch(/^# S\n\nPacked text, /);
  });

  it('is read with what is attached: files, messages in messages, documents that are storages; not with pictures of its body', async () => {
    const inner = msgContent({ properties: { 0x37: 'Inner', 0x1000: 'deep text' } }, 24);
    const old = { streams: docStreams({ body: [para('Old text')] }) };

    expect(
      await markdownOf({
        properties: { 0x37: 'Outer', 0x1013: Buffer.from('<p>see <img src="cid:p1">') },
        attachments: [
          { 0x3707: 'list.csv', 0x370e: 'text/csv', 0x3701: Buffer.from('a,b\n1,2\n') },
          { properties: { 0x3001: 'Inner' }, inside: inner },
          { properties: { 0x3001: 'Object' }, inside: old },
          { 0x3707: 'p.png', 0x370e: 'image/png', 0x3712: 'p1', 0x3701: Buffer.from('no picture') },
        ],
      }),
    ).toBe(
      '# Outer\n\nsee\n\n## Attachment: list.csv\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\n## Attachment: Inner\n\n### Inner\n\ndeep text\n\n## Attachment: Object\n\nOld text',
    );
  });

  it('says where and when an appointment is, and who a person is', async () => {
    expect(
      await markdownOf({
        properties: { 0x1a: 'IPM.Appointment', 0x37: 'Meeting', 0x8000: 'Room 7', 0x8001: date },
        named: [0x8208, 0x820d],
      }),
    ).toBe('# Meeting\n\n- Location: Room 7\n- Start: 2024-05-06T07:08:09.000Z');
    expect(await markdownOf({ properties: { 0x1a: 'IPM.Contact', 0x3001: 'Ann', 0x3a16: 'ACME', 0x3a08: '123' } })).toBe(
      '- Name: Ann\n- Company: ACME\n- Business phone: 123',
    );
  });
});

describe('packed RTF', () => {
  it('is unpacked with references to what stands before, up to its end', () => {
    expect(unpackRtf(packRtf(['abc', [207, 8], 'd', [219, 2], 'not this']), 1000)?.toString()).toBe('abcabcabcabd');
    expect(unpackRtf(Buffer.concat([u32(20, 5, 0x414c454d, 0), Buffer.from('plain')]), 1000)?.toString()).toBe('plain');
    expect(unpackRtf(Buffer.from('no such thing at all'), 1000)).toBeNull();
  });

  it('gives no more than is allowed, nor than it can hold', () => {
    const packed = packRtf(['a', ...Array.from({ length: 500 }, (): [number, number] => [207, 17])]);

    expect(unpackRtf(packed, 100)).toHaveLength(100);
    expect(unpackRtf(packed, 1e9)!.length).toBeLessThan(9 * packed.length);
  });
});
