/** Tries what a parser that was led astray might: tells its parent by which error each attempt ended, or that it went well. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

const [dataDir, programDir, outsideDir] = process.argv.slice(2) as [string, string, string];

const attempts: Record<string, () => unknown> = {
  'read the program': () => readFileSync(join(programDir, 'package.json')),
  'write data': () => writeFileSync(join(dataDir, 'own'), 'x'),
  'read data': () => readFileSync(join(dataDir, 'own')),
  'use a temporary folder': () => rmSync(mkdtempSync(join(tmpdir(), 'rag-intake-')), { recursive: true }),
  'read outside': () => readFileSync(join(outsideDir, 'secret')),
  'read outside through the data': () => readFileSync(join(dataDir, '..', 'outside', 'secret')),
  'read the settings of the process': () => readFileSync('/proc/self/environ'),
  'write outside': () => writeFileSync(join(outsideDir, 'new'), 'x'),
  'change the program': () => writeFileSync(join(programDir, 'src', 'planted.ts'), 'x'),
  'run a program': () => spawnSync('true'),
  'load an add-on': () => process.dlopen({ exports: {} }, join(dataDir, 'own')),
};

const read = (file: string): string => `require('node:fs').readFileSync(${JSON.stringify(file)})`;
const thread = new Worker(
  `try { ${read(join(outsideDir, 'secret'))} } catch (error) { require('node:worker_threads').parentPort.postMessage(error.code) }`,
  {
    eval: true,
  },
);
thread.once('message', (code: string) => {
  const ends = Object.entries(attempts).map(([name, attempt]) => [name, endOf(attempt)]);
  process.send!({ ...Object.fromEntries(ends), 'read outside from a thread': code });
});

function endOf(attempt: () => unknown): string {
  try {
    attempt();
    return 'done';
  } catch (error) {
    return (error as { code: string }).code;
  }
}
