/**
 * The npm package as it is installed: packed, laid among its packages as npm lays them, started by its command. What needs a network
 * or root (the registry, a bare Debian root, the .deb, the offline bundle) is shown by `npm run release:try`.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, openPage } from './support/browser.ts';
import { until } from '../support/until.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);
let folder = '';
let command = '';
let server: ChildProcess | null = null;
let log = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'installed-'));
  await run('npm', ['run', '--silent', 'build:program'], { cwd: root });
  const packed = await run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], { cwd: root });
  await mkdir(join(folder, 'node_modules/rag-intake'), { recursive: true });
  await mkdir(join(folder, 'node_modules/.bin'));
  await run('tar', [
    '-xzf',
    join(folder, packed.stdout.trim()),
    '-C',
    join(folder, 'node_modules/rag-intake'),
    '--strip-components=1',
  ]);
  const needed = await run('npm', ['ls', '--omit=dev', '--all', '--parseable'], { cwd: root, maxBuffer: 8 << 20 });
  const paths = needed.stdout.split('\n').filter((path) => /node_modules\/(?:@[^/]+\/)?[^/]+$/.test(path.slice(root.length)));
  await Promise.all(
    [...new Set(paths.map((path) => path.slice(root.length)))]
      .filter((path) => !path.includes('/node_modules/') && !/tesseract/.test(path))
      .map((path) => cp(join(root, path), join(folder, path), { recursive: true })),
  );
  command = join(folder, 'node_modules/.bin/rag-intake');
  await symlink('../rag-intake/bin/rag-intake.js', command);
});

afterAll(async () => {
  server?.kill('SIGTERM');
  if (server !== null) await until('the server has ended', () => server!.exitCode !== null || server!.signalCode !== null);
  await rm(folder, { recursive: true, force: true });
});

describe('the installed package', () => {
  it('holds compiled JavaScript and the page, and nothing that only a clone needs', async () => {
    const names = await readdir(join(folder, 'node_modules/rag-intake'));
    expect(names.toSorted()).toEqual(
      expect.arrayContaining(['CHANGELOG.md', 'LICENSE', 'NOTICE', 'README.md', 'bin', 'deploy', 'dist', 'docs', 'package.json']),
    );
    expect(names.filter((name) => ['src', 'test', 'workers', 'node_modules'].includes(name))).toEqual([]);
    const all = await readdir(join(folder, 'node_modules/rag-intake'), { recursive: true });
    expect(all.filter((name) => /(?<!\.d)\.ts$/.test(name))).toEqual([]);
  });

  it('serves without a word, in its confined worker: a document is inserted, found, and shown by the page', async () => {
    server = spawn(command, [], {
      cwd: folder,
      env: {
        ...process.env,
        PATH: `${join(process.execPath, '..')}:${process.env['PATH']}`,
        PORT: '0',
        DISK_RESERVE_BYTES: '0',
        NODE_COMPILE_CACHE: '',
      },
    });
    for (const stream of [server.stdout!, server.stderr!]) stream.setEncoding('utf8').on('data', (text: string) => (log += text));
    await until('it listens', () => /"url":"([^"]+)"/.test(log) || server!.exitCode !== null);
    const url = /"url":"([^"]+)"/.exec(log)![1]!;
    await until('it is ready', async () => (await fetch(`${url}/ready`)).status === 200);

    const inserted = await fetch(`${url}/documents/pump?filename=pump.md`, {
      method: 'PUT',
      body: '# Pump\n\nVent the pump first. 启动前排气。',
    });
    expect(inserted.status).toBe(200);
    const found = (await (await fetch(`${url}/search?q=${encodeURIComponent('排气')}`)).json()) as {
      hits: { citation: { doc_id: string } }[];
    };
    expect(found.hits[0]?.citation.doc_id).toBe('pump');

    const browser = await launchBrowser();
    try {
      const { page, incidents } = await openPage(browser, `${url}/#/search?q=pump`);
      await page.getByText('Vent the pump first.').first().waitFor();
      expect(incidents).toEqual([]);
    } finally {
      await browser.close();
    }
  });

  it('brings its other commands along', async () => {
    const { stdout } = await run(process.execPath, [command, 'parse', join(folder, 'node_modules/rag-intake/README.md')]);
    expect(stdout).toMatch(/rag-intake/);
  });
});
