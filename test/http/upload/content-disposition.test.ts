import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attachment, cleanFilename, parseDisposition } from '../../../src/http/upload/content-disposition.ts';

/** As the parser delivers a header: one character a byte. */
const bytes = (text: string): string => Buffer.from(text).toString('latin1');

describe('a file name in a header', () => {
  it.each([
    ['plain', 'form-data; name="file"; filename="a.pdf"', 'a.pdf'],
    ['raw UTF-8', bytes('form-data; name="file"; filename="报告 2026.pdf"'), '报告 2026.pdf'],
    ['RFC 5987 alone', 'form-data; name="file"; filename*=UTF-8\'\'%E6%8A%A5%E5%91%8A.pdf', '报告.pdf'],
    ['RFC 5987 beside a plain one', 'form-data; filename="x.pdf"; filename*=utf-8\'en\'%e2%82%ac.pdf', '€.pdf'],
    ['RFC 5987 in latin1', "form-data; filename*=iso-8859-1''r%E9sum%E9.pdf", 'résumé.pdf'],
    ['a broken RFC 5987 name, so the plain one counts', 'form-data; filename="x.pdf"; filename*=UTF-8\'\'%E6%8', 'x.pdf'],
    ['an escaped quote', 'form-data; filename="a\\"b.pdf"', 'a"b.pdf'],
    ['a quote as browsers send it', 'form-data; filename="a%22b.pdf"', 'a"b.pdf'],
    ['a token with blanks', bytes('form-data; filename=报告 2026.pdf'), '报告 2026.pdf'],
    ['a quote that is never closed', 'form-data; filename="a.pdf', 'a.pdf'],
    ['a semicolon in quotes', 'form-data; filename="a;b.pdf"; name="file"', 'a;b.pdf'],
    ['GBK of an old system', `form-data; filename="${Buffer.from('b1a8b8e6', 'hex').toString('latin1')}.pdf"`, '报告.pdf'],
    ['latin1 of an old system', 'form-data; filename="r\u00e9sum\u00e9.pdf"', 'résumé.pdf'],
    ['an emoji', bytes('form-data; filename="📄.pdf"'), '📄.pdf'],
    ['decomposed letters, left as they are', bytes('form-data; filename="e\u0301.pdf"'), 'e\u0301.pdf'],
    ['a reserved device name', 'form-data; filename="CON"', 'CON'],
  ])('is read: %s', (_name, header, filename) => {
    expect(parseDisposition(header).filename).toBe(filename);
  });

  it.each([
    ['../../etc/passwd', 'passwd'],
    ['..\\..\\windows\\system32\\x.dll', 'x.dll'],
    ['C:\\Users\\me\\report.pdf', 'report.pdf'],
    ['%2e%2e%2fx.pdf', '%2e%2e%2fx.pdf'],
    ['a\u0000b\r\nc\u007fd.pdf', 'abcd.pdf'],
    ['report\u202efdp.exe', 'reportfdp.exe'],
    ['\u001b[31mred.pdf', '[31mred.pdf'],
    ['x'.repeat(300), 'x'.repeat(255)],
    ['\ud800.pdf', '\ufffd.pdf'],
  ])('%j is cleaned to %j [S1]', (given, clean) => {
    expect(cleanFilename(given)).toBe(clean);
  });

  it('is null where there is none, and empty where it is empty', () => {
    expect(parseDisposition('form-data; name="a"')).toEqual({ name: 'a', filename: null });
    expect(parseDisposition('form-data; name="a"; filename=""')).toEqual({ name: 'a', filename: '' });
    expect(parseDisposition('')).toEqual({ name: null, filename: null });
  });

  it('is not what another parameter says', () => {
    expect(parseDisposition('form-data; xfilename="a"; name="filename=b"').filename).toBeNull();
  });

  it('is read in linear time, however hostile the header (64 KB in milliseconds)', () => {
    const before = process.cpuUsage();

    for (const piece of ['\\', ';a="', '"', '; filename=', 'a=b;', '\\"'])
      parseDisposition(`form-data; filename="${piece.repeat(Math.floor(65_000 / piece.length))}`);

    expect(process.cpuUsage(before).user / 1e6).toBeLessThan(1);
  });
});

describe('the header of a download', () => {
  it('comes back as it went in, whatever the name [S30]', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (name) => {
        const header = attachment(name);

        expect(header).toMatch(/^attachment; [\x20-\x7e]*$/);
        expect(parseDisposition(header).filename).toBe(cleanFilename(name) || 'file');
      }),
      { numRuns: 500 },
    );
  });

  it('has a plain name for old clients beside the real one', () => {
    expect(attachment('报告.pdf')).toBe(`attachment; filename="__.pdf"; filename*=UTF-8''%E6%8A%A5%E5%91%8A.pdf`);
    expect(attachment('a.pdf')).toBe('attachment; filename="a.pdf"');
  });
});
