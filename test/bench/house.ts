/**
 * The house in figures: `node test/bench/house.ts [FOLDER [SOURCES…]]` reads the sources of any TypeScript or JavaScript project and
 * prints files a folder, the lengths of functions with a body in braces, the ten longest, casts and `!`. They are to be compared, not
 * to be kept under: docs/decisions tells what they were.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseSync } from 'vite';

type Node = { readonly type: string; readonly start: number; readonly end: number; readonly [member: string]: unknown };
type Found = { readonly name: string; readonly file: string; readonly lines: number };

const [root = '.', ...named] = process.argv.slice(2);
const folders = named.length > 0 ? named : ['src', 'workers'];
const files = folders.flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.[jt]sx?$/.test(name) && !/\.d\.ts$|node_modules|\.test\./.test(name))
    .map((name) => join(folder, name)),
);

const functions: Found[] = [];
let casts = 0;
let bangs = 0;
let lines = 0;
for (const file of files) {
  const text = readFileSync(join(root, file), 'utf8');
  lines += text.split('\n').length;
  const { program } = parseSync(file, text);
  walk(program as unknown as Node, null, { file, text });
}

const lengths = functions.map((one) => one.lines).sort((a, b) => a - b);
const perFolder = new Map<string, number>();
for (const file of files) perFolder.set(dirname(file), (perFolder.get(dirname(file)) ?? 0) + 1);
const counts = [...perFolder.values()].sort((a, b) => a - b);

console.log(
  `| files | lines | folders | files a folder: median, most | functions | lines: median, ninth decile, most | casts | \`!\` |`,
);
console.log('|---|---|---|---|---|---|---|---|');
console.log(
  `| ${files.length} | ${lines} | ${counts.length} | ${quantile(counts, 0.5)}, ${counts.at(-1)} | ${lengths.length} | ` +
    `${quantile(lengths, 0.5)}, ${quantile(lengths, 0.9)}, ${lengths.at(-1)} | ${casts} | ${bangs} |\n`,
);
for (const { name, file, lines: length } of functions.sort((a, b) => b.lines - a.lines).slice(0, 10))
  console.log(`* ${length}: \`${name}\` (${file})`);

function walk(node: Node, parent: Node | null, source: { file: string; text: string }): void {
  if (/^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type) && isBlock(node['body']))
    functions.push({
      name: nameOf(node, parent),
      file: source.file,
      lines: source.text.slice(node.start, node.end).split('\n').length,
    });
  if (node.type === 'TSAsExpression' && source.text.slice(node.start, node.end).endsWith(' as const') === false) casts++;
  if (node.type === 'TSNonNullExpression') bangs++;
  for (const value of Object.values(node))
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) walk(child, node, source);
}

function nameOf(node: Node, parent: Node | null): string {
  for (const named of [node['id'], parent?.['key'], parent?.['id']])
    if (isNode(named) && typeof named['name'] === 'string') return named['name'];
  return 'a function without a name';
}

function isBlock(body: unknown): boolean {
  return isNode(body) && (body.type === 'BlockStatement' || body.type === 'FunctionBody');
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string' && 'start' in value;
}

function quantile(sorted: readonly number[], at: number): number {
  return sorted[Math.floor((sorted.length - 1) * at)] ?? 0;
}
