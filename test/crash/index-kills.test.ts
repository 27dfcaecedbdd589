import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBuiltinEmbedder } from '../../src/embed/builtin-embedder.ts';
import { openSqliteIndex, type SqliteIndex } from '../../src/search/sqlite/sqlite-index.ts';
import { until } from '../support/until.ts';

const writer = fileURLToPath(new URL('../support/index-writer.ts', import.meta.url));
const kills = 8;

describe('two processes that replace documents, one of them killed again and again', () => {
  let folder: string;
  let index: SqliteIndex;
  let children: ChildProcess[];
  /** The greatest version that was acknowledged, by document. */
  let acknowledged: Map<string, string>;
  let count: number;
  let wrong: unknown[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'index-kills-'));
    index = openSqliteIndex({ indexDir: join(folder, 'index'), embedder: createBuiltinEmbedder() });
    children = [];
    acknowledged = new Map();
    count = 0;
    wrong = [];
  });

  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL');
    await index.close();
    await rm(folder, { recursive: true, force: true });
  });

  function start(name: string): ChildProcess {
    const child = spawn(process.execPath, [writer, folder, name], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const [docId, version] = line.split(' ') as [string, string];
      count++;
      if (version > (acknowledged.get(docId) ?? '')) acknowledged.set(docId, version);
    });
    return child;
  }

  /** Whatever is found at this moment: whole documents, each in one version, none older than what was acknowledged before. */
  async function checkReader(): Promise<void> {
    // Who waits for something looks again after a failure: what was wrong for a moment is kept for the end.
    await checkMoment().catch((error: unknown) => void wrong.push(error));
  }

  async function checkMoment(): Promise<void> {
    const before = new Map(acknowledged);
    const { hits } = await index.search({ query: 'common words version', mode: 'hybrid', topK: 100, offset: 0, filter: {} });
    for (const docId of before.keys()) {
      const mine = hits.filter((hit) => hit.docId === docId);
      const versions = new Set(mine.map((hit) => hit.version));
      expect(versions.size, docId).toBe(1);
      const chunks = Number(/of (\d+) chunks/.exec(mine[0]!.text)![1]);
      expect(mine.map((hit) => hit.chunkIndex).sort((a, b) => a - b)).toEqual(Array.from({ length: chunks }, (_, i) => i));
      expect(mine[0]!.version >= before.get(docId)!).toBe(true);
    }
  }

  it(`loses nothing, tears nothing and stays sound over ${kills} kills`, async () => {
    start('steady');
    for (let kill = 0; kill < kills; kill++) {
      const victim = start('victim');
      const target = count + 12;
      await until('more replaces were acknowledged', async () => {
        await checkReader();
        return count >= target;
      });
      victim.kill('SIGKILL');
    }
    for (const child of children) child.kill('SIGKILL');
    await until('the processes are gone', () => children.every((child) => child.exitCode !== null || child.signalCode !== null));
    await checkReader();
    for (const [docId, version] of acknowledged) expect((await index.info(docId))!.version >= version).toBe(true);
    while (index.tidy());
    await checkReader();
    expect(wrong).toEqual([]);
    expect(index.check()).toEqual([]);
  });
});
