import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePdf } from './support/pdf-writer.ts';
import { pageLines } from './support/prose.ts';
import { makeDataDir, removeDir, startServer, type TestServer } from './support/server.ts';
import { settingsDocuments } from './support/write-settings.ts';

let server: TestServer;
let folder: string;

beforeAll(async () => {
  server = await startServer({ dataDir: await makeDataDir() });
  folder = await makeDataDir();
  const pages = Array.from({ length: 20 }, (_, page) => pageLines(page, 30));
  await writeFile(`${folder}/large_document.pdf`, makePdf({ pages, padToBytes: 12 * 1024 * 1024 }));
});

afterAll(async () => {
  await server.stop();
  await Promise.all([removeDir(server.dataDir), removeDir(folder)]);
});

type Fence = { readonly language: string; readonly text: string };

function fences(readme: string): Fence[] {
  const text = readFileSync(fileURLToPath(new URL(`../${readme}`, import.meta.url)), 'utf8');
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```/gm)].map((match) => ({ language: match[1]!, text: match[2]! }));
}

/** Runs what a reader would paste, against the test's own server. */
async function run(command: string, args: readonly string[], input: string): Promise<string> {
  const child = spawn(command, args, { cwd: folder, stdio: ['pipe', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.on('data', (data: Buffer) => (out += data.toString()));
  child.stderr.on('data', (data: Buffer) => (err += data.toString()));
  child.stdin.end(input.replaceAll(/http:\/\/(127\.0\.0\.1|localhost):8000/g, server.url));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`${command} ended with ${String(code)}: ${err}`);
  return out;
}

/** What README shows, with `…` standing for anything. */
function shown(text: string): RegExp {
  const parts = text
    .trim()
    .split('…')
    .map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${parts.join('[\\s\\S]*?')}$`);
}

it('the API description can be read at /docs of the page as it is built', async () => {
  const html = await (await fetch(`${server.url}/docs`)).text();

  for (const file of ['docs/swagger-ui.css', 'docs/swagger-ui-bundle.js', 'docs/favicon-32x32.png']) {
    expect(html).toContain(file);
    expect((await fetch(`${server.url}/${file}`)).status, file).toBe(200);
  }
});

it.each(settingsDocuments())('$file lists every setting as the program knows it (npm run docs writes it)', ({ is, shouldBe }) => {
  expect(is).toBe(shouldBe);
});

describe.each(['README.md', 'README.zh-CN.md'])('%s', (readme) => {
  it('opens with the two commands', () => {
    const [first] = fences(readme);

    expect(first?.text).toMatch(/^npm ci && npm start .*\nnpm ci && npm test /);
  });

  it('shows what its curl commands print', async () => {
    const all = fences(readme);
    const commands = all.slice(1, 5);
    expect(commands.map(({ language }) => language)).toEqual(['sh', 'json', 'sh', 'json']);

    expect((await run('bash', ['-e'], commands[0]!.text)).trim()).toMatch(shown(commands[1]!.text));
    expect((await run('bash', ['-e'], commands[2]!.text)).trim()).toMatch(shown(commands[3]!.text));
  });

  it('has a Python client that works as it is: uploads, polls every two seconds, and sees the end', async () => {
    const { text } = fences(readme).find(({ language }) => language === 'python')!;

    expect(await run('python3', ['-'], text)).toMatch(/^completed .*Document processed successfully/);
  });

  it('has a curl and jq loop that works as it is', async () => {
    const { text } = fences(readme).find((fence) => fence.text.includes('while :'))!;

    expect(JSON.parse(await run('bash', [], text))).toMatchObject({ status: 'completed', error: null });
  });
});
