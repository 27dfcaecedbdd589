/** The doc_id proposed for a file, and whether one that was typed can be taken. The rules are the server's. */

/** Longest doc_id that the server takes, in characters. */
export const docIdCharactersMax = 256;

// Control characters are refused by the server; bidirectional overrides would let one id look like another.
// oxlint-disable-next-line no-control-regex
const unwanted = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * Keeps the whole name with its extension, so that `plan.pdf` and `plan.docx` stay two documents; a file in a folder brings the
 * folder's name along. Slashes become hyphens: many proxies refuse `%2F` in a path.
 */
export function proposeDocId(path: string): string {
  const plain = path
    .normalize('NFC')
    .replace(unwanted, '')
    .replace(/[/\\]+/g, '-')
    .replace(/\s+/g, ' ')
    .trim();
  return shorten(plain === '' ? 'document' : plain);
}

export type DocIdProblem = 'empty' | 'too_long' | 'control_characters';

/** Null when the server will take it. */
export function docIdProblem(docId: string): DocIdProblem | null {
  if (docId.trim() === '') return 'empty';
  if (Array.from(docId).length > docIdCharactersMax) return 'too_long';
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f-\u009f]/.test(docId)) return 'control_characters';
  return null;
}

/** The next one beside a doc_id that is taken: `plan.pdf`, `plan (2).pdf`, `plan (3).pdf`. */
export function numberedDocId(docId: string): string {
  const [, stem = docId, number, extension = ''] = /^(.*?)(?: \((\d{1,4})\))?(\.[^.\s]{1,8})?$/s.exec(docId) ?? [];
  return shorten(`${stem} (${Number(number ?? 1) + 1})${extension}`);
}

/** The middle goes, the extension stays. */
function shorten(text: string): string {
  const characters = Array.from(text);
  if (characters.length <= docIdCharactersMax) return text;
  const tail = 16;
  return `${characters.slice(0, docIdCharactersMax - tail - 1).join('')}…${characters.slice(-tail).join('')}`;
}
