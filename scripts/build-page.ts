/**
 * Builds the web page when it is missing or older than its sources; `npm start` runs this first, so that a fresh clone serves
 * the page. Where there is nothing to build from (an installed package, an image without Vite) the page that is there is kept.
 */
import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const built = join(root, 'dist/web/index.html');

/** True when it had to be built. About three seconds then, a few milliseconds otherwise. */
export async function buildPage(): Promise<boolean> {
  if (await isFresh()) return false;
  const { build } = await import('vite');
  await build({ configFile: join(root, 'vite.config.ts'), logLevel: 'warn' });
  return true;
}

async function isFresh(): Promise<boolean> {
  if (!existsSync(built)) return false;
  if (!existsSync(join(root, 'src/web')) || !existsSync(join(root, 'node_modules/vite'))) return true;
  const { mtimeMs } = await stat(built);
  const names = await readdir(join(root, 'src/web'));
  const sources = ['vite.config.ts', 'package-lock.json', ...names.map((name) => join('src/web', name))];
  const stats = await Promise.all(sources.map((source) => stat(join(root, source))));
  return stats.every((source) => source.mtimeMs <= mtimeMs);
}

if (import.meta.main) await buildPage();
