/**
 * A move from a data directory in which somebody has changed something: every file in every way. It ends in a sentence, or brings what
 * was there before; what is damaged is never brought as if it were whole.
 */
import { cp, readdir, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { CliError } from '../../src/cli/cli-error.ts';
import { move } from '../../src/cli/move.ts';
import { explainStart } from '../../src/start-error.ts';
import { insert, startProcess, startServer } from '../support/server.ts';
import { ways } from '../support/tampering.ts';
import { tempDir } from '../support/temp-dir.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 60_000 });

/** One case in so many is tried; `TAMPER_EVERY=1` tries all. */
const every = Number(process.env['TAMPER_EVERY'] ?? 11);

let dir: Awaited<ReturnType<typeof tempDir>>;
let dataDir: string;
let whole: string;

beforeAll(async () => {
  dir = await tempDir();
  dataDir = join(dir.path, 'data');
  vi.stubEnv('DATA_DIR', join(dir.path, 'work'));
  vi.stubEnv('DISK_RESERVE_BYTES', '0');
  const server = await startServer({ dataDir });
  await insert(server.url, '合同', { name: 'a.txt', bytes: 'The text of a contract.' });
  await server.stop();
  const frontEnd = await startProcess({ dataDir, args: ['--role', 'api'] });
  await insert(frontEnd.url, 'waiting', { name: 'b.txt', bytes: 'It waits.' }, { prefer: 'respond-async' });
  await frontEnd.stop();
  whole = await moved(dataDir);
});
afterAll(() => {
  vi.unstubAllEnvs();
  return dir[Symbol.asyncDispose]();
});

/** The digests of all that was brought. */
async function moved(from: string): Promise<string> {
  const to = join(dir.path, 'target');
  const progress = { begin() {}, step() {}, note() {}, end() {} };
  try {
    const { same, json, text } = await move(from, to, { progress, patienceMs: 0, signal: new AbortController().signal });
    return same ? JSON.stringify(json) : text.slice(text.lastIndexOf('\n') + 1);
  } finally {
    await rm(to, { recursive: true, force: true });
  }
}

it('[S57] every file, in every way: refused in a sentence, or brought as it was', async () => {
  const entries = await readdir(dataDir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => relative(dataDir, join(entry.parentPath, entry.name)));
  const outcomes = new Map<string, string>();
  let count = 0;
  for (const file of files.toSorted())
    for (const [way, change] of Object.entries(ways)) {
      if ((count += 1) % every !== 0 || isAsExpired(file, way)) continue;
      const from = join(dir.path, 'tampered');
      await cp(dataDir, from, { recursive: true });
      await change(join(from, file), join(dir.path, 'outside'));
      outcomes.set(`${file} ${way}`, await outcome(from));
      await rm(from, { recursive: true, force: true });
    }

  expect([...outcomes].filter(([, said]) => said !== 'as it was' && !/^[^\n]{10,500}$/.test(said))).toEqual([]);
  expect([...outcomes].filter(([name, said]) => /documents.*(original|content|chunks)/.test(name) && said === 'as it was')).toEqual(
    [],
  );
});

/** A record of a task that is not there any more: so are those that were kept for long enough. */
function isAsExpired(file: string, way: string): boolean {
  return file.startsWith('tasks/') && ['removed', 'made a link', 'made a folder', 'made a pipe'].includes(way);
}

async function outcome(from: string): Promise<string> {
  try {
    const said = await moved(from);
    if (said === whole) return 'as it was';
    return said.startsWith('{') ? 'it is\nnot what it was' : said;
  } catch (error) {
    if (error instanceof CliError) return error.message;
    const known = explainStart(error, { host: '', port: 0, dataDir: from });
    return known?.sentences.join(' ') ?? `a stack:\n${(error as Error).stack}`;
  }
}
