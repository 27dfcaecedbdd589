import { describe, expect, it } from 'vitest';
import { createDocumentParser } from '../../../src/parse/document-parser.ts';
import { makePdf } from '../../support/pdf-writer.ts';
import { parseBytes } from '../../support/parse.ts';
import { smallFiles } from '../../support/text-fixtures.ts';

const parser = createDocumentParser({});
const readMail = (text: string) => parseBytes(parser, Buffer.from(text), { filename: 'mail.eml' });

describe('createMailParser', () => {
  it('reads who, what about, the text, and the attachments by their own parsers', async () => {
    const parsed = await readMail(smallFiles['mail.eml']!);

    expect(parsed.markdown).toBe(
      [
        '# Travel rules',
        '- From: 李雷 (li@example.com)\n- To: Ann (ann@example.com)\n- Date: 2026-11-24T08:00:00.000Z',
        'Please read the rules.',
        '## Attachment: rates.csv',
        '| City | Limit |\n| --- | --- |\n| Paris | 120 |',
        '## Attachment: tool.exe',
      ].join('\n\n'),
    );
    expect([parsed.title, parsed.author]).toEqual(['Travel rules', '李雷 (li@example.com)']);
    expect(parsed.warnings).toEqual(['The attachment tool.exe was not read: Unsupported file format: tool.exe']);
  });

  it('reads bodies of many lines as one of few: ends of lines, dashes, base64 with padding in each line', async () => {
    const parts = [
      `Content-Type: text/plain\r\n\r\none\r\r\ntwo\r\n--\r\n-- three\r\nfo\rur\r\n--bb\r\n${'five '.repeat(20_000)}\r\nsix`,
      'Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nc2V2\r\nZQ==\r\nbiB1bml0cw==\r\n',
      'Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\neig=\r\nht=20n=69ne ten=\r\n=3D=3d =4 =XY caf=C3=A9=',
    ];
    const mail = `From: a@b.c\r\nTo: d@e.f\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n${parts.join('\r\n--b\r\n')}\r\n--b--\r\nepilogue`;
    const { markdown } = await readMail(mail);

    expect(markdown.replace(/(?:five ){20000}/, 'five×20000')).toBe(
      '- From: a@b.c\n- To: d@e.f\n\none\ntwo\n\\--\n-- three\nfo\nur\n--bb\nfive×20000\nsix\n\nseven units\neight nine ten== =4 =XY café',
    );
  });

  it('leaves out what no honest mail has, and says so', async () => {
    const parts = 'Content-Type: text/plain\r\n\r\ntext\r\n--b\r\n'.repeat(6000);
    const mail = `Subject: S\r\n${'X-Filler: x\r\n'.repeat(6000)}From: late@b.c\r\nTo: d@e.f\r\nDate: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n${parts}`;
    const { warnings, title } = await readMail(
      mail.replace('Subject: S', 'Content-Type: multipart/mixed; boundary=b\r\nSubject: S\r\nFrom: a@b.c\r\nTo: d@e.f'),
    );

    expect([title, warnings]).toEqual(['S', ['The mail has thousands of parts; only the first ones were read']]);
  });

  it('takes the plain text where the HTML says nothing', async () => {
    const parsed = await readMail(
      'From: a@b.c\r\nTo: d@e.f\r\nSubject: S\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n' +
        '--b\r\nContent-Type: text/plain\r\n\r\nplain words\r\n--b\r\nContent-Type: text/html\r\n\r\n<style>p{}</style>\r\n--b--\r\n',
    );

    expect(parsed.markdown).toContain('plain words');
  });

  it('reads mails inside mails, down to a bound', async () => {
    const head = 'From: a@b.c\r\nTo: d@e.f\r\nMIME-Version: 1.0\r\n';
    let mail = `${head}Subject: level 0\r\nContent-Type: text/plain\r\n\r\ninnermost\r\n`;
    for (let level = 1; level <= 3; level++) mail = `${head}Subject: level ${level}\r\nContent-Type: message/rfc822\r\n\r\n${mail}`;
    expect((await readMail(mail)).markdown).toContain('innermost');

    for (let level = 4; level <= 9; level++) mail = `${head}Subject: level ${level}\r\nContent-Type: message/rfc822\r\n\r\n${mail}`;
    const parsed = await readMail(mail);
    expect(parsed.markdown).not.toContain('innermost');
    expect(parsed.warnings.some((warning) => warning.endsWith('it is inside more than 5 mails'))).toBe(true);
  });

  it('tells of the pages of what is attached, each with its own time, as when that comes by itself', async () => {
    const told: string[] = [];
    const pdf = makePdf({ pages: Array.from({ length: 30 }, (_, page) => [`The page ${page}`]) });
    const part = (headers: string, body: string): string => `--b\r\n${headers}\r\n\r\n${body}\r\n`;
    const mail =
      'From: a@b.c\r\nTo: d@e.f\r\nSubject: S\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n' +
      part('Content-Type: text/plain', 'hello') +
      part('Content-Type: application/pdf; name=r.pdf\r\nContent-Transfer-Encoding: base64', pdf.toString('base64')) +
      part('Content-Type: text/csv; name=r.csv', 'City,Limit\r\nParis,120') +
      '--b--\r\n';

    await parseBytes(parser, Buffer.from(mail), {
      filename: 'mail.eml',
      onProgress: (done, total) => told.push(`${done} of ${total}`),
      onPages: (begins) => told.push(begins ? 'pages' : 'no pages'),
    });

    expect(told).toEqual(['pages', ...Array.from({ length: 30 }, () => '0 of null'), 'no pages']);
  });
});
