/** Links as Markdown writes them, for text whose target a reader would otherwise lose. */

const targetCharactersMax = 2000;

/**
 * `[text](target)`; only the text where the target says nothing more: places in the same file, scripts, files beside it, and addresses that the
 * text shows itself.
 */
export function linkText(text: string, target: string | null | undefined): string {
  const address = addressOf(target ?? '');
  const shown = text.trim();
  if (address === null || shown === '' || /[[\]\n]/.test(shown) || isSame(shown, target!.trim())) return text;
  const lead = text.slice(0, text.indexOf(shown));
  return `${lead}[${shown}](${address})${text.slice(lead.length + shown.length)}`;
}

/** Where a field of Word leads (`HYPERLINK "address"`); nothing for other fields, and for places in the document itself. */
export function fieldTarget(code: string): string | undefined {
  return /^\s*HYPERLINK\s+"([^"]+)"/i.exec(code)?.[1];
}

/** An address that leads somewhere from anywhere, written so that no parenthesis ends it; null for others. */
function addressOf(target: string): string | null {
  const trimmed = target.trim();
  if (trimmed.length > targetCharactersMax || !/^(?:https?|ftp):\/\/[^/\s]|^mailto:\S/i.test(trimmed)) return null;
  return trimmed.replace(
    /[\s()<>[\]\\]/g,
    (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`,
  );
}

function isSame(text: string, address: string): boolean {
  const bare = (value: string): string =>
    value
      .toLowerCase()
      .replace(/^(?:https?|ftp):\/\/|^mailto:/, '')
      .replace(/\/$/, '');
  return (
    bare(text) === bare(address) ||
    bare(text) === bare(address).replace(/^www\./, '') ||
    bare(text) === bare(address).replace(/\?.*$/s, '')
  );
}
