import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDocumentParser } from '../../../src/parse/document-parser.ts';
import { makeEnveloped, makeMbox, makeSigned, makeTnef } from '../../support/archive-writer.ts';
import { parseBytes, refusalOf } from '../../support/parse.ts';

const parser = createDocumentParser({});
const mail = (subject: string, body: string): string =>
  `From: a@example.com\nTo: b@example.com\nSubject: ${subject}\nContent-Type: text/plain; charset=utf-8\n\n${body}\n`;

describe('a mailbox', () => {
  it('is one document of its mails, decoded, each under its subject', async () => {
    const box = makeMbox([
      mail('First', 'One body.'),
      'From: c@example.com\nTo: b@example.com\nSubject: =?utf-8?B?5L+d5L+u?=\nContent-Transfer-Encoding: base64\nContent-Type: text/plain; charset=utf-8\n\n5L+d5L+u5pyf\n',
    ]);
    const parsed = await parseBytes(parser, Buffer.from(box), { filename: 'a.mbox' });

    expect(parsed.markdown).toBe(
      '# First\n\n- From: a@example.com\n- To: b@example.com\n\nOne body.\n\n# 保修\n\n- From: c@example.com\n- To: b@example.com\n\n保修期',
    );
    expect(parsed.mediaType).toBe('application/mbox');
  });

  it('is read in UTF-16 as in UTF-8', async () => {
    const mail = (subject: string, text: string): string =>
      `From a@b.c Mon Jan  1 00:00:00 2024\nFrom: a@b.c\nTo: x@y.z\nDate: Mon, 1 Jan 2024 00:00:00 +0000\nSubject: ${subject}\n\n${text}\n\n`;
    const box = mail('First', 'one') + mail('第二', '正文');
    const wide = Buffer.from(`\ufeff${box}`, 'utf16le');
    const markdownOf = async (bytes: Buffer): Promise<string> => (await parseBytes(parser, bytes, { filename: 'a.mbox' })).markdown;
    const narrow = await markdownOf(Buffer.from(box));

    expect(narrow).toContain('# 第二');
    expect(await markdownOf(wide)).toBe(narrow);
    expect(await markdownOf(Buffer.from(wide).swap16())).toBe(narrow);
  });

  it('of one mail is that mail', async () => {
    const parsed = await parseBytes(parser, Buffer.from(makeMbox([mail('Only', 'text')])), { filename: 'a' });

    expect([parsed.mediaType, parsed.title]).toEqual(['message/rfc822', 'Only']);
  });

  it('gives every mail once, whatever their texts are', async () => {
    const line = fc.oneof(
      fc.constant('From here on it goes'),
      fc.constant('>From quoted'),
      fc.constant(''),
      fc.stringMatching(/^[a-z]{1,10}$/),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(line, { maxLength: 5 }), { minLength: 2, maxLength: 5 }), async (texts) => {
        const box = makeMbox(texts.map((lines, at) => mail(`mail ${at}`, [...lines, `end${at}`].join('\n'))));
        const { markdown } = await parseBytes(parser, Buffer.from(box), { filename: 'a.mbox' });

        expect(markdown.match(/^# mail \d+$/gm)).toEqual(texts.map((_, at) => `# mail ${at}`));
        for (const at of texts.keys()) expect(markdown).toContain(`end${at}`);
      }),
      { numRuns: 30 },
    );
  });
});

describe('a signed file', () => {
  it.each([true, false])('is read as what was signed, with lengths or without: %s', async (isOpen) => {
    const signed = makeSigned(Buffer.from(mail('Signed', 'the readable part')), isOpen);

    expect((await parseBytes(parser, signed, { filename: 'smime.p7m' })).markdown).toContain('the readable part');
    const text = `-----BEGIN PKCS7-----\n${signed.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END PKCS7-----\n`;
    expect((await parseBytes(parser, Buffer.from(text), { filename: 'smime.p7m' })).markdown).toContain('the readable part');
    expect(
      (await parseBytes(parser, makeSigned(Buffer.from('<a><b>value</b></a>'), isOpen), { filename: 'a.xml.p7m' })).mediaType,
    ).toBe('application/xml');
  });

  it('says what to do where there is nothing to read', async () => {
    expect(await refusalOf(parser, makeEnveloped(), { filename: 'a.p7m' })).toMatch(/^encrypted: .*save it decrypted/);
    const pgp = '-----BEGIN PGP MESSAGE-----\nVersion: 2.6.2\n\nhIwDY32hYGCE8MkBA\n-----END PGP MESSAGE-----\n';
    expect(await refusalOf(parser, Buffer.from(pgp), { filename: 'a.asc' })).toMatch(/^encrypted: .*PGP.*save it decrypted/);
    const mailed = await parseBytes(
      parser,
      Buffer.from(
        `From: a@example.com\nTo: b@example.com\nSubject: S\nContent-Type: multipart/encrypted; boundary=b\n\n--b\nContent-Type: application/octet-stream; name=a.asc\n\n${pgp}\n--b--\n`,
      ),
      { filename: 'a.eml' },
    );
    expect(mailed.warnings.join('\n')).toMatch(/a\.asc was not read: The file is encrypted for its recipients \(PGP\)/);
    expect(mailed.markdown).not.toContain('hIwDY32');
    expect(await refusalOf(parser, makeSigned(null), { filename: 'a.p7s' })).toMatch(/^no_text: .*only a signature/);
  });
});

describe('winmail.dat', () => {
  it('is the mail that it was, with its attachments', async () => {
    const bytes = makeTnef('Rates', 'See the rates.', [{ name: '价格.csv', data: Buffer.from('City,Limit\nParis,120\n') }]);
    const parsed = await parseBytes(parser, bytes, { filename: 'winmail.dat' });

    expect(parsed.markdown).toBe(
      '# Rates\n\nSee the rates.\n\n## Attachment: 价格.csv\n\n| City | Limit |\n| --- | --- |\n| Paris | 120 |',
    );
  });

  it('ends on anything that begins as one', async () => {
    const whole = makeTnef('S', 'text', [{ name: 'a.txt', data: Buffer.from('attached') }]);
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length), fc.uint8Array({ maxLength: 40 }), async (at, noise) => {
        const bytes = Buffer.concat([whole.subarray(0, Math.max(6, at)), Buffer.from(noise), whole.subarray(at + noise.length)]);
        await parseBytes(parser, bytes, { filename: 'winmail.dat' }).catch((error: unknown) =>
          expect(String(error)).toMatch(/DocumentError|AppError/),
        );
      }),
      { numRuns: 60 },
    );
  });
});
