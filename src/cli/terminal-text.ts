/** Text for terminals: tables that line up with wide characters in them, and nothing that could steer the terminal. */
import { stripVTControlCharacters } from 'node:util';

/** Rows under their headings, as wide as they must be; `null` shows as `-`. */
export function table(headings: readonly string[], rows: readonly (readonly (string | number | null)[])[]): string {
  const lines = [headings, ...rows].map((row) => row.map((cell) => printable(String(cell ?? '-'))));
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => width(line[column] ?? ''))));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell + ' '.repeat(widths[column]! - width(cell)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** One line without control characters: file names and texts come from strangers. */
export function printable(text: string): string {
  // Direction marks would reorder what stands around them.
  return stripVTControlCharacters(text).replaceAll(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu, ' ');
}

/** `text` with these parts (UTF-16 offsets) in bold. Cut into lines first, cleaned after. */
export function emphasised(text: string, parts: readonly (readonly [number, number])[], bold: boolean): string {
  let shown = '';
  let at = 0;
  for (const [start, end] of parts) {
    const marked = printable(text.slice(start, end));
    shown += printable(text.slice(at, start)) + (bold ? `\u001B[1m${marked}\u001B[22m` : marked);
    at = end;
  }
  return shown + printable(text.slice(at));
}

/** `1 file`, `2 files`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

export function fileSize(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  const step = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${step === 0 ? bytes : (bytes / 1024 ** step).toFixed(1)} ${units[step]}`;
}

/** Columns that a text takes; CJK and emoji take two (Unicode Standard Annex 11, its main blocks). */
function width(text: string): number {
  const wide =
    /[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{1F300}-\u{1FAFF}\u{20000}-\u{3FFFD}]/u;
  let columns = 0;
  for (const character of text) columns += /\p{Mn}/u.test(character) ? 0 : wide.test(character) ? 2 : 1;
  return columns;
}
