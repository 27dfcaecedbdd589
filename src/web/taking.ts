/** Files that somebody gives to the page, however they come: into the list, with a word about those that were not taken. */
import { filesMax, type FoundFiles } from './dropped-files.ts';
import { count } from './figures.ts';
import { sentences } from './language.ts';
import { notify } from './notices.tsx';
import { config, mayWrite } from './server-state.ts';
import { addFiles } from './uploads.ts';

/** False when this page's key may not upload; that is said then. */
export function takeFiles({ files, leftOut }: FoundFiles): boolean {
  const t = sentences.value.upload;
  if (!mayWrite.value) {
    notify({ key: 'may-not-upload', kind: 'problem', sentence: t.mayNot });
    return false;
  }
  addFiles(files, config.value);
  if (leftOut > 0)
    notify({
      key: 'left-out',
      kind: 'problem',
      sentence: t.leftOut(count(files.length), count(files.length + leftOut), count(filesMax)),
    });
  return true;
}
