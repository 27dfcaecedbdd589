/** The index's files in their place, seen by processes that open and set aside. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { setAside } from '../../../src/search/sqlite/corruption.ts';
import { openDatabase } from '../../../src/search/sqlite/database.ts';
import { indexIdentity } from '../../../src/search/sqlite/in-place.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { until } from '../../support/until.ts';

/** A process that opens the index and ends as soon as it was answered. */
function opener(indexDir: string): { readonly pid: number; readonly ended: Promise<number | null>; isRunning(): boolean } {
  const [thread, embedder] = ['search/sqlite/index-thread', 'embed/builtin-embedder'].map(
    (name) => new URL(`../../../src/${name}.ts`, import.meta.url).href,
  );
  const script = `
    const { createIndexThread } = await import(${JSON.stringify(thread)});
    const { createBuiltinEmbedder } = await import(${JSON.stringify(embedder)});
    const models = { createEmbedder: async () => createBuiltinEmbedder(), createReranker: async () => null };
    const { ok } = await createIndexThread({ indexDir: ${JSON.stringify(indexDir)}, ...models }).run({ method: 'info', args: ['a'] });
    process.exit(ok ? 0 : 3);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' });
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  return { pid: child.pid!, ended, isRunning: () => child.exitCode === null };
}

function openFiles(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).flatMap((name) => {
    try {
      return [basename(readlinkSync(join(folder, name)))];
    } catch {
      return [];
    }
  });
}

it('a process does not open an index whose files another is setting aside', async () => {
  await using dir = await tempDir();
  openDatabase(dir.path).close();
  const guard = new DatabaseSync(join(dir.path, 'guard.sqlite'));
  guard.exec('BEGIN EXCLUSIVE');
  const other = opener(dir.path);
  await until('it waits, or has ended', () => !other.isRunning() || openFiles(other.pid).includes('guard.sqlite'));
  expect(other.isRunning()).toBe(true);
  expect(openFiles(other.pid)).not.toContain('index.sqlite');

  guard.close();
  expect(await other.ended).toBe(0);
});

it('is opened though somebody wrote into the file that keeps opening and setting aside apart', async () => {
  await using dir = await tempDir();
  writeFileSync(join(dir.path, 'guard.sqlite'), 'this is no database, whatever its name says');
  expect(await opener(dir.path).ended).toBe(0);

  writeFileSync(join(dir.path, 'guard.sqlite'), 'this is no database, whatever its name says');
  setAside(dir.path, indexIdentity(dir.path));
  expect(existsSync(join(dir.path, 'damaged.sqlite'))).toBe(true);
});

it('many processes that find an index of another format at once share the one that takes its place', async () => {
  await using dir = await tempDir();
  const old = new DatabaseSync(join(dir.path, 'index.sqlite'));
  old.exec("PRAGMA journal_mode = WAL; CREATE TABLE meta(key TEXT PRIMARY KEY, value); INSERT INTO meta VALUES ('format', '1.1')");
  old.close();

  const ends = await Promise.all(Array.from({ length: 6 }, () => opener(dir.path).ended));
  expect(ends).toEqual(ends.map(() => 0));
  const made = openDatabase(dir.path);
  expect(made.get("SELECT value FROM meta WHERE key = 'rebuild'")).toEqual({ value: 'damaged' });
  made.close();
});
