/**
 * Which test files need more than Node, found by what they import: whoever starts a server, a command, a database or a browser does it
 * through one of a few files.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, matchesGlob, normalize } from 'node:path';

const starters = ['support/server.ts', 'support/command.ts', 'support/postgres.ts', 'support/redis.ts', 'web/support/browser.ts'];

/** Start processes by themselves, or work for many seconds. */
const besides = [
  'test/{crash,deploy,property}/**',
  'test/**/{growth,hostile,hostile-pdf,hostile-text,large-answers,mutated-files,onnx-embedder,package}.test.ts',
  'test/**/{start-error,supervisor,thread-pool}.test.ts',
  'test/storage/file/engine.test.ts',
];

/** Paths from the root, of the files that need nothing but Node and of all others. */
export function testGroups(root: string): { readonly unit: string[]; readonly whole: string[] } {
  const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join('test', name));
  const imports = new Map<string, string[]>();
  const isWhole = (path: string): boolean =>
    besides.some((pattern) => matchesGlob(path, pattern)) || reaches(path, root, imports, new Set());
  return { unit: files.filter((path) => !isWhole(path)), whole: files.filter(isWhole) };
}

function reaches(path: string, root: string, imports: Map<string, string[]>, seen: Set<string>): boolean {
  if (seen.has(path)) return false;
  seen.add(path);
  if (starters.some((starter) => path === join('test', starter))) return true;
  if (!imports.has(path)) imports.set(path, importsOf(path, root));
  return imports.get(path)!.some((imported) => reaches(imported, root, imports, seen));
}

function importsOf(path: string, root: string): string[] {
  const specifiers = readFileSync(join(root, path), 'utf8').matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+\.ts)'/g);
  return [...specifiers].map(([, to]) => normalize(join(dirname(path), to!))).filter((to) => to.startsWith('test/'));
}
