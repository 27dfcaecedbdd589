/**
 * `node test/bench/encodings.ts FOLDER`: how many files below FOLDER are decoded as the folder that holds them says
 * (`GB2312/…`, `windows-1251-russian/…`). Texts are compared, not names, since a superset reads as well as its subset; what the
 * two encodings differ in for characters that the file does not hold is no error.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { canonicalEncoding, decodeAs, decodeText } from '../../src/parse/text/encoding.ts';
import { declaredCharset } from '../../src/parse/html/html-parser.ts';

const folder = process.argv[2];
if (folder === undefined) throw new Error('Name a folder: node test/bench/encodings.ts FOLDER');

const must = /^(?:gb18030|gbk|gb2312|big5|shift_jis|cp932|euc-kr|cp949|utf-16)/i;
const shortBytes = 100;
type Row = { files: number; right: number; blind: number; wrong: string[] };
const rows = new Map<string, Row>();
for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name);
  const name = basename(dirname(path));
  const encoding = encodingOf(name);
  if (!entry.isFile() || encoding === null) continue;
  const bytes = readFileSync(path);
  const row = rows.get(name) ?? { files: 0, right: 0, blind: 0, wrong: [] };
  rows.set(name, row);
  row.files += 1;
  // `UTF-16` and `UTF-32` alone leave the byte order to the mark.
  const isBig = /^UTF-(?:16|32)$/.test(name) && bytes[0] !== 0xff;
  const expected = decodeAs(bytes, isBig ? encoding.replace('le', 'be') : encoding);
  const told = decodeText(bytes, declaredCharset(bytes));
  const blind = decodeText(bytes);
  if (told.text === expected) row.right += 1;
  else row.wrong.push(`${entry.name} as ${told.encoding}${bytes.length > shortBytes ? '' : ' (short)'}`);
  if (blind.text === expected) row.blind += 1;
}

const sum = (pick: (row: Row) => number, only?: RegExp): number =>
  [...rows].filter(([name]) => only?.test(name) ?? true).reduce((total, [, row]) => total + pick(row), 0);
console.table(
  [...rows].map(([name, row]) => ({
    folder: name,
    files: row.files,
    right: row.right,
    'right without its declaration': row.blind,
  })),
);
for (const [name, row] of rows) for (const wrong of row.wrong) console.log(`${name}: ${wrong}`);
const files = sum((row) => row.files);
console.log(
  `all: ${sum((row) => row.right)} of ${files} (${percent(sum((row) => row.right) / files)}); without declarations: ${sum((row) => row.blind)}`,
);
console.log(
  `GB, Big5, Shift-JIS, EUC-KR, UTF-16: ${sum((row) => row.right, must)} of ${sum((row) => row.files, must)}; without declarations: ${sum((row) => row.blind, must)}`,
);

/** `windows-1251-russian` is windows-1251. */
function encodingOf(name: string): string | null {
  const parts = name.split('-');
  for (let length = parts.length; length > 0; length--) {
    const encoding = canonicalEncoding(parts.slice(0, length).join('-'));
    if (encoding !== null) return encoding;
  }
  return null;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
