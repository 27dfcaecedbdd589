import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseAst } from 'vite';
import { describe, expect, it } from 'vitest';
import { longRuns } from '../support/growth/units.ts';

/** What a stranger's document or request comes to. */
const folders = ['parse', 'chunk', 'search', 'embed', 'http', 'mcp', 'ingest', 'tasks', 'webhooks'];
const source = fileURLToPath(new URL('../../src', import.meta.url));

/** Patterns that would be slow on a long text, or go deep, and never get one: `file: pattern`, and what keeps it from them. */
const onlyShortTexts: Readonly<Record<string, string>> = {
  'search/analysis/tokens.ts: ^(\\p{L}\\.)+\\p{L}$': 'a word of at most ten parts',
  'parse/markdown/markdown-parser.ts: ^ {0,3}([-*_])[ \\t]*(?:\\1[ \\t]*){2,}$': 'the first 2,000 characters of a line',
  'parse/text/xml-parser.ts: <![^<>]*(?:<![^<>]*>[^<>]*)*>': 'the first 16,384 characters of a file',
  'parse/pdf/layout/aligned-tables.ts: ^(.*?\\S)\\s*(?:[.…·_]\\s?){4,}\\s*(\\d{1,5}|[ivxlc]{1,7})$':
    'a line of at most 500 characters',
  'parse/pdf/layout/headings.ts: ^\\d+(\\.\\d+)*\\.?$': 'a block of at most 160 characters',
  'parse/page-number.ts: ^[\\s\\-–—|/]*(?:page|seite|p\\.|第)?\\s*(?:\\d{1,5}|[ivxlc]{1,7})\\s*(?:(?:\\/|of|von|共)\\s*\\d{1,5})?\\s*页?[\\s\\-–—|]*$':
    'a line of at most 200 characters',
  'parse/office/sheets/number-format.ts: ^\\s*(?:general)?\\s*$': 'a format code of at most 255 characters',
  'http/upload/content-disposition.ts: ^(?:[\\0-\\x7f]|[\\xa1-\\xf7][\\xa1-\\xfe])*$':
    'a file name in the header of a part, at most 64 KB',
  'http/upload/content-disposition.ts: [^;]*;\\s*([\\w!#$%&\'*+.^`|~-]+)\\s*=\\s*(?:"((?:[^"\\\\]|\\\\["\\\\]|\\\\(?!["\\\\]))*)(?:"|$)|([^;"]*))':
    'the header of a part, at most 64 KB',
  'http/routes/static-files.ts: ^[\\w-][\\w.-]*(?:\\/[\\w-][\\w.-]*)*$': 'the path of a request, at most 16 KB',
  'http/routes/static-files.ts: -[A-Za-z0-9_-]{8,}\\.\\w+$': 'the path of a file that is there',
  'parse/office/word/number-label.ts: 0+$': 'a number of at most seven digits',
  'parse/office/sheets/xlsx-parser.ts: ([^/]+)\\.xml$': 'the name of a member, at most 4,096 bytes',
};

type Pattern = { readonly place: string; readonly pattern: RegExp };

const patterns: readonly Pattern[] = folders.flatMap((folder) =>
  globSync(`${source}/${folder}/**/*.ts`).flatMap((path) =>
    literalsOf(readFileSync(path, 'utf8')).map((pattern) => ({
      place: `${path.slice(source.length + 1)}: ${pattern.source}`,
      pattern,
    })),
  ),
);

describe('a pattern that a stranger’s text meets', () => {
  it('goes no deeper for a longer text: repeats no group without a bound [S56]', () => {
    const found = patterns.filter(({ pattern }) => /\)(?:[*+]|\{\d+,\})/.test(withoutClasses(pattern.source)));
    expect(found.map(({ place }) => place).filter((place) => onlyShortTexts[place] === undefined)).toEqual([]);
  });

  it('takes time that grows as the text does, whatever runs through it [S56]', () => {
    const texts = longRuns.flatMap((run) => ['x', '<a '].map((head) => `${head}${run.repeat(12_000 / run.length)}\u0001`));
    const slow = patterns.filter(
      ({ place, pattern }) => onlyShortTexts[place] === undefined && texts.some((text) => millisecondsOf(pattern, text) > slowMs),
    );
    expect(slow.map(({ place }) => place)).toEqual([]);
  });

  it('is excused only where it still stands', () => {
    const places = new Set(patterns.map(({ place }) => place));
    expect(Object.keys(onlyShortTexts).filter((place) => !places.has(place))).toEqual([]);
  });
});

/** A pattern that tries each place of 12,000 characters again takes some 70 ms and more; one that does not, less than one. */
const slowMs = 25;

/** CPU time of going through the text as `replaceAll` does, or of one look where that is all a pattern may; the least of some tries. */
function millisecondsOf(pattern: RegExp, text: string): number {
  const everywhere = new RegExp(pattern.source, pattern.sticky || pattern.global ? pattern.flags : `${pattern.flags}g`);
  let least = Infinity;
  for (let tries = 0; tries < 3 && least > slowMs; tries++) {
    const begun = process.threadCpuUsage();
    text.replace(everywhere, '');
    const { user, system } = process.threadCpuUsage(begun);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

function literalsOf(code: string): RegExp[] {
  const found: RegExp[] = [];
  const look = (node: unknown): void => {
    if (typeof node !== 'object' || node === null || node instanceof RegExp) return;
    if (Array.isArray(node)) return node.forEach(look);
    if ('regex' in node) {
      const { pattern, flags } = node.regex as { pattern: string; flags: string };
      found.push(new RegExp(pattern, flags));
    } else Object.values(node).forEach(look);
  };
  look(parseAst(code, { lang: 'ts' }));
  return found;
}

/** Brackets inside a class are no groups. */
function withoutClasses(pattern: string): string {
  return pattern.replace(/\\./g, '_').replace(/\[[^\]]*\]/g, '_');
}
