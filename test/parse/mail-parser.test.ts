import { describe, expect, it } from 'vitest';
import { createDocumentParser } from '../../src/parse/document-parser.ts';
import { parseBytes } from '../support/parse.ts';
import { smallFiles } from '../support/text-fixtures.ts';

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
    expect(parsed.warnings.some((warning) => warning.endsWith('it is inside of more than 5 mails'))).toBe(true);
  });
});
