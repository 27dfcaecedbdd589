/** Damage at rest: found by the doctor, and made good where the original is whole. */
import { appendFile, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { documentFolder } from '../../src/storage/file-store.ts';
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
  // As a program that reads it otherwise would have left it.
  'text of an older program': async (folder, version) => {
    const path = join(folder, version, 'meta.json');
    const meta = JSON.parse(await readFile(path, 'utf8')) as { parts: object };
    await writeFile(
      path,
      JSON.stringify({ ...meta, parts: { ...meta.parts, 'content.md': { bytes: 1, sha256: '0'.repeat(64) } } }),
    );
  },
  'meta empty': (folder, version) => truncate(join(folder, version, 'meta.json'), 0),
  'note elsewhere': (folder) => writeFile(join(folder, 'current.json'), '{"version":"../../../etc","docId":"x"}'),
};

let dataDir: string;
let contents: Map<string, string>;

beforeAll(async () => {
  dataDir = await makeDataDir();
  const server = await startServer({ dataDir });
  contents = new Map();
  for (const name of [...Object.keys(damages), 'sound', 'lost', 'nameless']) {
    await insert(server.url, name, { name: 'a.md', bytes: `# ${name}\n\nThe text of ${name}, about pumps. 关于水泵。\n` });
    contents.set(name, await (await fetch(`${server.url}/documents/${encodeURIComponent(name)}/content`)).text());
  }
  await server.stop();
  for (const [name, damage] of Object.entries(damages)) await damage(...(await placeOf(name)));
  await renameTo('.', 'nameless');
  const [folder, version] = await placeOf('lost');
  await writeFile(join(folder, version, 'original'), 'other bytes');
});
afterAll(() => removeDir(dataDir));

async function placeOf(docId: string): Promise<[folder: string, version: string]> {
  const folder = join(dataDir, 'documents', documentFolder(docId));
  const version = (await readdir(folder)).find((name) => /^[0-9a-f-]{36}$/.test(name))!;
  return [folder, version];
}

/** As version 0.1.0 took it: no request of this one may name it. */
async function renameTo(docId: string, before: string): Promise<void> {
  const [folder, version] = await placeOf(before);
  const target = join(dataDir, 'documents', documentFolder(docId));
  await rename(folder, target);
  for (const path of [join(target, 'current.json'), join(target, version, 'meta.json')]) {
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replaceAll(`"docId":"${before}"`, `"docId":${JSON.stringify(docId)}`));
  }
  const index = new DatabaseSync(join(dataDir, 'index', 'index.sqlite'));
  for (const table of ['document', 'fence']) index.prepare(`UPDATE ${table} SET doc_id = ? WHERE doc_id = ?`).run(docId, before);
  index.close();
}

async function doctor(...args: string[]): Promise<{ code: number | null; documents: { state: string; sentence: string } }> {
  const { code, stdout } = await runCommand(['--json', 'doctor', '--data-dir', dataDir, ...args], env);
  const { checks } = JSON.parse(stdout) as { checks: { name: string; state: string; sentence: string }[] };
  return { code, documents: checks.find(({ name }) => name === 'documents')! };
}

it('is found, mended where it can be, and named where not', async () => {
  const found = await doctor();
  expect(found.code).toBe(1);
  expect(found.documents.sentence).toContain('7 of 10 documents');

  expect(found.documents.sentence).toContain('The document "." cannot be named in an address');

  const mended = await doctor('--repair');
  expect(mended.documents.sentence).toContain('1 of 10 documents');
  expect(mended.documents.sentence).toContain('"lost" (original changed)');
  expect(mended.documents.sentence).toContain(
    '5 were damaged and have been repaired. 1 were damaged and have been read again; their text may differ. The document "." is now called "dot".',
  );
  expect((await doctor()).documents.sentence).toMatch(/^1 of 10 documents[^;]*"lost"[^;]*\. "rag/);

  const server = await startServer({ dataDir });
  try {
    for (const [stored, content] of contents) {
      const name = stored === 'nameless' ? 'dot' : stored;
      expect(await (await fetch(`${server.url}/documents/${encodeURIComponent(name)}/content`)).text(), name).toBe(content);
      expect((await search(server.url, `text of ${stored}`, { doc_ids: [name] })).length, name).toBeGreaterThan(0);
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

  expect((await doctor('--repair')).documents.sentence).toContain('of 10 documents');
});

it('nothing is damaged once the last such document is uploaded again', async () => {
  const server = await startServer({ dataDir });
  try {
    expect((await insert(server.url, 'lost', { name: 'a.md', bytes: '# lost' })).status).toBe(200);
  } finally {
    await server.stop();
  }
  expect((await doctor()).documents).toMatchObject({
    state: 'ok',
    sentence: 'All 10 documents can be opened and are unchanged.',
  });
});
