/** Each line of the security checklist is shown by a test with its number in its name, such as [S17]. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const folder = fileURLToPath(new URL('.', import.meta.url));

it('every line of the security checklist has a test that names it', () => {
  const checklist = readFileSync(`${folder}../docs/security.md`, 'utf8').matchAll(/^(\d+)\. /gm);
  const lines = [...checklist].map(([, line]) => Number(line));
  const tests = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.test.ts'));
  const titles = tests.flatMap(
    (name) => readFileSync(folder + name, 'utf8').match(/^\s*(?:it|describe|\]\)\(|['"`]).*\[S\d+\].*$/gm) ?? [],
  );
  const named = new Set(titles.flatMap((title) => [...title.matchAll(/\[S(\d+)\]/g)].map(([, line]) => Number(line))));

  expect(lines.length).toBeGreaterThanOrEqual(44);
  expect(lines).toEqual(lines.map((_, index) => index + 1));
  expect(lines.filter((line) => !named.has(line))).toEqual([]);
  expect([...named].filter((line) => !lines.includes(line))).toEqual([]);
});
