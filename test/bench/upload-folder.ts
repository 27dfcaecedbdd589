/**
 * `npm run hostile:folder -- FOLDER`: uploads every file below FOLDER to a real server with the usual settings, four at a time, and prints how
 * they ended. Exits with 1 when one of them met an error of the server, or no answer at all: those are listed.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { ended, insert, makeDataDir, removeDir, startServer, type TestServer } from '../support/server.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('npm run hostile:folder -- FOLDER');

/** What a file may be refused with: all of it is said of the file. */
const ofTheFile = ['unsupported_format', 'encrypted', 'corrupt', 'no_text', 'limit_exceeded', 'timeout', 'invalid_document'];

const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name));
const dataDir = await makeDataDir();
const server = await startServer({ dataDir, env: { LOG_LEVEL: 'error' } });
const outcomes = new Map<string, number>();
const failures: string[] = [];
const left = files.values();
await Promise.all(Array.from({ length: 4 }, () => uploadAll(server)));
await server.stop();
await removeDir(dataDir);

console.table(Object.fromEntries([...outcomes].toSorted(([one], [other]) => (one < other ? -1 : 1))));
for (const failure of failures) console.log(failure);
console.log(`${files.length} files, ${failures.length} errors of the server`);
process.exit(failures.length === 0 ? 0 : 1);

async function uploadAll(on: TestServer): Promise<void> {
  for (const path of left) {
    const outcome = await upload(on, path).catch((error: unknown) => `no answer: ${String(error)}`);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    if (outcome !== 'completed' && !ofTheFile.includes(outcome)) failures.push(`${relative(folder!, path)}: ${outcome}`);
  }
}

/** `completed`, or the code with which it was refused. */
async function upload({ url }: TestServer, path: string): Promise<string> {
  const answer = await insert(url, relative(folder!, path).slice(-256), { name: basename(path), bytes: readFileSync(path) });
  const body = (await answer.json()) as { task_id?: string; error_code?: string; code?: string };
  if (answer.status === 200) return 'completed';
  if (answer.status !== 202) return answer.status >= 500 ? `HTTP ${answer.status}` : (body.error_code ?? body.code ?? '');
  const task = await ended(url, body.task_id!, 600_000);
  return task.status === 'completed' ? 'completed' : task.error_code!;
}
