/** Links as Markdown writes them, for text whose target a reader would otherwise lose. */

/** Of an address that is written. */
export const targetCharactersMax = 2000;

/**
 * `[text](target)`; only the text where the target says nothing more: places in the same file, scripts, files beside it, and addresses that the
 * text shows itself. A text that holds a link, or is more than one paragraph, stays as it is.
 */
export function linkText(text: string, target: string | null | undefined): string {
  const address = addressOf(target ?? '');
  const shown = text.trim();
  if (address === null || shown === '' || /\]\(|\n\s*\n/.test(shown) || isSame(shown, target!.trim())) return text;
  const lead = text.slice(0, text.indexOf(shown));
  return `${lead}[${labelOf(shown)}](${address})${text.slice(lead.length + shown.length)}`;
}

/** What a backslash stands before is no bracket. */
const bracketOrEscaped = /\\[\s\S]|[[\]]/g;

/** Brackets may stand in pairs (CommonMark 6.3); others, and a backslash before the end, would make it no link. */
function labelOf(text: string): string {
  const label = areInPairs(text) ? text : text.replace(bracketOrEscaped, (found) => (found.length === 2 ? found : `\\${found}`));
  let backslashes = 0;
  while (label.at(-1 - backslashes) === '\\') backslashes += 1;
  return backslashes % 2 === 1 ? `${label}\\` : label;
}

function areInPairs(text: string): boolean {
  let open = 0;
  for (const [bracket] of text.matchAll(bracketOrEscaped)) {
    if (bracket.length === 2) continue;
    open += bracket === '[' ? 1 : -1;
    if (open < 0) return false;
  }
  return open === 0;
}

/** Where a field of Word leads (`HYPERLINK "address"`); nothing for other fields, and for places in the document itself. */
export function fieldTarget(code: string): string | undefined {
  return /^\s*HYPERLINK\s+"([^"]+)"/i.exec(code)?.[1];
}

/** Which `encodeURIComponent` leaves as they are. */
const escapes: Readonly<Record<string, string>> = { '(': '%28', ')': '%29' };

/** An address that leads somewhere from anywhere, written so that no parenthesis ends it; null for others. */
function addressOf(target: string): string | null {
  const trimmed = target.trim();
  if (trimmed.length > targetCharactersMax || !/^(?:https?|ftp):\/\/[^/\s]|^mailto:\S/i.test(trimmed)) return null;
  const escaped = trimmed.replace(/[\s\p{Cc}()<>[\]\\]/gu, (character) => escapes[character] ?? encodeURIComponent(character));
  return escaped.length > targetCharactersMax ? null : escaped;
}

function isSame(text: string, address: string): boolean {
  const bare = (value: string): string =>
    value
      .toLowerCase()
      .replace(/^(?:https?|ftp):\/\/|^mailto:/, '')
      .replace(/\/$/, '');
  const shown = bare(text);
  // Most texts are no part of where they lead.
  if (!address.toLowerCase().includes(shown)) return false;
  const whole = bare(address);
  return (
    shown === whole ||
    shown === whole.replace(/^www\./, '') ||
    // A letter's subject is no part of whom it goes to.
    (/^mailto:/i.test(address) && shown === whole.replace(/\?.*$/s, ''))
  );
}
