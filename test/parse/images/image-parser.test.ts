import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createDocumentParser } from '../../../src/parse/document-parser.ts';
import { imageSize } from '../../../src/parse/images/image-parser.ts';
import { createOcr } from '../../../src/parse/images/ocr.ts';
import { pngHeader } from '../../support/hostile-text.ts';
import { bmpOfText, imageHeaders } from '../../support/image-writer.ts';
import { parseBytes, refusalOf } from '../../support/parse.ts';

const folder = mkdtempSync(join(tmpdir(), 'ocr-'));
afterAll(() => rmSync(folder, { recursive: true }));

const picture = bmpOfText('HELLO'.replace('O', 'E'));

describe('a picture', () => {
  it.each(Object.entries({ ...imageHeaders(3000, 200), png: pngHeader(3000, 200) }))(
    'says its size in its header: %s',
    (_kind, bytes) => {
      expect(imageSize(Buffer.from(bytes))).toEqual({ width: 3000, height: 200 });
    },
  );

  it.each(Object.entries({ ...imageHeaders(50_000, 50_000), png: pngHeader(50_000, 50_000) }))(
    'is refused before it is decoded when it is too large: %s [S17]',
    async (_kind, bytes) => {
      expect(await refusalOf(createDocumentParser({}), bytes)).toBe(
        'limit_exceeded: The picture has 50000 × 50000 pixels, more than 100000000 (MAX_PICTURE_PIXELS)',
      );
    },
  );

  it('ends in a sentence where OCR is not installed', async () => {
    expect(await refusalOf(createDocumentParser({}), picture)).toBe(
      'no_text: No text found: this looks like a scan and OCR is not installed',
    );
  });

  it('is read where OCR is installed, and has no text otherwise', async () => {
    const ocr = await createOcr({ languages: '', timeoutMs: 30_000 });
    const outcome = await parseBytes(createDocumentParser({ ocr }), picture).then(
      (parsed) => parsed.markdown,
      (error: Error) => error.message,
    );

    expect(outcome).toBe(ocr === null ? 'No text found: this looks like a scan and OCR is not installed' : 'HELLE');
  });
});

describe('createOcr', () => {
  it('is null where there is no such program', async () => {
    expect(await createOcr({ languages: '', timeoutMs: 1000, command: join(folder, 'nothing') })).toBeNull();
  });

  it('takes the languages that are installed, and joins the Chinese that the program pulls apart', async () => {
    const ocr = await createOcr({
      languages: '',
      timeoutMs: 30_000,
      command: program(`cat > /dev/null; ${listing('检 索 AND 文 档')}`),
    });

    expect(ocr!.languages).toEqual(['eng', 'chi_sim']);
    expect(await ocr!.read(picture)).toBe('检索 AND 文档');
    expect((await createOcr({ languages: 'chi_sim+deu', timeoutMs: 1000, command: program('true') }))!.languages).toEqual([
      'chi_sim',
    ]);
    expect(await createOcr({ languages: 'deu', timeoutMs: 1000, command: program('true') })).toBeNull();
  });

  it('stops a program that computes for too long', async () => {
    const ocr = await createOcr({ languages: '', timeoutMs: 200, clockMs: 600_000, command: program('while :; do :; done') });

    await expect(ocr!.read(picture)).rejects.toMatchObject({
      code: 'timeout',
      message: 'Reading the text in a picture took longer than 200 ms (PAGE_TIMEOUT_MS)',
    });
  });

  it('stops a program that does nothing and does not end, and does not blame the picture', async () => {
    const ocr = await createOcr({ languages: '', timeoutMs: 30_000, clockMs: 100, command: program('exec sleep 600') });

    await expect(ocr!.read(picture)).rejects.toMatchObject({ code: 'stalled', retryable: true });
  });

  it('says when the program cannot read the picture', async () => {
    const ocr = await createOcr({ languages: '', timeoutMs: 30_000, command: program('exit 1') });

    await expect(ocr!.read(picture)).rejects.toThrow('The picture is damaged or of a kind that OCR cannot read');
  });
});

/** Prints words as Tesseract's table has them. */
function listing(text: string): string {
  const rows = text.split(' ').map((word, index) => ['5', 1, 1, 1, 1, index + 1, index * 50, 0, 40, 40, 90, word].join('\\t'));
  return `printf '${rows.join('\\n')}\\n'`;
}

/** A program that lists languages as Tesseract does and otherwise does as told. */
function program(read: string): string {
  const path = join(folder, `tesseract-${Math.random()}`);
  writeFileSync(
    path,
    `#!/bin/sh\nif [ "$1" = --list-langs ]; then printf 'List of languages:\\neng\\nosd\\nchi_sim\\n'; exit 0; fi\n${read}\n`,
  );
  chmodSync(path, 0o755);
  return path;
}
