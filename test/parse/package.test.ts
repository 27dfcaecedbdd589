/** The export `rag-intake/parse` as others have it: packed, unpacked beside nothing but what reading needs. */
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { makeDocx, wordParagraph } from '../support/office-writer.ts';
import { makePdf } from '../support/pdf-writer.ts';
import { tempDir } from '../support/temp-dir.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** All that reading documents needs of other packages. */
const needed = ['@embedpdf', 'htmlparser2', 'jschardet', 'numfmt', 'postal-mime'];

const program = `
import { writeFile } from 'node:fs/promises';
import { DocumentError, readDocument } from 'rag-intake/parse';
const read = [];
for (const name of process.argv.slice(2)) {
  const { format, pages, markdown, blocks } = await readDocument(name);
  read.push({ format, pages, first: markdown.slice(blocks[0].start, blocks[0].end) });
}
await writeFile('tool.exe', Buffer.from('4d5a9000030000000400', 'hex'));
const refused = await readDocument('tool.exe').then(() => null, (error) => error);
console.log(JSON.stringify({ read, refused: refused instanceof DocumentError ? refused.message : null }));
`;

it('rag-intake/parse reads a DOCX and a PDF in a program that has nothing else of the project', async () => {
  await using folder = await tempDir();
  const modules = join(folder.path, 'node_modules');
  await mkdir(join(modules, 'rag-intake'), { recursive: true });
  execFileSync('npm', ['run', '--silent', 'build:library'], { cwd: root });
  execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder.path], { cwd: root });
  const [archive] = (await readdir(folder.path)).filter((name) => name.endsWith('.tgz'));
  execFileSync('tar', ['-xzf', archive!, '-C', join(modules, 'rag-intake'), '--strip-components=1'], { cwd: folder.path });
  for (const name of needed) await symlink(join(root, 'node_modules', name), join(modules, name));
  await writeFile(join(folder.path, 'notes.docx'), makeDocx({ body: wordParagraph('Notes of the meeting') }));
  await writeFile(join(folder.path, 'report.pdf'), makePdf({ pages: [['Report of the year'], ['Its second page']] }));
  await writeFile(join(folder.path, 'read.mjs'), program);

  const printed = execFileSync(process.execPath, ['read.mjs', 'notes.docx', 'report.pdf'], { cwd: folder.path, encoding: 'utf8' });

  expect(JSON.parse(printed)).toEqual({
    read: [
      { format: 'docx', pages: null, first: 'Notes of the meeting' },
      { format: 'pdf', pages: 2, first: 'Report of the year' },
    ],
    refused: 'Unsupported file format: tool.exe',
  });
});
