import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseFile, showParsed } from '../../src/cli/parse.ts';
import { usualLimits } from '../support/parse.ts';
import { smallFiles } from '../support/text-fixtures.ts';

const folder = mkdtempSync(join(tmpdir(), 'cli-parse-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('parseFile', () => {
  it('gives the Markdown of a file and what is known about it', async () => {
    const path = join(folder, '手册.html');
    writeFileSync(path, smallFiles['page.html']!);

    const shown = showParsed(await parseFile(path, { limits: usualLimits, ocr: null }));

    expect(shown.markdown.startsWith('# Handbook\n')).toBe(true);
    expect(shown.about).toBe('type: text/html\ntitle: Handbook\nauthor: Li Lei\nlanguage: en\nblocks: 6\ncharacters: 152\n');
  });

  it('refuses with the sentence of an upload', async () => {
    const path = join(folder, 'tool.exe');
    writeFileSync(path, Buffer.from('MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0', 'latin1'));

    await expect(parseFile(path, { limits: usualLimits, ocr: null })).rejects.toThrow('Unsupported file format: tool.exe');
  });
});
