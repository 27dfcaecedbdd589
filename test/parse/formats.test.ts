/** Where a format has to stand that is added: named here when it was forgotten. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { detectFormat, readableEndings } from '../../src/parse/detect.ts';
import { usualLimits } from '../../src/parse/limits.ts';
import { readFormats } from '../../src/parse/reading.ts';
import { sampleFiles } from '../support/sample-files.ts';

/** XML and drawings under names that people hardly choose a file by. */
const notOffered = ['rss', 'opml', 'svg'];
/** Those whose content is files of other formats, or a wrapper around one; `test/parse` makes them where it tests them. */
const wrappers = ['cms', 'encrypted-ooxml', 'flat-odf', 'gzip', 'mbox', 'ole-package', 'tar', 'tnef', 'zip'];

it('every format has a small file that is recognised, which feeds the tests of damage, growth and wrong names', async () => {
  const recognised = new Set<string>(wrappers);
  for (const [filename, make] of Object.entries(sampleFiles)) {
    const bytes = make();
    const of = { path: '', bytes, fileBytes: bytes.length, filename, declaredMediaType: null };
    recognised.add(await detectFormat({ ...of, limits: usualLimits, onProgress: () => {} }));
  }

  expect(readFormats.filter((format) => !recognised.has(format))).toEqual([]);
});

it('every ending that is read stands in docs/formats.md', () => {
  const words = new Set(readFileSync('docs/formats.md', 'utf8').split(/\s+/));

  expect(readableEndings.filter((ending) => !words.has(ending))).toEqual([]);
});

it('every small file has an ending that people can choose', () => {
  const endings = Object.keys(sampleFiles).map((name) => name.slice(name.lastIndexOf('.') + 1));

  expect(endings.filter((ending) => ![...readableEndings, ...notOffered].includes(ending))).toEqual([]);
});
