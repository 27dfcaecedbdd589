/** What is said of a document in more than one view. */
import { bytes, count } from './figures.ts';
import { sentences } from './language.ts';
import { join } from './task-words.ts';
import type { WireDocument } from './wire.ts';

/** Pages and size. */
export function figuresOf(each: WireDocument): string {
  const t = sentences.value.documents;
  return join(each.pages === null ? null : t.pages(count(each.pages)), bytes(each.file_size));
}

/** Of a file name, in capitals; a dot where there is none. */
export function extension(filename: string): string {
  return /\.([A-Za-z0-9]{1,5})$/.exec(filename)?.[1]?.toUpperCase() ?? '·';
}
