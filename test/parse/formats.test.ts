/** Where a format has to stand that is added: named here when it was forgotten. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { detectFormat, readableEndings } from '../../src/parse/detect.ts';
import { usualLimits } from '../../src/parse/limits.ts';
import { readFormats } from '../../src/parse/reading.ts';
import { grammars } from '../support/growth/grammars.ts';
import { growthUnits } from '../support/growth/units.ts';
import { hostileFiles } from '../support/hostile-upload.ts';
import { sampleFiles } from '../support/sample-files.ts';

/** Objects inside of documents, which nobody has by themselves, and what Outlook sends to those who have none. */
const notOffered = ['bin', 'dat'];
const said = { path: '', declaredMediaType: null, limits: usualLimits, onProgress: () => {} };

async function formatOf(filename: string, content: Uint8Array | string): Promise<string> {
  const bytes = Buffer.from(content as string);
  // What breaks a limit where it is recognised is an archive.
  return detectFormat({ ...said, bytes, fileBytes: bytes.length, filename }).catch(() => 'zip');
}

it('every format has a small file that is recognised, which feeds the tests of damage, growth and wrong names, and the fuzz', async () => {
  const recognised = new Set<string>();
  for (const [filename, make] of Object.entries(sampleFiles)) recognised.add(await formatOf(filename, make()));

  expect(readFormats.filter((format) => !recognised.has(format))).toEqual([]);
});

it('every format has a hostile file that `npm run hostile` uploads', async () => {
  const recognised = new Set<string>();
  for (const { name, bytes } of hostileFiles('http://127.0.0.1:9')) {
    const left = readFormats.filter((format) => !recognised.has(format));
    if (left.length > 0) recognised.add(await formatOf(name, bytes()));
  }

  expect(readFormats.filter((format) => !recognised.has(format))).toEqual([]);
});

it('every format has units of which `npm run fuzz` makes files that grow', async () => {
  const recognised = new Set<string>();
  for (const format of Object.keys(grammars)) {
    for (const unit of growthUnits(format, 12)) recognised.add(await formatOf(unit.filename, unit.make(2000)));
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
