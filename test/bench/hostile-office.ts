/**
 * Runs every hostile office file of test/support/hostile-office.ts through the parsers with a server's usual limits, each in a
 * process of its own:
 *
 *   node test/bench/hostile-office.ts [PART OF A NAME]
 *
 * Prints how each ends, whether that is as it should be, CPU seconds, and peak memory beside that of a process which reads nothing.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { DocumentError } from '../../src/errors.ts';
import { createDocumentParser } from '../../src/parse/document-parser.ts';
import { hostileOfficeFiles } from '../support/hostile-office.ts';
import { parseBytes } from '../support/parse.ts';

type End = { readonly said: string; readonly cpuSeconds: number; readonly peakMb: number; readonly startMb: number };

// A port on which nothing listens: whoever called it would fail, and be seen in hostile.test.ts.
const files = hostileOfficeFiles('http://127.0.0.1:9');
const [name = '', mode] = process.argv.slice(2);
if (mode === '--run') await runOne(name);
else for (const file of files.filter((each) => each.name.includes(name))) print(file.name, file.ends);

async function runOne(wanted: string): Promise<void> {
  const file = files.find((each) => each.name === wanted)!;
  const bytes = file.bytes();
  const startMb = process.resourceUsage().maxRSS / 1024;
  const cpu = process.cpuUsage();
  const said = await parseBytes(createDocumentParser({}), bytes, { filename: wanted }).then(
    (document) => `read, ${document.markdown.length} characters`,
    (error: unknown) => (error instanceof DocumentError ? `${error.code}: ${error.message}` : `BUG ${String(error)}`),
  );
  const { user, system } = process.cpuUsage(cpu);
  const end: End = { said, cpuSeconds: (user + system) / 1e6, peakMb: process.resourceUsage().maxRSS / 1024, startMb };
  process.stdout.write(JSON.stringify(end));
}

function print(fileName: string, expected: RegExp | 'read'): void {
  const output = execFileSync(process.execPath, [fileURLToPath(import.meta.url), fileName, '--run'], { encoding: 'utf8' });
  const end = JSON.parse(output) as End;
  const isRight = expected === 'read' ? end.said.startsWith('read') : expected.test(end.said);
  const memory = `${end.peakMb.toFixed(0)} MB (${end.startMb.toFixed(0)} before)`;
  console.log(
    `${isRight ? 'ok   ' : 'WRONG'} ${fileName.padEnd(28)} ${end.cpuSeconds.toFixed(1).padStart(5)} s  ${memory}  ${end.said}`,
  );
}
