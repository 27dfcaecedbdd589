/** Documents that point outside themselves: at an address that hears when it is asked, and at a file with a secret in it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DocumentError } from '../../src/errors.ts';
import { createDocumentParser } from '../../src/parse/document-parser.ts';
import { makeDocx } from '../support/office-writer.ts';
import { parseBytes } from '../support/parse.ts';
import { makePdf } from '../support/pdf-writer.ts';
import { makeZip } from '../support/zip-writer.ts';

const secret = 'kingfisher';
const folder = mkdtempSync(join(tmpdir(), 'outside-'));
const file = join(folder, 'secret.txt');
const asked: string[] = [];
const canary = createServer((request, response) => {
  asked.push(request.url ?? '');
  response.end(secret);
});
let web = '';
const parser = createDocumentParser({});

beforeAll(async () => {
  writeFileSync(file, secret);
  await new Promise<void>((resolve) => {
    canary.listen(0, '127.0.0.1', resolve);
  });
  web = `http://127.0.0.1:${(canary.address() as AddressInfo).port}`;
});
afterAll(() => {
  canary.close();
  rmSync(folder, { recursive: true });
});

/** Parses it, and says what it gave; nobody may have been asked. */
async function textOf(filename: string, content: Buffer | string): Promise<string> {
  const text = await parseBytes(parser, Buffer.from(content as string), { filename }).then(
    ({ markdown }) => markdown,
    (error: unknown) => {
      if (error instanceof DocumentError) return error.message;
      throw error;
    },
  );
  expect(asked).toEqual([]);
  expect(text).not.toContain(secret);
  return text;
}

const targets = (): string[] => [`${web}/x`, `file://${file}`, file, '/dev/zero', '\\\\127.0.0.1\\share\\x'];

describe('a document that points outside itself is read without a look there:', () => {
  it('HTML, SVG, Markdown and mail [S15]', async () => {
    for (const target of targets()) {
      const tags =
        `<base href="${web}"><link rel="stylesheet" href="${target}"><style>@import url(${target});</style>` +
        `<script src="${target}"></script><img src="${target}" srcset="${target} 2x"><iframe src="${target}"></iframe>` +
        `<object data="${target}"></object><video poster="${target}"></video><meta http-equiv="refresh" content="0;url=${target}">`;
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"><text>seen</text><image xlink:href="${target}"/><use href="${target}#a"/></svg>`;
      const mail = `From: a@example.com\r\nSubject: seen\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n${tags}<p>seen</p>`;
      const outside = 'message/external-body; access-type=local-file; name="secret.txt"';

      expect(await textOf('a.html', `<html><head>${tags}</head><body>${tags}<p>seen</p></body></html>`)).toContain('seen');
      expect(await textOf('a.svg', `<?xml version="1.0"?>${svg}`)).toContain('seen');
      expect(await textOf('a.md', `seen ![x](${target}) [y](${target})\n\n${tags}\n`)).toContain('seen');
      expect(await textOf('a.eml', mail)).toContain('seen');
      await textOf('b.eml', mail.replace('text/html', outside));
    }
  });

  it('XML with entities and stylesheets from elsewhere [S13]', async () => {
    for (const target of targets()) {
      const entity = `<!DOCTYPE a [<!ENTITY x SYSTEM "${target}"><!ENTITY % p SYSTEM "${target}">%p;]>`;
      await textOf('a.xml', `<?xml version="1.0"?><?xml-stylesheet href="${target}"?>${entity}<a><b>seen &x;</b></a>`);
      await textOf('a.svg', `<?xml version="1.0"?>${entity}<svg xmlns="http://www.w3.org/2000/svg"><text>&x;</text></svg>`);
      await textOf(
        'a.xml',
        `<?xml version="1.0"?><a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="${target}" parse="text"/>seen</a>`,
      );
    }
  });

  it('a Word document whose pictures and parts lie elsewhere [S14]', async () => {
    for (const target of targets()) {
      const relationships = ['image', 'aFChunk', 'footnotes', 'chart'].map((type, at) => ({
        id: `r${at}`,
        type,
        target,
        external: true,
      }));
      const body =
        '<w:p><w:r><w:t>seen</w:t><w:drawing><a:blip r:link="r0" r:embed="r0"/><c:chart r:id="r3"/></w:drawing></w:r></w:p><w:altChunk r:id="r1"/>';

      expect(await textOf('a.docx', makeDocx({ body, relationships }))).toContain('seen');
    }
  });

  it('an archive with a symbolic link and an archive in it [S12]', async () => {
    const link = { name: 'word/media/link', data: file, stored: true };
    const inner = makeZip([{ name: 'word/document.xml', data: secret }]);
    const docx = makeDocx({ paragraphs: ['seen'], members: [link, { name: 'word/inner.docx', data: inner }] });
    // Unix, a symbolic link: in the high half of the external attributes.
    const entry = docx.lastIndexOf('word/media/link') - 46;
    docx.writeUInt16LE(0x031e, entry + 4);
    docx.writeUInt32LE(0xa1ff0000, entry + 38);

    expect(await textOf('a.docx', docx)).toContain('seen');
  });

  it('a PDF with scripts, actions and files in it: nothing runs, nothing is opened [S16]', async () => {
    const plain = makePdf({ pages: [['seen']] }).toString('latin1');
    const actions = (): string[] => [
      `/S /JavaScript /JS (app.launchURL\\("${web}"\\); this.submitForm\\("${web}"\\);)`,
      `/S /URI /URI (${web})`,
      `/S /Launch /F (${file})`,
      `/S /GoToR /F (${file}) /D [0 /Fit]`,
      `/S /SubmitForm /F << /FS /URL /F (${web}) >>`,
      `/S /ImportData /F (${file})`,
    ];
    for (const action of actions()) {
      const names = `/Names << /JavaScript << /Names [(a) << ${action} >>] >> /EmbeddedFiles << /Names [(f) << /Type /Filespec /F (${file}) >>] >> >>`;
      const armed = plain
        .replace('/Type /Catalog', `/Type /Catalog /OpenAction << ${action} >> ${names}`)
        .replace('/Type /Page ', `/Type /Page /AA << /O << ${action} >> >> `);

      expect(armed).not.toBe(plain);
      expect(await textOf('a.pdf', Buffer.from(armed, 'latin1'))).toContain('seen');
    }
  });
});

describe('a file that is two things at once is read as one of them, by its content [S3]', () => {
  const html = '<html><body><p>seen</p></body></html>';
  const pdf = makePdf({ pages: [['paper']] });

  it.each([
    ['a PDF called .docx', 'a.docx', pdf, 'paper'],
    ['a PDF with something before it', 'a.pdf', Buffer.concat([Buffer.from('junk\n'.repeat(20)), pdf]), 'paper'],
    ['a PDF with a page behind it', 'a.html', Buffer.concat([pdf, Buffer.from(html)]), 'paper'],
    [
      'a sound that is a page too',
      'a.wav',
      Buffer.concat([Buffer.from('RIFF\x24\0\0\0WAVEfmt ', 'latin1'), Buffer.from(html)]),
      'Unsupported file format: a.wav',
    ],
    ['a picture that is a page too', 'a.html', Buffer.concat([Buffer.from('GIF89a', 'latin1'), Buffer.from(html)]), ''],
    [
      'a program called .txt',
      'a.txt',
      Buffer.concat([Buffer.from('\x7fELF\x02\x01\x01', 'latin1'), Buffer.alloc(64)]),
      'Unsupported file format: a.txt',
    ],
  ])('%s', async (_name, filename, bytes, text) => {
    const read = await textOf(filename, bytes);
    if (text === '') expect(read).not.toContain('seen');
    else expect(read).toContain(text);
  });
});
