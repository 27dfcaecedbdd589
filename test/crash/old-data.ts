/**
 * Makes `test/fixtures/data-0.1.0.tar.gz` again: a small data directory as the kept version 0.1.0 leaves it, with documents in two
 * languages, one replaced, one removed, one that failed and one that still waits. `node test/crash/old-data.ts`
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ended, insert, startProcess, startServer, type WireTask } from '../support/server.ts';
import { tempDir } from '../support/temp-dir.ts';
import { checkOut } from './rolling.ts';

const fixtures = fileURLToPath(new URL('../fixtures', import.meta.url));

await using dir = await tempDir();
const main = checkOut(dir.path);
const dataDir = join(dir.path, 'data');
mkdirSync(dataDir);
const worker = await startProcess({ dataDir, main, args: ['worker'] });
const server = await startServer({ dataDir, main, args: ['--role', 'api'] });
await upload('warranty', 'warranty.txt', 'The warranty lasts 24 months.');
await upload('保修', '保修说明.md', '# 保修\n\n水泵的保修期为二十四个月。\n');
await upload('prices', 'prices.csv', 'part,price\npump,120\n');
await upload('prices', 'prices.csv', 'part,price\npump,150\nvalve,30\n');
await upload('gone', 'gone.txt', 'This text is removed again.');
await fetch(`${server.url}/documents/gone`, { method: 'DELETE' });
await upload('broken', 'broken.pdf', '%PDF-1.7 and no more');
await worker.stop();
await insert(server.url, 'late', { name: 'late.txt', bytes: 'A text that nobody had read yet.' }, { prefer: 'respond-async' });
await server.stop();
mkdirSync(fixtures, { recursive: true });
execFileSync('tar', ['--sort=name', '-czf', join(fixtures, 'data-0.1.0.tar.gz'), '-C', dir.path, 'data']);

async function upload(docId: string, name: string, bytes: string): Promise<void> {
  const answer = (await (await insert(server.url, docId, { name, bytes }, { prefer: 'respond-async' })).json()) as WireTask;
  console.log(docId, (await ended(server.url, answer.task_id)).status);
}
