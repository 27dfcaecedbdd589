import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePdf } from '../support/pdf-writer.ts';
import { makeDataDir, removeDir, startServer, type TestServer } from '../support/server.ts';

/** With a letter that one encoding has and another has not, and one that only UTF-8 has. */
const password = 'gehéim-密-4711';
const latin = 'gehéim-4711';
const locked = makePdf({ pages: [['A secret zebrafish swims.']], userPassword: latin });
const command = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

let server: TestServer;
let dataDir: string;

beforeAll(async () => {
  dataDir = await makeDataDir();
  server = await startServer({ dataDir, env: { LOG_LEVEL: 'debug' } });
});
afterAll(async () => {
  await server.stop();
  await removeDir(dataDir);
});

type Answer = { readonly status: number; readonly body: Record<string, unknown> };

async function ask(path: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(`${server.url}${path}`, init);
  return { status: response.status, body: JSON.parse((await response.text()).split('\n')[0]!) as Record<string, unknown> };
}

/** As clients send a header that is no ASCII: the bytes of its UTF-8. */
function headerOf(text: string): Record<string, string> {
  return { 'x-document-password': Buffer.from(text).toString('latin1') };
}

function formOf(fields: Readonly<Record<string, string>>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append('file', new Blob([locked]), 'locked.pdf');
  return form;
}

async function taskEnded(id: unknown): Promise<Record<string, unknown>> {
  return (await ask(`/task/${String(id)}?wait=30`, {})).body;
}

function filesBelow(folder: string): string[] {
  return (readdirSync(folder, { recursive: true }) as string[])
    .map((name) => join(folder, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true);
}

/** Nothing of a file that is gone meanwhile. */
function bytesOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
}

describe('a protected file', () => {
  it('is read with the password in the form, in the header, in a batch, and where nothing is kept', async () => {
    const put = await ask('/documents/by-header', { method: 'PUT', body: locked, headers: headerOf(latin) });
    const form = await ask('/insert?doc_id=by-form', { method: 'POST', body: formOf({ password: latin }) });
    const line = { doc_id: 'by-batch', filename: 'b.pdf', file_base64: locked.toString('base64'), password: latin };
    const batch = await ask('/documents:batch', {
      method: 'POST',
      body: `${JSON.stringify(line)}\n`,
      headers: { 'content-type': 'application/x-ndjson' },
    });
    const parsed = await ask('/parse?filename=a.pdf', { method: 'POST', body: locked, headers: headerOf(latin) });
    const parsedForm = await ask('/parse', { method: 'POST', body: formOf({ password: latin }) });

    expect([put.status, form.status]).toEqual([200, 200]);
    expect(await taskEnded(batch.body['task_id'])).toMatchObject({ status: 'completed' });
    expect([parsed.body['markdown'], parsedForm.body['markdown']]).toEqual(Array(2).fill('A secret zebrafish swims.'));
  });

  it('is refused without one, with a wrong one and with one in the address, in sentences that do not repeat it', async () => {
    const without = await ask('/parse?filename=a.pdf', { method: 'POST', body: locked });
    const wrong = await ask('/parse?filename=a.pdf', { method: 'POST', body: locked, headers: headerOf(password) });
    const inAddress = await ask('/documents/x?password=zebra-77', { method: 'PUT', body: locked });
    const twice = await ask('/parse', { method: 'POST', body: formOf({ password: latin }), headers: headerOf(password) });

    expect([without.status, wrong.status, inAddress.status, twice.status]).toEqual([400, 400, 422, 422]);
    expect([without.body['error_code'], wrong.body['error_code']]).toEqual(['encrypted', 'encrypted']);
    expect(without.body['detail']).toMatch(/send the password with it/);
    expect(wrong.body['detail']).toMatch(/the password sent with it does not open it/);
    expect(JSON.stringify([without, wrong, twice])).not.toMatch(/4711/);
  });

  it('leaves its password in no file and in no line of the log once its task has ended, whatever came of it [S73]', async () => {
    const failed = await ask('/documents/failed', { method: 'PUT', body: locked, headers: headerOf(password) });
    expect(failed.status).toBe(400);
    const task = await ask(`/documents/by-header`, {});
    expect(JSON.stringify(task)).not.toContain('password');

    const needles = [latin, password].flatMap((text) => [
      Buffer.from(text),
      Buffer.from(text, 'latin1'),
      Buffer.from(text, 'utf16le'),
    ]);
    const holding = filesBelow(dataDir).filter((path) => needles.some((needle) => bytesOf(path).includes(needle)));
    expect(holding).toEqual([]);
    expect(
      needles.some((needle) => server.log().includes(needle.toString('latin1')) || server.log().includes(needle.toString())),
    ).toBe(false);
  });

  it('is read by the command with the first line of a file', async () => {
    const path = join(dataDir, '..', `locked-${process.pid}.pdf`);
    const secret = `${path}.secret`;
    writeFileSync(path, locked);
    writeFileSync(secret, `${latin}\n`);
    try {
      const run = promisify(execFile);
      const read = await run(process.execPath, [command, 'parse', path, '--password-file', secret]);
      expect(read.stdout).toBe('A secret zebrafish swims.\n');
      await run(process.execPath, [command, '--url', server.url, 'ingest', path, '--prefix', 'cli/', '--password-file', secret]);
      const found = await ask(`/documents/${encodeURIComponent(`cli/locked-${process.pid}.pdf`)}`, {});
      expect(found.status).toBe(200);
    } finally {
      await Promise.all([path, secret].map(removeDir));
    }
  });
});
