import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as breathe } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../support/command.ts';
import { enginesCombined, type Place, type TestEngine } from '../support/engines.ts';
import { insert, search, startProcess, startServer, type TestServer } from '../support/server.ts';

type Document = { task_id: string; chunks: number; inserted_at: string; filename: string; warnings: string[] };

describe.each(enginesCombined)('reindex --reparse on $name', ({ open }) => {
  const names = ['doc 1', 'doc 2', 'doc 3', '文档 4'];
  let engine: TestEngine;
  let place: Place;
  let front: TestServer;
  let before: Document[];

  beforeAll(async () => {
    engine = await open();
    place = await engine.newPlace();
    const server = await startServer({ ...place, engineEnv: { ...place.engineEnv, CHUNK_TOKENS: '400' } });
    const text = (name: string): string => `Of ${name}.\n\n${'A bittern booms in the reeds at night. '.repeat(20)}`;
    for (const name of names) await insert(server.url, name, { name: `${name}.txt`, bytes: text(name) });
    await server.stop();
    front = await startProcess({ ...place, args: ['--role', 'api'] });
    before = await documents();
  });

  afterAll(async () => {
    await front.stop();
    await engine[Symbol.asyncDispose]();
  });

  async function documents(): Promise<Document[]> {
    const all = names.map((name) => fetch(`${front.url}/documents/${encodeURIComponent(name)}`));
    return Promise.all((await Promise.all(all)).map(async (answer) => (await answer.json()) as Document));
  }

  function reparse() {
    const env = { ...place.engineEnv, DATA_DIR: place.dataDir, CHUNK_TOKENS: '64' };
    return runCommand(['--json', 'reindex', '--reparse'], env);
  }

  it('goes on after what an earlier run has noted, then reads all again while the old text is found', async () => {
    await writeFile(join(place.dataDir, 'reparse.json'), JSON.stringify({ after: 'doc 2' }));

    const rest = await reparse();
    expect(rest, rest.stderr).toMatchObject({ code: 0 });
    expect(JSON.parse(rest.stdout)).toEqual({ documents: 2, failed: [] });
    expect(rest.stderr).toContain('4/4 documents');
    const [one, two, three, four] = await documents();
    expect([one, two]).toEqual(before.slice(0, 2));
    expect(three!.chunks).toBeGreaterThan(before[2]!.chunks);
    expect(four).toMatchObject({ inserted_at: before[3]!.inserted_at, filename: '文档 4.txt' });
    await expect(readFile(join(place.dataDir, 'reparse.json'))).rejects.toThrow('ENOENT');

    let isRunning = true;
    const found = new Set<number>();
    const looking = (async () => {
      while (isRunning) {
        found.add(new Set((await search(front.url, 'bittern', { top_k: 50 })).map(({ citation }) => citation.doc_id)).size);
        // Without a breath the searches would take the processor from what they are to look at.
        await breathe(20);
      }
    })();
    const all = await reparse().finally(() => (isRunning = false));
    await looking;

    expect(JSON.parse(all.stdout)).toEqual({ documents: 4, failed: [] });
    expect([...found]).toEqual([4]);
    for (const [i, document] of (await documents()).entries()) {
      expect(document.chunks).toBeGreaterThan(before[i]!.chunks);
      expect(document.inserted_at).toBe(before[i]!.inserted_at);
      expect(document.task_id > before[i]!.task_id).toBe(true);
    }
  });
});
