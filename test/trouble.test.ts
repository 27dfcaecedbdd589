/** What the system and SQLite say is made to happen here; what servers say in `e2e/trouble.test.ts`. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createIndexThread } from '../src/search/sqlite/index-thread.ts';
import { createBuiltinEmbedder } from '../src/embed/builtin-embedder.ts';
import { diskTroubleOf, inOurWords, noRoom, notReady, type Trouble, troubleOf } from '../src/trouble.ts';
import { tempDir } from './support/temp-dir.ts';

let dir: Awaited<ReturnType<typeof tempDir>>;
beforeEach(async () => void (dir = await tempDir()));
afterEach(() => dir[Symbol.asyncDispose]());

function thrown(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

function database(name = 'a.sqlite', options: { readOnly?: boolean } = {}): DatabaseSync {
  return new DatabaseSync(join(dir.path, name), { timeout: 0, ...options });
}

function filled(): DatabaseSync {
  const made = database();
  made.exec('CREATE TABLE t(x); INSERT INTO t VALUES (zeroblob(100000))');
  return made;
}

const sqlite: readonly { name: string; trouble: Trouble; make: () => unknown }[] = [
  {
    name: 'FULL',
    trouble: 'full',
    make() {
      const made = filled();
      made.exec('PRAGMA max_page_count = 1');
      made.exec('INSERT INTO t VALUES (zeroblob(1000000))');
    },
  },
  {
    name: 'READONLY',
    trouble: 'away',
    make() {
      filled().close();
      database('a.sqlite', { readOnly: true }).exec('INSERT INTO t VALUES (1)');
    },
  },
  {
    name: 'BUSY',
    trouble: 'away',
    make() {
      filled().exec('BEGIN EXCLUSIVE');
      database().exec('INSERT INTO t VALUES (1)');
    },
  },
  {
    name: 'NOTADB',
    trouble: 'away',
    make() {
      writeFileSync(join(dir.path, 'a.sqlite'), 'no database '.repeat(1000));
      database().exec('SELECT * FROM t');
    },
  },
  {
    name: 'CORRUPT',
    trouble: 'away',
    make() {
      filled().close();
      const path = join(dir.path, 'a.sqlite');
      const bytes = readFileSync(path);
      writeFileSync(path, Buffer.concat([bytes.subarray(0, 100), Buffer.alloc(bytes.length - 100, 7)]));
      database().exec('SELECT * FROM t');
    },
  },
  {
    name: 'CANTOPEN',
    trouble: 'away',
    make() {
      mkdirSync(join(dir.path, 'a.sqlite'));
      database().exec('SELECT 1');
    },
  },
];

describe('the table of trouble', () => {
  it.each(sqlite)("knows SQLite's $name by its code", ({ trouble, make }) => {
    const error = thrown(make);

    expect(error).toMatchObject({ code: 'ERR_SQLITE_ERROR' });
    expect(troubleOf(error)).toBe(trouble);
  });

  it('knows what the system says of files and connections', async () => {
    const full = await open('/dev/full', 'w').then((file) => file.writeFile('x').catch((error: unknown) => error));
    const refused: unknown = await new Promise((resolve) => connect(1, '127.0.0.1').once('error', resolve));

    expect([troubleOf(full), diskTroubleOf(full)]).toEqual(['full', 'full']);
    expect([troubleOf(refused), diskTroubleOf(refused)]).toEqual(['away', null]);
    expect(troubleOf(new AggregateError([refused], 'several'))).toBe('away');
  });

  it('leaves a bug a bug', () => {
    for (const error of [new Error('x'), new TypeError('disk is full'), Object.assign(new Error(''), { code: '' }), 'ENOSPC', null])
      expect([troubleOf(error), inOurWords(error)]).toEqual([null, error]);
    expect(troubleOf(Object.assign(new Error('syntax'), { code: '42601' }))).toBeNull();
  });

  it('knows again what it has put into words', () => {
    const deadlock = Object.assign(new Error('deadlock'), { code: '40P01' });

    expect([notReady('x'), noRoom('x'), notReady(deadlock)].map(troubleOf)).toEqual(['away', 'full', 'again']);
    expect(inOurWords(deadlock)).toMatchObject({ code: 'unavailable', cause: deadlock });
  });

  it("comes from the index's thread as a value with its code, not as a sentence", async () => {
    const indexDir = join(dir.path, 'index');
    mkdirSync(join(indexDir, 'index.sqlite'), { recursive: true });
    const thread = createIndexThread({
      indexDir,
      createEmbedder: () => Promise.resolve(createBuiltinEmbedder()),
      createReranker: () => Promise.resolve(null),
    });

    expect(await thread.run({ method: 'stats', args: [] })).toMatchObject({ ok: false, code: 'unavailable' });
  });
});
