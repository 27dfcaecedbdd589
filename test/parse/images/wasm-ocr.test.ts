import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { openOcr } from '../../../src/parse/images/open-ocr.ts';
import { createWasmOcr } from '../../../src/parse/images/wasm-ocr.ts';
import { bmpOfText } from '../../support/image-writer.ts';

const options = { languages: '', timeoutMs: 120_000 };
/** A picture of text as a page of a scan comes: grey, without a palette. */
const page = (text: string): Uint8Array => {
  const bmp = Buffer.from(bmpOfText(text, 8));
  const [width, height] = [bmp.readInt32LE(18), bmp.readInt32LE(22)];
  const rowBytes = Math.ceil((width * 3) / 4) * 4;
  const grey = Buffer.alloc(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) grey[y * width + x] = bmp[54 + (height - 1 - y) * rowBytes + x * 3]!;
  return Buffer.concat([Buffer.from(`P5\n${width} ${height}\n255\n`), grey]);
};

describe('OCR without an installation', () => {
  it('knows English and Chinese, and reads pictures one after the other', async () => {
    const ocr = createWasmOcr(options)!;

    expect(ocr.languages).toEqual(['eng', 'chi_sim', 'chi_tra']);
    expect(await ocr.read(page('TITLE'))).toContain('TITLE');
    expect(await ocr.read(page('FILE'))).toContain('FILE');
  });

  it('says what is no picture, and reads the next one', async () => {
    const ocr = createWasmOcr({ ...options, languages: 'eng' })!;

    await expect(ocr.read(Buffer.from('no picture at all'))).rejects.toMatchObject({ code: 'corrupt' });
    expect(await ocr.read(page('LEFT'))).toContain('LEFT');
  });

  it('ends a picture that takes too long, and begins anew', async () => {
    const ocr = createWasmOcr({ ...options, languages: 'eng', clockMs: 1 })!;

    await expect(ocr.read(page('TITLE'))).rejects.toMatchObject({ code: 'stalled', retryable: true });
  });

  it('keeps no process from ending that has read a picture', async () => {
    const picture = Buffer.from(page('TITLE')).toString('base64');
    const program = `import(process.env.MODULE).then(async ({ createWasmOcr }) => {
      const ocr = createWasmOcr({ languages: 'eng', timeoutMs: 120_000 });
      process.stdout.write(await ocr.read(Buffer.from(process.env.PICTURE, 'base64')));
    });`;
    const module = join(import.meta.dirname, '../../../src/parse/images/wasm-ocr.ts');
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', program], {
      env: { ...process.env, PICTURE: picture, MODULE: module },
      timeout: 120_000,
    });

    expect(stdout).toContain('TITLE');
  });

  it('is off where nobody wants it, and not there without its languages', async () => {
    expect(await openOcr({ ...options, languages: 'off' })).toBeNull();
    expect(await openOcr({ ...options, pages: 'off' })).toBeNull();
    expect(await openOcr({ ...options, pages: 'all' })).toMatchObject({ readsAll: true });
    expect(createWasmOcr({ ...options, languages: 'xyz' })).toBeNull();
  });
});
