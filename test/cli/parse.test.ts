import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { showParsed, unreadable } from '../../src/cli/parse.ts';
import { readDocument } from '../../src/parse/read-document.ts';
import { smallFiles } from '../support/text-fixtures.ts';

const folder = mkdtempSync(join(tmpdir(), 'cli-parse-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('rag-intake parse', () => {
  it('gives the Markdown of a file and what is known about it', async () => {
    const path = join(folder, '手册.html');
    writeFileSync(path, smallFiles['page.html']!);

    const shown = showParsed(await readDocument(path));

    expect(shown.markdown.startsWith('# Handbook\n')).toBe(true);
    expect(shown.about).toBe('type: text/html\ntitle: Handbook\nauthor: Li Lei\nlanguage: en\nblocks: 6\ncharacters: 152\n');
  });

  it('refuses with the sentence of an upload', async () => {
    const path = join(folder, 'tool.exe');
    writeFileSync(path, Buffer.from('MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0', 'latin1'));

    await expect(readDocument(path)).rejects.toThrow('Unsupported file format: tool.exe');
  });

  it('says in words what a path is instead of a file', async () => {
    const sentence = async (path: string): Promise<string> => {
      const error: unknown = await readDocument(path).catch((failed: unknown) => failed);
      return (unreadable(path, error) as Error).message;
    };

    expect(await sentence(join(folder, 'none.pdf'))).toBe(`There is no file ${folder}/none.pdf.`);
    expect(await sentence(folder)).toBe(
      `${folder} is a folder. Name a file, or send the folder to a server: rag-intake ingest ${folder}`,
    );
  });
});
