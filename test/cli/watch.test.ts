import { appendFile, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startCommand, type RunningCommand } from '../support/command.ts';
import { insert, makeDataDir, removeDir, search, startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { followChanges } from '../support/watched-folder.ts';

let server: TestServer;
let root: string;
let folder: string;
const running: RunningCommand[] = [];

beforeAll(async () => {
  server = await startServer({ dataDir: await makeDataDir(), rigged: true });
});

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'rag-intake-watch-'));
  folder = join(root, `watched-${Math.random().toString(36).slice(2)}`);
  await mkdir(folder);
});

afterEach(async () => {
  for (const command of running.splice(0)) {
    command.process.kill('SIGTERM');
    expect((await command.result).code).toBe(0);
  }
  await rm(root, { recursive: true, force: true });
});

afterAll(async () => {
  await server.stop();
  await removeDir(server.dataDir);
});

describe('rag-intake watch', () => {
  it('brings what is there and what appears, changes, moves or goes', async () => {
    await writeFile(join(folder, '泵.txt'), '离心泵启动前必须排气');
    await writeFile(join(folder, 'valve.txt'), 'The old valve leaks');
    watch('--mirror', '--yes');
    await until('both are there', async () => (await names()).length === 2);

    await mkdir(join(folder, '报告', '内'), { recursive: true });
    await writeFile(join(folder, '报告', '内', '年度.txt'), '年度检修报告全文');
    await writeFile(join(folder, 'valve.txt'), 'The new valve holds');
    await until('the new one is found', async () => (await names()).includes('报告/内/年度.txt'));
    await until(
      'the changed one is found',
      async () => (await search(server.url, 'new valve holds'))[0]?.text === 'The new valve holds',
    );

    await rename(join(folder, '报告'), join(folder, '存档'));
    await rm(join(folder, '泵.txt'));
    await until('what moved is there, and what went is not', async () => String(await names()) === 'valve.txt,存档/内/年度.txt');
  });

  it('leaves on the server what goes from the folder, unless it is told to mirror it', async () => {
    await writeFile(join(folder, 'kept.txt'), 'kept on the server');
    const command = watch();
    await until('it is there', async () => (await names()).length === 1);
    await rm(join(folder, 'kept.txt'));
    await writeFile(join(folder, 'later.txt'), 'comes later');
    await until('the later one is there', async () => (await names()).length === 2);

    expect(await names()).toEqual(['kept.txt', 'later.txt']);
    expect(command.stderr()).toBe('');
  });

  it.each([1, 5])('does not empty the server when a folder of %i has been emptied, and says why', async (count) => {
    for (let number = 1; number <= count; number += 1) await writeFile(join(folder, `${number}.txt`), `file ${number}`);
    const command = watch('--mirror');
    await until('all are there', async () => (await names()).length === count);

    for (const name of await readdir(folder)) await rm(join(folder, name));
    await until('it says so', () => command.stderr().includes('nothing is deleted'));

    expect(await names()).toHaveLength(count);
    expect(command.stderr()).toContain(`${count} of ${count} documents are no longer in`);
  });

  it('removes what an upload of a killed run makes of a file that has gone, though it ends later', async () => {
    const slow = { name: 'wait-4000.txt', bytes: 'What a run sent before it was killed' };
    const sent = await insert(server.url, `${folder.split('/').at(-1)}/gone.txt`, slow, { prefer: 'respond-async' });
    expect(sent.status).toBe(202);
    const { task_id: taskId } = (await sent.json()) as { task_id: string };
    await writeFile(join(folder, 'kept.txt'), 'What is in the folder');

    watch('--mirror', '--yes');

    await until('the upload has ended', async () => {
      const task = (await (await fetch(`${server.url}/task/${taskId}`)).json()) as { status: string };
      return task.status === 'completed';
    });
    await until('the folder is what is there', async () => String(await names()) === 'kept.txt');
  });

  it('never sends a file that is still being written, nor one that will be renamed', async () => {
    watch('--mirror', '--yes');
    await writeFile(join(folder, 'download.pdf.part'), 'half of a download');
    await writeFile(join(folder, '~$letter.docx'), 'open in an office program');
    const name = await grown(folder);
    await until('it is there', async () => (await names()).includes(name));

    expect((await names()).filter((each) => !each.startsWith('growing'))).toEqual([]);
    const { tasks } = (await (await fetch(`${server.url}/tasks?limit=1000`)).json()) as { tasks: { doc_id: string }[] };
    expect(tasks.filter(({ doc_id }) => doc_id.endsWith(`/${name}`))).toHaveLength(1);
    const content = await fetch(`${server.url}/documents/${encodeURIComponent(`${folder.split('/').at(-1)}/${name}`)}/content`);
    expect(await content.text()).toContain('the end');
  });

  it('empties a folder whose files it consumes, and keeps two scans of one name apart', async () => {
    watch('--consume');
    await writeFile(join(folder, 'scan.txt'), 'the first scan');
    await until('the first has gone', async () => (await readdir(folder)).length === 0);
    await writeFile(join(folder, 'scan.txt'), '第二次扫描');
    await until('the second has gone', async () => (await readdir(folder)).length === 0);
    await writeFile(join(folder, 'empty.txt'), '');
    await until('what cannot be read is told of', () => running[0]!.stderr().includes('Empty file'));

    expect(await names()).toHaveLength(2);
    expect((await names()).every((name) => /^scan-[0-9a-f]{12}\.txt$/.test(name))).toBe(true);
    expect(await readdir(folder)).toEqual(['empty.txt']);
  });

  it('says what is wrong with a path that is no folder', async () => {
    const { code, stderr } = await startCommand(['watch', join(folder, 'nowhere')], { RAG_INTAKE_URL: server.url }).result;

    expect(code).toBe(2);
    expect(stderr).toContain('There is no such folder');
  });

  it('ends with what the folder has, whatever happened, and server and watcher killed meanwhile', async () => {
    const outcome = await followChanges({ files: 40, changes: 60, seed: 7 });

    expect(outcome).toMatchObject({ wrong: [], halves: [] });
    expect(outcome.files).toBeGreaterThan(20);
    expect(outcome.slowlyWritten).toBeGreaterThan(0);
  });
});

function watch(...args: string[]): RunningCommand {
  const command = startCommand(['watch', folder, '--settle', '1', '--every', '2', ...args], { RAG_INTAKE_URL: server.url });
  running.push(command);
  return command;
}

/**
 * The name of a file that was written line by line, none of them later than half of the time that a file must have stayed as it is. On a
 * busy machine that may take another try, with another file.
 */
async function grown(into: string): Promise<string> {
  for (let attempt = 0; ; attempt += 1) {
    const name = `growing-${attempt}.txt`;
    let slowestMs = 0;
    for (let line = 0; line < 12; line += 1) {
      const startedAt = performance.now();
      await appendFile(join(into, name), line === 11 ? 'the end' : `line ${line}\n`);
      if (line < 11) await new Promise((resolve) => setTimeout(resolve, 250));
      slowestMs = Math.max(slowestMs, performance.now() - startedAt);
    }
    if (slowestMs < 500) return name;
  }
}

/** The doc_ids of this folder, without its own name. */
async function names(): Promise<string[]> {
  const prefix = `${folder.split('/').at(-1)}/`;
  const { documents } = (await (await fetch(`${server.url}/documents?limit=1000`)).json()) as { documents: { doc_id: string }[] };
  return documents
    .map(({ doc_id: docId }) => docId)
    .filter((docId) => docId.startsWith(prefix))
    .map((docId) => docId.slice(prefix.length))
    .toSorted();
}
