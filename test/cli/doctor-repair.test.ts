/** Damage at rest: found by the doctor, and made good where the original is whole. */
import { appendFile, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { documentFolder } from '../../src/documents/file-store.ts';
import { runCommand } from '../support/command.ts';
import { insert, makeDataDir, removeDir, search, startServer } from '../support/server.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

const env = { DISK_RESERVE_BYTES: '0', PORT: '0' };
const damages: Readonly<Record<string, (folder: string, version: string) => Promise<void>>> = {
  'content cut': (folder, version) => truncate(join(folder, version, 'content.md'), 5),
  'content gone': (folder, version) => rm(join(folder, version, 'content.md')),
  'content a link': async (folder, version) => {
    await rename(join(folder, version, 'content.md'), join(folder, 'elsewhere'));
    await symlink(join(folder, 'elsewhere'), join(folder, version, 'content.md'));
  },
  'chunks changed': (folder, version) => appendFile(join(folder, version, 'chunks.ndjson'), '{}\n'),
  'meta empty': (folder, version) => truncate(join(folder, version, 'meta.json'), 0),
  'note elsewhere': (folder) => writeFile(join(folder, 'current.json'), '{"version":"../../../etc","docId":"x"}'),
};

let dataDir: string;
let contents: Map<string, string>;

beforeAll(async () => {
  dataDir = await makeDataDir();
  const server = await startServer({ dataDir });
  contents = new Map();
  for (const name of [...Object.keys(damages), 'sound', 'lost']) {
    await insert(server.url, name, { name: 'a.md', bytes: `# ${name}\n\nThe text of ${name}, about pumps. 关于水泵。\n` });
    contents.set(name, await (await fetch(`${server.url}/documents/${encodeURIComponent(name)}/content`)).text());
  }
  await server.stop();
  for (const [name, damage] of Object.entries(damages)) await damage(...(await placeOf(name)));
  const [folder, version] = await placeOf('lost');
  await writeFile(join(folder, version, 'original'), 'other bytes');
});
afterAll(() => removeDir(dataDir));

async function placeOf(docId: string): Promise<[folder: string, version: string]> {
  const folder = join(dataDir, 'documents', documentFolder(docId));
  const version = (await readdir(folder)).find((name) => /^[0-9a-f-]{36}$/.test(name))!;
  return [folder, version];
}

async function doctor(...args: string[]): Promise<{ code: number | null; documents: { state: string; sentence: string } }> {
  const { code, stdout } = await runCommand(['--json', 'doctor', '--data-dir', dataDir, ...args], env);
  const { checks } = JSON.parse(stdout) as { checks: { name: string; state: string; sentence: string }[] };
  return { code, documents: checks.find(({ name }) => name === 'documents')! };
}

it('is found, mended where it can be, and named where not', async () => {
  const found = await doctor();
  expect(found.code).toBe(1);
  expect(found.documents.sentence).toContain('6 of 8 documents');

  const mended = await doctor('--repair');
  expect(mended.documents.sentence).toContain('1 of 8 documents');
  expect(mended.documents.sentence).toContain('"lost" (original changed)');
  expect(mended.documents.sentence).toContain('5 were damaged and are mended.');
  expect((await doctor()).documents.sentence).toContain('1 of 8 documents');

  const server = await startServer({ dataDir });
  try {
    for (const [name, content] of contents) {
      expect(await (await fetch(`${server.url}/documents/${encodeURIComponent(name)}/content`)).text(), name).toBe(content);
      expect((await search(server.url, `text of ${name}`, { doc_ids: [name] })).length, name).toBeGreaterThan(0);
    }
  } finally {
    await server.stop();
  }
  const [folder] = await placeOf('note elsewhere');
  expect(JSON.parse(await readFile(join(folder, 'current.json'), 'utf8'))).toMatchObject({ docId: 'note elsewhere' });
});

it('an index that is damaged is filled again from the documents', async () => {
  await writeFile(join(dataDir, 'index', 'index.sqlite'), 'no database');
  await rm(join(dataDir, 'index', 'index.sqlite-wal'), { force: true });

  expect((await doctor('--repair')).documents.sentence).toContain('of 8 documents');
});
