/** A data directory of version 0.1.0 (`test/crash/old-data.ts` made it), opened by this one, and moved to PostgreSQL and back. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { runCommand } from '../support/command.ts';
import { ended, search, startServer, type ServerOptions, type WireTask } from '../support/server.ts';
import { sharedPostgres } from '../support/shared-postgres.ts';
import { tempDir } from '../support/temp-dir.ts';

const kept = fileURLToPath(new URL('../fixtures/data-0.1.0.tar.gz', import.meta.url));

/** What version 0.1.0 had answered, and what it had still to do. */
const expected = {
  found: {
    'how long is the warranty': 'warranty: The warranty lasts 24 months.',
    水泵的保修期: '保修: # 保修\n\n水泵的保修期为二十四个月。',
    'price of the valve': expect.stringMatching(/^prices: [^]*150[^]*valve[^]*30/) as string,
    'that nobody had read': 'late: A text that nobody had read yet.',
  },
  documents: ['late', 'prices', 'warranty', '保修'],
};

it('a data directory of version 0.1.0 is searchable, and its waiting task is done', async () => {
  await using folder = await tempDir();
  const dataDir = unpack(folder.path);

  expect(await shownBy({ dataDir })).toEqual(expected);
  expect(await shownBy({ dataDir })).toEqual(expected);
});

it('a data directory of version 0.1.0 is moved to PostgreSQL and back with all that is in it', async () => {
  await using folder = await tempDir();
  await using databases = await sharedPostgres();
  const dataDir = unpack(folder.path);
  const url = await databases.newDatabase();
  const env = { DATA_DIR: join(folder.path, 'work'), DISK_RESERVE_BYTES: '0' };

  const there = await runCommand(['move', '--from', dataDir, '--to', url], env);
  expect(there, there.stderr).toMatchObject({ code: 0, stdout: expect.not.stringContaining('DIFFERENT') as string });
  expect(await shownBy({ dataDir: join(folder.path, 'work'), engineEnv: { DATABASE_URL: url } })).toEqual(expected);
  const back = await runCommand(['move', '--from', url, '--to', join(folder.path, 'back')], env);
  expect(back, back.stderr).toMatchObject({ code: 0, stdout: expect.not.stringContaining('DIFFERENT') as string });
  expect(await shownBy({ dataDir: join(folder.path, 'back') })).toEqual(expected);
});

function unpack(folder: string): string {
  execFileSync('tar', ['-xzf', kept, '-C', folder]);
  return join(folder, 'data');
}

/** The first hit of each query, once nothing waits any more, and the documents by name. */
async function shownBy(place: ServerOptions): Promise<unknown> {
  const server = await startServer(place);
  try {
    const { tasks } = (await (await fetch(`${server.url}/tasks`)).json()) as { tasks: WireTask[] };
    for (const { task_id } of tasks) await ended(server.url, task_id);
    const found: Record<string, string> = {};
    for (const query of Object.keys(expected.found)) {
      const [hit] = await search(server.url, query);
      found[query] = `${hit?.citation.doc_id}: ${hit?.text}`;
    }
    const { documents } = (await (await fetch(`${server.url}/documents`)).json()) as { documents: { doc_id: string }[] };
    return { found, documents: documents.map(({ doc_id }) => doc_id).sort() };
  } finally {
    await server.stop();
  }
}
