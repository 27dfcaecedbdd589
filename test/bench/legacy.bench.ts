/**
 * What is kept of old Office files, beside what others find in the same files (`legacy-references.ts`): token F1 and recall of each, and of
 * all their words together. `npm run bench -- legacy [FOLDER] [each]`; with `each`, every file below 0.95 is named. Of ours the files inside of
 * a file and the numbers of lists are left out, which the others do not give. Needs LibreOffice.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join, relative } from 'node:path';
import { DocumentError } from '../../src/errors.ts';
import { createDocumentParser } from '../../src/parse/document-parser.ts';
import { usualLimits } from '../support/parse.ts';
import type { Bench, Row } from './bench.ts';
import { hasLibreOffice, isForLibreOffice, libreOfficeTexts, messageText } from './legacy-references.ts';
import { f1Of, type Kept, plainText, scoreText, sumKept, tokensOf } from './markdown-score.ts';
import { round } from './process-figures.ts';

/** Real documents that may lie beside a checkout. */
const usualFolder = new URL('../../../shared/corpus/documents/legacy', import.meta.url).pathname;

type Scored = { readonly path: string; readonly kind: string; readonly kept: Kept; readonly refused: string | null };

export const bench: Bench = {
  title: 'text kept of old Office files, beside LibreOffice and the properties of messages',
  async run([chosen, each]) {
    const folder = chosen ?? usualFolder;
    if (!existsSync(folder)) return [{ what: `there is no folder ${folder}` }];
    if (!hasLibreOffice()) return [{ what: 'LibreOffice is not installed' }];
    const work = mkdtempSync(join(tmpdir(), 'legacy-'));
    try {
      const scored = await scoreAll(folder, work);
      for (const { path, kept, refused } of scored)
        if (each !== undefined && (refused !== null || f1Of(kept) < 0.95 || recallOf(kept) < 0.95))
          console.log(`${relative(folder, path)}: F1 ${round(f1Of(kept))}, recall ${round(recallOf(kept))} ${refused ?? ''}`);
      return [...Map.groupBy(scored, ({ kind }) => kind)].map(([kind, files]) => rowOf(kind, files));
    } finally {
      rmSync(work, { recursive: true });
    }
  },
};

async function scoreAll(folder: string, work: string): Promise<Scored[]> {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
  const references = libreOfficeTexts(paths.filter(isForLibreOffice), work);
  for (const path of paths) if (extname(path) === '.msg') references.set(path, messageText(readFileSync(path)));
  const scored: Scored[] = [];
  for (const [path, text] of references) {
    if (tokensOf(text).length === 0) continue;
    const { markdown, refused } = await ours(path);
    const kind = extname(path).slice(1).toLowerCase();
    scored.push({ path, kind, kept: scoreText(ownText(markdown, kind), text), refused });
  }
  return scored;
}

async function ours(path: string): Promise<{ markdown: string; refused: string | null }> {
  const bytes = readFileSync(path);
  const said = { filename: path, declaredMediaType: null, limits: usualLimits, onProgress: () => {} };
  try {
    return {
      markdown: (await createDocumentParser({ ocr: null }).parse({ path, bytes, fileBytes: bytes.length, ...said })).markdown,
      refused: null,
    };
  } catch (error) {
    if (error instanceof DocumentError) return { markdown: '', refused: error.message };
    throw error;
  }
}

/** Without what is inside of the file, without the numbers that its lists count, and of a message without what fields are called and the date. */
function ownText(markdown: string, kind: string): string {
  const whole = markdown.replace(/^#+ (?:Embedded file|Attachment): [\s\S]*/m, '');
  const own =
    kind === 'msg' ? whole.replace(/^- (?:Date|Start|End|Due): .*$/gm, '').replace(/^- [A-Z][a-z-]*(?: [a-z]+)?: /gm, '- ') : whole;
  return plainText(
    own
      .replace(/^(\s*)(?:[-*+]\s+)?(?:\(?(?:\d+|[a-z]|[ivx]+)(?:\.\d+)*[.)]\s)/gim, '$1')
      .replace(/\[\^e?\d+\]:?/g, ' ')
      .replaceAll('\u00ad', ''),
  );
}

const recallOf = ({ matched, expected }: Kept): number => matched / Math.max(1, expected);

function rowOf(what: string, files: readonly Scored[]): Row {
  const mean = (of: (kept: Kept) => number): number => round(files.reduce((sum, { kept }) => sum + of(kept), 0) / files.length);
  const all = sumKept(files.map(({ kept }) => kept));
  return {
    what,
    'files with text': files.length,
    read: files.filter(({ refused }) => refused === null).length,
    'mean F1': mean(f1Of),
    'mean recall': mean(recallOf),
    'F1 of all words': round(f1Of(all)),
    'recall of all words': round(recallOf(all)),
  };
}
