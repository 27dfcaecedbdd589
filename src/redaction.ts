/** What no text that leaves this program for a log or a terminal may show: passwords in addresses, and every secret that was set. */

/** Replaces secrets in a text. */
export type Redact = (text: string) => string;

const hidden = '[hidden]';

/** A shorter one is in half of all words; only its place in an address gives it away. */
const secretCharactersMin = 4;

/** `scheme://user:password@`, whoever's it is. */
const credentials = /\b([a-z][a-z0-9+.-]*:\/\/[^\s/:@"'<>]*):[^\s/@"'<>]+@/gi;

/** Hides these secrets as they are, percent-encoded and as JSON writes them, and the password of every address. */
export function createRedaction(secrets: readonly string[]): Redact {
  const written = secrets.filter((secret) => secret.length >= secretCharactersMin).flatMap(waysToWrite);
  const longestFirst = [...new Set(written)].toSorted((a, b) => b.length - a.length);
  const known = longestFirst.length === 0 ? null : new RegExp(longestFirst.map((way) => RegExp.escape(way)).join('|'), 'g');
  return (text) => {
    const without = known === null ? text : text.replace(known, hidden);
    return without.includes('://') ? without.replace(credentials, `$1:${hidden}@`) : without;
  };
}

function waysToWrite(secret: string): string[] {
  const inJson = JSON.stringify(secret).slice(1, -1);
  return [secret, inJson, encodeURI(secret.toWellFormed()), encodeURIComponent(secret.toWellFormed())];
}
