/**
 * Where the parts of this program lie. In a clone they are TypeScript under `src` and `workers`; in an installed package the same, as
 * JavaScript, under `dist/program`, with the page and the dictionary beside it as in a clone.
 */
import { extname, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** `.ts` in a clone, `.js` in a package: the ending of modules that are named by a text. */
const ending = extname(import.meta.url);
const sourceRoot = new URL('..', import.meta.url);
const root = ending === '.ts' ? sourceRoot : new URL('../..', sourceRoot);

/** The folder of the program, with `dist` in it. */
export const programDir = fileURLToPath(root);
/** The built page; it may be missing. */
export const pageDir = fileURLToPath(new URL('dist/web', root));
/** The tables that questions are translated with; they may be missing. */
export const dictionaryDir = fileURLToPath(new URL('dist/dictionary', root));

/** The file of a module, named from the root of the sources without its ending, such as `workers/ingest`. */
export function moduleFile(name: string): string {
  return fileURLToPath(new URL(name + ending, sourceRoot));
}

/** The folders that the program's own code and its packages are read from: an installed package has its packages around it. */
export function codeFolders(folder = programDir): readonly string[] {
  const around = folder.indexOf(`${sep}node_modules${sep}`);
  return around === -1 ? [folder] : [folder, folder.slice(0, around + `${sep}node_modules`.length)];
}
