import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { text } from 'node:stream/consumers';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { IngestReport } from '../../src/cli/ingest-report.ts';
import { runCommand, startCommand } from '../support/command.ts';
import { insert, makeDataDir, removeDir, search, startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

vi.setConfig({ testTimeout: 120_000 });

let folder: string;
const brokenPdf = Buffer.concat([Buffer.from('%PDF-1.7\n'), Buffer.alloc(2000, 0x8f)]);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rag-intake-cli-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('ingest', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer({ dataDir: await makeDataDir(), rigged: true });
  });

  afterAll(async () => {
    await server.stop();
    await removeDir(server.dataDir);
  });

  it('brings a folder in, says what failed and why, and ends with 1', async () => {
    await writeReports(8);
    await mkdir(join(folder, '报告', '内'), { recursive: true });
    await writeFile(join(folder, '报告', '内', '年度.txt'), '年度水泵检修报告');
    await writeFile(join(folder, 'broken.pdf'), brokenPdf);

    const { code, stdout, stderr } = await runCommand(['ingest', folder, '--prefix', 'first/'], { RAG_INTAKE_URL: server.url });

    expect(code).toBe(1);
    expect(stdout).toContain('10 files');
    expect(stdout).toContain('9 inserted, 0 already there, 1 failed, 0 not sent.');
    expect(stdout).toContain('broken.pdf: ');
    expect(stderr.split('\n').filter((line) => line !== '').length).toBe(10);
    expect(server.log()).toContain('"msg":"batch accepted"');
    const [hit] = await search(server.url, '水泵检修');
    expect(hit!.citation.doc_id).toMatch(/^first\/rag-intake-cli-.*\/报告\/内\/年度\.txt$/);
  });

  it('run again, sends only what is missing', async () => {
    await writeReports(5);
    const args = ['ingest', folder, '--json'];
    await runCommand(args, { RAG_INTAKE_URL: server.url });
    const tasksBefore = await countTasks();
    await writeFile(join(folder, 'report-2.txt'), 'A corrected report about valves');
    await writeFile(join(folder, 'report-9.txt'), 'A new report about pumps');

    const report = json(await runCommand(args, { RAG_INTAKE_URL: server.url }));

    expect(report).toMatchObject({ files: 6, inserted: 2, present: 4, failed: 0, not_sent: 0 });
    expect(report.documents.filter(({ outcome }) => outcome === 'inserted').map(({ path }) => path.slice(-12))).toEqual([
      'report-2.txt',
      'report-9.txt',
    ]);
    expect((await countTasks()) - tasksBefore).toBe(2);
  });

  it('run again, says again what failed without sending it again, unless told to', async () => {
    await writeFile(join(folder, 'broken.pdf'), brokenPdf);
    const args = ['ingest', folder, '--json'];
    const first = json(await runCommand(args, { RAG_INTAKE_URL: server.url }));
    const second = json(await runCommand(args, { RAG_INTAKE_URL: server.url }));
    const third = json(await runCommand([...args, '--again'], { RAG_INTAKE_URL: server.url }));

    expect(second.documents).toEqual(first.documents);
    expect(third.documents[0]).toMatchObject({ outcome: 'failed', error: first.documents[0]!.error });
    expect(third.documents[0]!.task_id).not.toBe(first.documents[0]!.task_id);
  });

  it('says of an empty file what the server says', async () => {
    await writeFile(join(folder, 'empty.txt'), '');

    const report = json(await runCommand(['ingest', folder, '--json'], { RAG_INTAKE_URL: server.url }));

    expect(report.documents[0]).toMatchObject({
      outcome: 'failed',
      error: 'Invalid document: Empty file: empty.txt',
      error_code: 'invalid_document',
    });
  });

  it('reports every entry that cannot be read, sends the rest, and ends with 1', async () => {
    await writeFile(join(folder, 'good.txt'), 'A good file about condors');
    await writeFile(Buffer.concat([Buffer.from(`${folder}/caf`), Buffer.from([0xe9]), Buffer.from('.txt')]), 'Latin');
    await writeFile(join(folder, 'Fo\u0308rmlich.txt'), 'decomposed');
    await writeFile(join(folder, 'F\u00f6rmlich.txt'), 'composed');
    await writeFile(join(folder, 'line\nbreak.txt'), 'x');
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    await symlink('loop', join(folder, 'loop'));
    await mkdir(join(folder, 'inner'));
    await writeFile(join(folder, 'inner', 'deep.txt'), 'Deep below, about condors');

    const run = await runCommand(
      ['ingest', folder, join(folder, 'pipe'), join(folder, 'loop'), join(folder, 'gone.txt'), '--json'],
      {
        RAG_INTAKE_URL: server.url,
      },
    );
    const report = json(run) as IngestReport & { passed_over: string[] };
    const failed = new Map(
      report.documents
        .filter(({ outcome }) => outcome === 'failed')
        .map(({ path, error }) => [path.slice(folder.length + 1), error]),
    );

    expect([run.code, report.inserted, report.failed]).toEqual([1, 3, 6]);
    expect(Object.fromEntries(failed)).toMatchObject({
      'caf\ufffd.txt': 'Its name is not UTF-8; rename it.',
      'F\u00f6rmlich.txt': expect.stringContaining('It would have the doc_id') as string,
      pipe: 'It is not a file but a pipe, a socket or a device.',
      loop: 'It is a link that leads back to itself.',
      'gone.txt': 'It no longer exists.',
      'line\nbreak.txt': expect.stringContaining('control characters') as string,
    });
    expect(report.passed_over.map((path) => basename(path))).toEqual(['loop', 'pipe']);
  });

  describe('--mirror', () => {
    const paths = async (): Promise<string[]> => {
      const { documents } = (await (await fetch(`${server.url}/documents?limit=1000`)).json()) as {
        documents: { doc_id: string }[];
      };
      const own = `${basename(folder)}/`;
      return documents.flatMap(({ doc_id: docId }) => (docId.startsWith(own) ? [docId.slice(own.length)] : [])).sort();
    };
    const run = (...more: string[]): ReturnType<typeof runCommand> =>
      runCommand(['ingest', folder, '--mirror', ...more], { RAG_INTAKE_URL: server.url });

    it('removes what has gone from the folder, and nothing else', async () => {
      await mkdir(join(folder, 'sub'));
      await writeFile(join(folder, 'a.txt'), 'kept words');
      await writeFile(join(folder, 'sub', 'b.txt'), 'removedzebra words');
      await fetch(`${server.url}/documents/${basename(folder)}x`, { method: 'PUT', body: 'begins alike' });
      await run();
      await rm(join(folder, 'sub', 'b.txt'));
      const again = await run();

      expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('Deleted from the server: 1.')]);
      expect(await paths()).toEqual(['a.txt']);
      expect(await search(server.url, 'removedzebra')).toEqual([]);
      expect((await fetch(`${server.url}/documents/${basename(folder)}x`)).status).toBe(200);
    });

    it('removes nothing for a folder that is empty or lost most of it, until it is told yes', async () => {
      await writeReports(5);
      await run();
      for (const number of [1, 2, 3, 4]) await rm(join(folder, `report-${number}.txt`));
      const most = await run();
      await rm(join(folder, 'report-5.txt'));
      const all = await run();
      const before = (await paths()).length;
      const told = await run('--yes');

      expect([most.code, all.code, before]).toEqual([1, 1, 5]);
      expect(most.stdout).toContain('4 of its 5 documents are no longer in it. If this is intended, add --yes.');
      expect([told.code, await paths()]).toEqual([0, []]);
    });

    it('removes nothing where not all could be read, and keeps what is passed over or fails', async () => {
      await writeReports(5);
      await run();
      await rm(join(folder, 'report-1.txt'));
      const odd = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff])]);
      await writeFile(odd, 'x');
      const unseen = await run('--yes');
      await rm(odd);
      await rm(join(folder, 'report-2.txt'));
      await symlink('report-3.txt', join(folder, 'report-2.txt'));
      await run();

      expect([unseen.code, unseen.stdout]).toEqual([1, expect.stringContaining('not all of it could be read')]);
      expect(await paths()).toEqual([2, 3, 4, 5].map((number) => `report-${number}.txt`));
    });

    it('keeps what comes into the folder and onto the server while it is at work', async () => {
      await writeFile(join(folder, 'wait-3000.txt'), 'takes its time');
      const own = basename(folder);
      const running = run('--yes');
      await until('it is at work', async () => {
        const { tasks } = (await (await fetch(`${server.url}/tasks?status=processing`)).json()) as { tasks: { doc_id: string }[] };
        return tasks.some(({ doc_id: docId }) => docId.startsWith(`${own}/`));
      });
      await writeFile(join(folder, 'late.txt'), 'came later');
      const put = await fetch(`${server.url}/documents/${own}%2Flate.txt`, { method: 'PUT', body: 'came later' });
      const { code } = await running;

      expect([put.status, code]).toEqual([200, 0]);
      expect(await paths()).toEqual(['late.txt', 'wait-3000.txt']);
    });

    it('keeps what any of two folders of one name holds, and removes what neither does', async () => {
      const both = [join(folder, 'a', basename(folder)), join(folder, 'b', basename(folder))];
      for (const [at, path] of both.entries()) {
        await mkdir(path, { recursive: true });
        for (const number of [1, 2, 3]) await writeFile(join(path, `${'ab'[at]}-${number}.txt`), `report ${at} ${number}`);
      }
      const mirrorBoth = (): ReturnType<typeof runCommand> =>
        runCommand(['ingest', ...both, '--mirror'], { RAG_INTAKE_URL: server.url });
      const first = await mirrorBoth();
      const kept = await paths();
      await rm(join(both[0]!, 'a-1.txt'));
      const second = await mirrorBoth();
      const less = await paths();
      await rename(both[0]!, join(folder, 'a', 'elsewhere'));
      await mkdir(both[0]!);
      await rm(join(both[1]!, 'b-1.txt'));
      const most = await mirrorBoth();

      expect([first.code, kept]).toEqual([0, ['a-1.txt', 'a-2.txt', 'a-3.txt', 'b-1.txt', 'b-2.txt', 'b-3.txt']]);
      expect([second.code, less]).toEqual([0, kept.slice(1)]);
      expect([most.code, await paths()]).toEqual([1, less]);
      expect(most.stdout).toContain(`Nothing was deleted for ${both.join(', ')}: 3 of its 5 documents`);
    });

    it('stops what is on its way to be a document of a file that has gone', async () => {
      await writeFile(join(folder, 'kept.txt'), 'kept');
      const sent = await insert(
        server.url,
        `${basename(folder)}/gone.txt`,
        { name: 'wait-60000.txt', bytes: 'gone' },
        { prefer: 'respond-async' },
      );
      const { task_id: taskId } = (await sent.json()) as { task_id: string };

      const { code, stdout } = await run('--yes');
      const task = (await (await fetch(`${server.url}/task/${taskId}`)).json()) as { status: string };

      expect([code, stdout]).toEqual([0, expect.stringContaining('Deleted from the server: 1.')]);
      expect([task.status, await paths()]).toEqual(['failed', ['kept.txt']]);
    });

    it('is for folders', async () => {
      await writeReports(1);
      const { code, stderr } = await runCommand(['ingest', join(folder, 'report-1.txt'), '--mirror'], {
        RAG_INTAKE_URL: server.url,
      });

      expect([code, stderr]).toEqual([2, expect.stringContaining('--mirror needs folders')]);
    });
  });

  it('passes over links and dot files, and says so', async () => {
    await writeFile(join(folder, '.DS_Store'), 'x');
    await writeFile(join(folder, 'a.txt'), 'Alpha');

    const { stdout, code } = await runCommand(['ingest', folder], { RAG_INTAKE_URL: server.url });

    expect(code).toBe(0);
    expect(stdout).toMatch(/Skipped \(links, devices, dot files\): .*\.DS_Store/);
  });

  async function countTasks(): Promise<number> {
    const { tasks } = (await (await fetch(`${server.url}/tasks?limit=1000`)).json()) as { tasks: unknown[] };
    return tasks.length;
  }
});

describe('ingest, when the server goes away', () => {
  it('goes on by itself when it comes back, and every file is in once', async () => {
    const dataDir = await makeDataDir();
    let server = await startServer({ dataDir });
    const { port } = new URL(server.url);
    await writeReports(25);

    const run = startCommand(['--url', server.url, 'ingest', folder, '--json']);
    await until(
      'some are in',
      async () =>
        ((await (await fetch(`${server.url}/documents?limit=100`)).json()) as { documents: unknown[] }).documents.length > 3,
    );
    await server.kill();
    server = await startServer({ dataDir, env: { PORT: port } });
    const report = json(await run.result);

    expect(report).toMatchObject({ files: 25, inserted: 25, failed: 0, not_sent: 0, stopped: null });
    const { documents } = (await (await fetch(`${server.url}/documents?limit=1000`)).json()) as { documents: unknown[] };
    expect(documents.length).toBe(25);
    await server.stop();
    await removeDir(dataDir);
  }, 240_000);

  it('ends with 75 and says how to go on when nobody is there', async () => {
    await writeReports(2);

    const { code, stdout } = await runCommand(['--url', 'http://127.0.0.1:9', '--patience', '0', 'ingest', folder]);

    expect(code).toBe(75);
    expect(stdout).toContain('2 not sent');
    expect(stdout).toContain('Stopped: http://127.0.0.1:9/ does not answer: nothing listens there');
    expect(stdout).toContain('Run the same command again to continue where it stopped.');
  });
});

describe('ingest, with a server that', () => {
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  let requests: IncomingMessage[];
  let server: Server;
  let url: string;

  beforeEach(async () => {
    requests = [];
    server = createServer((request, response) => {
      requests.push(request);
      if (request.url === '/config') return sendJson(response, 200, { version: '1', file_bytes_max: 100 * 1024 * 1024 });
      if (request.url?.startsWith('/tasks')) return sendJson(response, 200, { tasks: [], next_cursor: null });
      if (request.method === 'GET' && request.url?.startsWith('/documents/'))
        return sendJson(response, 404, { detail: 'Document not found' });
      answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('is busy: waits as long as it is asked to, then sends again', async () => {
    await writeReports(1);
    let puts = 0;
    const times: number[] = [];
    answer = (request, response) => {
      if (request.method !== 'PUT')
        return sendJson(response, 200, { task_id: 't', status: 'completed', result: { pages: 3, chunks: 7 } });
      request.resume();
      times.push(performance.now());
      puts += 1;
      if (puts === 1) return sendJson(response, 503, { detail: 'The queue is full' }, { 'retry-after': '1' });
      sendJson(response, 202, { task_id: 't' });
    };

    const report = json(await runCommand(['--url', url, 'ingest', folder, '--json']));

    expect(report.documents[0]).toMatchObject({ outcome: 'inserted', pages: 3, chunks: 7 });
    expect(puts).toBe(2);
    expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(990);
  });

  it('takes batches: sends small files together, and those by themselves that got no answer', async () => {
    await writeReports(40);
    await writeFile(join(folder, 'large.txt'), Buffer.alloc(300 * 1024, 'large '));
    const done = { task_id: 't', status: 'completed', result: { pages: 3, chunks: 7 } };
    const lineOf = ({ doc_id }: { doc_id: string }, i: number): object =>
      doc_id.endsWith('/report-7.txt')
        ? { line: i + 1, doc_id, error: { status: 422, code: 'invalid_request', detail: 'Not this one.' } }
        : { line: i + 1, doc_id, task_id: 't', status: 'pending', status_url: '/task/t' };
    let lines = 0;
    answer = (request, response) => {
      if (request.url?.includes('report-7.txt') === true)
        return sendJson(response, 422, { code: 'invalid_request', detail: 'Not this one.' });
      if (request.url?.startsWith('/documents:batch') !== true)
        return sendJson(response, request.method === 'PUT' ? 202 : 200, done);
      void text(request).then((body) => {
        const documents = body.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as { doc_id: string }]));
        lines += documents.length;
        // The server stops in the middle of it: what comes after the third line is not answered.
        const answered = documents.map(lineOf).slice(0, lines === documents.length ? 3 : Infinity);
        response.writeHead(200, { 'content-type': 'application/x-ndjson' });
        response.end(answered.map((each) => `${JSON.stringify(each)}\n`).join(''));
      });
    };

    const report = json(await runCommand(['--url', url, 'ingest', folder, '--json']));

    expect(report).toMatchObject({ files: 41, inserted: 40, failed: 1 });
    expect(report.documents.find(({ outcome }) => outcome === 'failed')).toMatchObject({
      error: 'Not this one.',
      error_code: 'invalid_request',
    });
    const count = (method: string): number => requests.filter((request) => request.method === method).length;
    expect(lines).toBe(40);
    expect(count('POST')).toBeLessThan(20);
    expect(count('PUT')).toBeGreaterThanOrEqual(1);
    expect(requests.some(({ method, url: path }) => method === 'PUT' && path!.includes('large.txt'))).toBe(true);
  });

  it('stays busy: gives the file up when its patience ends, with the sentence of the server', async () => {
    await writeReports(1);
    answer = (request, response) => {
      request.resume();
      sendJson(response, 503, { detail: 'The queue is full' }, { 'retry-after': '1' });
    };

    const report = json(await runCommand(['--url', url, '--patience', '1', 'ingest', folder, '--json']));

    expect(report.documents[0]).toMatchObject({ outcome: 'failed', error: 'The queue is full' });
  });

  it('is gone behind its proxy: stops the whole run with 75 instead of failing every file', async () => {
    await writeReports(6);
    answer = (request, response) => {
      request.resume();
      response.writeHead(502, { 'content-type': 'text/html' }).end('<html>Bad Gateway</html>');
    };

    const { code, stdout } = await runCommand(['--url', url, '--patience', '0', 'ingest', folder]);

    expect(code).toBe(75);
    expect(stdout).toContain('0 failed, 6 not sent');
    expect(stdout).toContain('does not answer: a proxy answered 502');
  });

  it('answers before it has the whole file: believes the answer', async () => {
    await writeFile(join(folder, 'large.bin'), Buffer.alloc(40 * 1024 * 1024));
    answer = (_request, response) =>
      sendJson(response, 507, { detail: 'Not enough disk space on the server.' }, { connection: 'close' });

    const report = json(await runCommand(['--url', url, 'ingest', folder, '--json']));

    expect(report.documents[0]).toMatchObject({ outcome: 'failed', error: 'Not enough disk space on the server.' });
  });

  it('refuses the key: stops at once with 3, and the key is in no URL', async () => {
    await writeReports(20);
    answer = (request, response) => {
      request.resume();
      sendJson(response, 401, { detail: 'This API key is not valid.' });
    };

    const { code, stdout } = await runCommand(['--url', url, 'ingest', folder, '--parallel', '2'], {
      RAG_INTAKE_KEY: 'rk_secret-secret-secret',
    });

    expect(code).toBe(3);
    expect(stdout).toContain('Stopped: This API key is not valid. This command takes the key from RAG_INTAKE_KEY or --key.');
    expect(requests.filter(({ method }) => method === 'PUT').length).toBeLessThanOrEqual(2);
    expect(
      requests.every(
        ({ url: path, headers }) => !path!.includes('secret') && headers.authorization === 'Bearer rk_secret-secret-secret',
      ),
    ).toBe(true);
  });

  it('takes less than a file holds: the file is not even sent', async () => {
    const { open } = await import('node:fs/promises');
    const file = await open(join(folder, 'huge.bin'), 'w');
    await file.truncate(100 * 1024 * 1024 + 1);
    await file.close();

    const report = json(await runCommand(['--url', url, 'ingest', folder, '--json']));

    expect(report.documents[0]).toMatchObject({
      outcome: 'failed',
      error: 'The file is too large: the server accepts 100.0 MB at most.',
    });
    expect(requests.some(({ method }) => method === 'PUT')).toBe(false);
  });

  it('serves below a path prefix: keeps to it', async () => {
    const { code, stderr } = await runCommand(['--url', `${url}/rag/`, 'task', 'a b/c']);

    expect({ code, stderr }).toMatchObject({ code: 1 });
    expect(requests.at(-1)!.url).toBe('/rag/task/a%20b%2Fc');
  });

  beforeEach(() => {
    answer = (_request, response) => sendJson(response, 404, { detail: 'Task not found' });
  });
});

describe('ingest refuses', () => {
  it.each([
    [['ingest'], "missing required argument 'paths'"],
    [['ingest', '/no/such/place'], 'There is no such file or folder: /no/such/place'],
    [['--url', 'http://key:secret@127.0.0.1:9', 'tasks'], 'must not contain a key or password'],
    [['--url', 'ftp://127.0.0.1', 'tasks'], 'not the URL of a server'],
    [['ingest', '--parallel', '0', '.'], 'a whole number from 1 to 64'],
  ])('%j with 2', async (args, sentence) => {
    const { code, stderr } = await runCommand(args);

    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(sentence) as string });
  });

  it('two files that would be one document', async () => {
    for (const name of ['a', 'b']) {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, 'same.txt'), name);
    }

    const { code, stderr } = await runCommand(['ingest', join(folder, 'a', 'same.txt'), join(folder, 'b', 'same.txt')]);

    expect(code).toBe(2);
    expect(stderr).toContain('would both have the doc_id same.txt');
  });
});

async function writeReports(count: number): Promise<void> {
  for (let number = 1; number <= count; number += 1)
    await writeFile(join(folder, `report-${number}.txt`), `Report ${number} about pumps and valves, written for test ${folder}`);
}

function json({ stdout }: { stdout: string }): IngestReport {
  return JSON.parse(stdout) as IngestReport;
}

function sendJson(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}
