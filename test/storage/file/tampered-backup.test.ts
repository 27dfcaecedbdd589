/**
 * A backup in which somebody has changed something: every file in every way, also so that all digests agree again. It is refused in a
 * sentence, or restored as it was; nothing outside is read or written.
 */
import { createHash } from 'node:crypto';
import { cp, lstat, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { backupDataDir } from '../../../src/storage/file/backup.ts';
import { BackupError } from '../../../src/storage/file/backup-format.ts';
import { openFileEngine } from '../../../src/storage/file/engine.ts';
import { restoreDataDir } from '../../../src/storage/file/restore.ts';
import { settleDocument } from '../../../src/ingest/settle.ts';
import { measureParts, readStagedMeta } from '../../../src/search/index/staging.ts';
import { openSqliteIndex, type SqliteIndex } from '../../../src/search/sqlite/sqlite-index.ts';
import { beginNext, newId, upload } from '../../support/engine-steps.ts';
import { fileEngineOptions } from '../../support/file-engine-harness.ts';
import { stageDocument } from '../../support/staged-document.ts';
import { ways } from '../../support/tampering.ts';
import { tempDir } from '../../support/temp-dir.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 60_000 });

/** One case in so many is tried; `TAMPER_EVERY=1` tries all. */
const every = Number(process.env['TAMPER_EVERY'] ?? 19);

const embedder = { id: 'one', dimensions: 2, embed: () => Promise.resolve([]) };
const openIndex = (indexDir: string): Promise<SqliteIndex> => Promise.resolve(openSqliteIndex({ indexDir, embedder }));

let dir: Awaited<ReturnType<typeof tempDir>>;
let backup: string;
let files: string[];
let before: unknown;

beforeAll(async () => {
  dir = await tempDir();
  const dataDir = join(dir.path, 'data');
  backup = join(dir.path, 'backup');
  const engine = await openFileEngine({ ...fileEngineOptions(dataDir, 'worker'), openIndex });
  for (const docId of ['合同']) {
    await upload(engine, `original of ${docId}`, { docId });
    const { lease, task } = await beginNext(engine);
    const scratchDir = await engine.files.scratch(task.id);
    const { fileBytes, sha256, filename } = task;
    const staged = {
      docId,
      version: task.id,
      filename,
      fileBytes,
      sha256,
      texts: [`Text of ${docId}.`],
      vectors: [Float32Array.of(0, 1)],
    };
    const document = await stageDocument(scratchDir, { ...staged, embedder: 'one' });
    const meta = { ...(await readStagedMeta(scratchDir)), parts: await measureParts(scratchDir) };
    await writeFile(join(scratchDir, 'meta.json'), JSON.stringify(meta));
    await settleDocument(engine, lease, task, { scratchDir, document });
  }
  await upload(engine, 'waits', { docId: 'waiting' });
  await backupDataDir({ dataDir, target: backup, now: () => '2026-01-01T00:00:00.000Z' });
  await engine.close();
  files = (await readdir(backup, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => relative(backup, join(entry.parentPath, entry.name)))
    // Names alone, empty.
    .filter((name) => !name.startsWith('data/order/'));
  before = await restored(backup);
});
afterAll(() => dir[Symbol.asyncDispose]());

/** Whatever is restored: the documents as the index has them, what their files hold, and the tasks. */
async function restored(source: string): Promise<unknown> {
  const dataDir = join(dir.path, `restored.${newId()}`);
  try {
    await restoreDataDir({ source, dataDir, openIndex });
    const index = await openIndex(join(dataDir, 'index'));
    const { documents } = await index.list({ limit: 1000 });
    const found = await index.search({ query: 'text', mode: 'keyword', topK: 10, offset: 0, filter: {} });
    await index.close();
    const tree = await readdir(dataDir, { recursive: true, withFileTypes: true });
    const kept = tree.filter((entry) => entry.isFile() && /(documents|tasks)/.test(entry.parentPath));
    const texts = await Promise.all(
      kept
        .toSorted((a, b) => (a.name + a.parentPath < b.name + b.parentPath ? -1 : 1))
        .map(async (entry) => [
          relative(dataDir, join(entry.parentPath, entry.name)),
          await readFile(join(entry.parentPath, entry.name), 'utf8'),
        ]),
    );
    return { documents, hits: found.hits.map(({ docId, text }) => [docId, text]), texts };
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** A sentence of the program, or everything as it was. */
async function outcome(change: (source: string) => Promise<void>, name: string, canBeTold = true): Promise<string> {
  const source = join(dir.path, `tampered.${newId()}`);
  await cp(backup, source, { recursive: true });
  try {
    await change(source);
    const now = await restored(source);
    if (canBeTold) expect(now, name).toEqual(before);
    return 'restored';
  } catch (error) {
    expect(error, name).toBeInstanceOf(BackupError);
    expect((error as Error).message, name).toMatch(/^[^\n]{10,400}\.$/);
    return (error as Error).message;
  } finally {
    await rm(source, { recursive: true, force: true });
  }
}

/** Makes the digests agree with what is there, as whoever tampers on purpose would. */
async function forge(source: string): Promise<void> {
  const lines = (await readFile(join(source, 'files.ndjson'), 'utf8')).split('\n').filter(Boolean);
  const listed = await Promise.all(
    lines.map(async (line) => {
      const file = JSON.parse(line) as { path: string };
      const path = join(source, 'data', file.path);
      const bytes = (await lstat(path).catch(() => null))?.isFile() === true ? await readFile(path) : null;
      return bytes === null ? file : { ...file, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
    }),
  );
  await writeList(source, listed);
}

async function writeList(source: string, listed: readonly object[], change: object = {}): Promise<void> {
  const text = listed.map((file) => `${JSON.stringify(file)}\n`).join('');
  await writeFile(join(source, 'files.ndjson'), text);
  const manifest = JSON.parse(await readFile(join(source, 'manifest.json'), 'utf8')) as object;
  const listSha256 = createHash('sha256').update(text).digest('hex');
  await writeFile(join(source, 'manifest.json'), JSON.stringify({ ...manifest, files: listed.length, listSha256, ...change }));
}

it('[S57] every file, in every way: refused in a sentence, or restored as it was', async () => {
  for (const file of files)
    for (const [number, [way, change]] of Object.entries(ways).entries()) {
      if ((number + files.indexOf(file)) % Math.ceil(every / 4) !== 0) continue;
      const said = await outcome((source) => change(join(source, file), join(dir.path, 'outside')), `${file} ${way}`);
      expect(said, `${file} ${way}`).not.toBe('restored');
    }
});

it('[S57] every file, in every way, with digests that agree: refused in a sentence, or restored as it was', async () => {
  const said = new Map<string, string>();
  for (const file of files.filter((name) => name.startsWith('data/')))
    for (const [way, change] of Object.entries(ways)) {
      if (way.startsWith('made a') || way === 'removed' || (way === 'flipped' && every > 1)) continue;
      const name = `${file.replace(/[0-9a-f-]{36,64}/g, 'ID')} ${way}`;
      said.set(
        name,
        await outcome(
          async (source) => {
            await change(join(source, file), join(dir.path, 'outside'));
            await forge(source);
            // A letter of a text whose digest is changed with it looks like any other.
          },
          name,
          way !== 'flipped' || /(original|content\.md|chunks\.ndjson|vectors\.bin|\.bin)$/.test(file),
        ),
      );
    }

  // An index that is damaged is made anew from the documents; a note that points nowhere is written from the index.
  for (const way of ['emptied', 'cut', 'made rubbish']) expect(said.get(`data/index/index.sqlite ${way}`)).toBe('restored');
  expect(said.get('data/documents/ID/current.json made rubbish')).toBe('restored');
  expect(said.get('data/documents/ID/ID/meta.json emptied')).toContain('is damaged in this backup');
});

it('[S57] fields of another kind, in every JSON file: refused in a sentence, or restored as it was', async () => {
  let count = 0;
  const values = [null, -1, 'x'.repeat(300), '../../../etc', { a: [] }];
  for (const file of files.filter((name) => name.endsWith('.json'))) {
    const text = await readFile(join(backup, file), 'utf8');
    for (const path of fieldsOf(JSON.parse(text)))
      for (const value of values) {
        if (isAsGood(fieldOf(JSON.parse(text), path), value, path.at(-1)!) || (count += 1) % every !== 0) continue;
        await outcome(
          async (source) => {
            await writeFile(join(source, file), JSON.stringify(withField(JSON.parse(text), path, value)));
            if (file.startsWith('data/')) await forge(source);
          },
          `${file} ${path.join('.')} = ${JSON.stringify(value).slice(0, 20)}`,
        );
      }
  }
});

/** Nobody can know that another value of the same kind was there, except of what names and digests things. */
function isAsGood(now: unknown, value: unknown, field: string): boolean {
  if (['id', 'version', 'sha256', 'listSha256'].includes(field)) return false;
  return now === null || value === null || typeof now === typeof value;
}

function fieldOf(value: unknown, path: readonly string[]): unknown {
  return path.reduce((inner, key) => (inner as Record<string, unknown>)[key], value);
}

function fieldsOf(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [path];
  return [...(path.length > 0 ? [path] : []), ...Object.entries(value).flatMap(([key, inner]) => fieldsOf(inner, [...path, key]))];
}

function withField(value: unknown, [key, ...rest]: readonly string[], to: unknown): unknown {
  if (key === undefined) return to;
  const record = value as Record<string, unknown>;
  return { ...record, [key]: withField(record[key], rest, to) };
}

it('[S57] names that lead elsewhere, twice, with NUL, or of 300 characters: refused in a sentence', async () => {
  const listed = (await readFile(join(backup, 'files.ndjson'), 'utf8'))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { path: string });
  const original = listed.find(({ path }) => path.endsWith('/original'))!;
  const names = [
    '../outside',
    'documents/../../outside',
    '/etc/outside',
    `${dirname(original.path)}/a\u0000b`,
    `${dirname(original.path)}/${'n'.repeat(300)}`,
    `${dirname(original.path)}/.`,
    'tasks/0000000/x.json',
    'session.secret',
    '',
    original.path,
  ];
  for (const path of names) {
    const said = await outcome((source) => writeList(source, [...listed, { ...original, path }]), path);
    expect(said).toBe('The list of files of this backup is damaged.');
  }
  const lines = ['', '{}', 'null', '[]', '{"path":5,"bytes":1,"sha256":"x"}', '{"path":'];
  for (const line of lines) {
    const said = await outcome(async (source) => {
      await writeList(source, listed);
      await writeFile(join(source, 'files.ndjson'), line);
      const manifest = JSON.parse(await readFile(join(source, 'manifest.json'), 'utf8')) as object;
      const listSha256 = createHash('sha256').update(line).digest('hex');
      await writeFile(join(source, 'manifest.json'), JSON.stringify({ ...manifest, listSha256 }));
    }, line);
    expect(said).toBe('The list of files of this backup is damaged.');
  }
});

it('[S57] folders that are links are not entered', async () => {
  for (const folder of ['data', 'data/documents', 'data/tasks', 'data/index']) {
    const said = await outcome(async (source) => {
      const outside = join(dir.path, `outside.${newId()}`);
      await cp(join(source, folder), outside, { recursive: true });
      await rm(join(source, folder), { recursive: true });
      await symlink(outside, join(source, folder));
    }, folder);
    expect(said, folder).toMatch(/is missing from this backup/);
  }
});
