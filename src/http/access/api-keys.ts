/**
 * API keys: how they are written down, held and compared. Only the SHA-256 of a key is kept; a key has at least
 * 128 bits of randomness, so a plain digest is enough (there is no dictionary to try).
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { isCollectionName } from '../../documents/document-name.ts';
import { readFile } from 'node:fs/promises';
import { isLoopbackHost } from './origin-guard.ts';
import { scopes, type KeyScope } from './scope.ts';

/** Where keys come from. */
export type ApiKeySettings = {
  /** Address that is listened on. */
  readonly host: string;
  readonly apiKeys: readonly ApiKey[];
  /** Path of a file with more keys; '' for none. */
  readonly apiKeysFile: string;
  /** Whether people log in by a proxy or a provider, so that somebody may be let in without a key. */
  readonly peopleLogIn?: boolean;
};

export type ApiKey = {
  /** Names the key in logs and on tasks; never secret. */
  readonly name: string;
  readonly scope: KeyScope;
  /** Those it is bound to, in the order that it names them; null: it reaches all. */
  readonly collections: readonly string[] | null;
  readonly sha256: Uint8Array;
};

const keyCharactersMin = 16;
const collectionNames = 'the name of a collection has 1 to 64 lower-case letters, digits, dashes or underscores';
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/**
 * Reads keys from a setting or a file: entries separated by commas or new lines, each `name:scope:key`,
 * `name:scope:sha256:<64 hex digits>` or a key alone (scope admin); `scope@hr+finance` binds it to these collections. `#` starts a
 * comment.
 * @throws Error with one sentence per bad entry; it never repeats a key.
 */
export function parseApiKeys(text: string): readonly ApiKey[] {
  const entries = text.split('\n').flatMap((line) => entriesOf(line).filter((entry) => entry !== ''));
  const problems: string[] = [];
  const keys = entries.flatMap((entry, index) => {
    const parsed = parseEntry(entry);
    if (typeof parsed !== 'string') return [parsed];
    problems.push(`entry ${index + 1}: ${parsed}`);
    return [];
  });
  const twice = repeatedName(keys);
  if (twice !== undefined) problems.push(`the name ${twice} is used twice`);
  if (problems.length > 0) throw new Error(problems.join('; '));
  return keys;
}

/** What stands between commas before a comment, which goes on to the end of the line, commas and all. */
export function entriesOf(line: string): readonly string[] {
  const entries = line.split(',').map((entry) => entry.trim());
  const comment = entries.findIndex((entry) => entry.startsWith('#'));
  return comment === -1 ? entries : entries.slice(0, comment);
}

/**
 * All keys, those of the file included. Without any key only this machine may connect.
 * A name in both is the setting's for a server that runs (`onTwice`): other keys must not stay good, or stay away, for its sake.
 * @throws Error with a sentence that says what to do: a file that cannot be used, or an open address without keys.
 */
export async function loadApiKeys(
  { host, apiKeys, apiKeysFile, peopleLogIn = false }: ApiKeySettings,
  onTwice?: (sentence: string) => void,
): Promise<readonly ApiKey[]> {
  const fromFile = apiKeysFile === '' ? [] : await readKeyFile(apiKeysFile);
  const twice = repeatedName([...apiKeys, ...fromFile]);
  const sentence = `API_KEYS_FILE: the name ${twice} is used twice`;
  if (twice !== undefined && onTwice === undefined) throw new Error(sentence);
  if (twice !== undefined) onTwice?.(`${sentence}; the key of API_KEYS is used`);
  const keys = [...apiKeys, ...fromFile.filter(({ name }) => !apiKeys.some((key) => key.name === name))];
  if (keys.length === 0 && peopleLogIn) return [nobodysKey()];
  if (keys.length === 0 && !isLoopbackHost(host))
    throw new Error(
      `HOST: ${host} can be reached from other machines, and no API key is set. ` +
        'Create a key with "rag-intake key create" and put it into API_KEYS or API_KEYS_FILE, or set HOST to 127.0.0.1.',
    );
  return keys;
}

/** The key that was presented, or null. Takes the same time whatever is presented: digests are compared, all of them. */
export function findApiKey(keys: readonly ApiKey[], presented: string): ApiKey | null {
  const digest = sha256(presented);
  let found: ApiKey | null = null;
  for (const key of keys) if (timingSafeEqual(key.sha256, digest)) found = key;
  return found;
}

/** A new key from 32 random bytes, and the line to put into the settings or the key file (it holds the digest only). */
export function writeApiKey(
  name: string,
  scope: KeyScope,
  random: Uint8Array,
  collections: readonly string[] | null = null,
): { key: string; line: string } {
  if (!namePattern.test(name)) throw new Error('a name has 1 to 64 letters, digits, dots, dashes or underscores');
  const key = `rk_${Buffer.from(random).toString('base64url')}`;
  const unknown = (collections ?? []).find((collection) => !isCollectionName(collection));
  if (unknown !== undefined || collections?.length === 0) throw new Error(collectionNames);
  const bound = collections === null ? '' : `@${collections.join('+')}`;
  return { key, line: `${name}:${scope}${bound}:sha256:${Buffer.from(sha256(key)).toString('hex')}` };
}

/** Of a digest that no text has: with it keys are in use, and nobody has one. */
export function nobodysKey(): ApiKey {
  return { name: '', scope: 'read', collections: [], sha256: new Uint8Array(32) };
}

async function readKeyFile(path: string): Promise<readonly ApiKey[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new Error(`API_KEYS_FILE: ${path} cannot be read`, { cause: error });
  });
  try {
    return parseApiKeys(text);
  } catch (error) {
    throw new Error(`API_KEYS_FILE: ${(error as Error).message}`, { cause: error });
  }
}

function repeatedName(keys: readonly ApiKey[]): string | undefined {
  return keys.find((key, index) => keys.findIndex(({ name }) => name === key.name) !== index)?.name;
}

function parseEntry(entry: string): ApiKey | string {
  if (!entry.includes(':')) return bareKey(entry);
  const [name = '', what = '', ...rest] = entry.split(':');
  const [scope = '', bound, ...more] = what.split('@');
  const key = rest.join(':');
  if (!namePattern.test(name) || !isKeyScope(scope) || more.length > 0)
    return 'write name:scope:key with scope read, write or admin, and @hr+finance after the scope to bind it to collections';
  const collections = bound === undefined ? null : [...new Set(bound.split('+'))];
  if (collections?.every(isCollectionName) === false) return `after the @ of ${name}: ${collectionNames}`;
  const digest = /^sha256:([0-9a-f]{64})$/i.exec(key)?.[1];
  if (digest !== undefined) return { name, scope, collections, sha256: Buffer.from(digest, 'hex') };
  if (key.length < keyCharactersMin) return `the key of ${name} is shorter than ${keyCharactersMin} characters`;
  return { name, scope, collections, sha256: sha256(key) };
}

/** A key alone may do everything, and is named after its digest. */
function bareKey(key: string): ApiKey | string {
  if (key.length < keyCharactersMin) return `the key is shorter than ${keyCharactersMin} characters`;
  const digest = sha256(key);
  return { name: `key-${Buffer.from(digest).toString('hex').slice(0, 8)}`, scope: 'admin', collections: null, sha256: digest };
}

function isKeyScope(text: string): text is KeyScope {
  return text !== 'public' && (scopes as readonly string[]).includes(text);
}

function sha256(text: string): Uint8Array {
  return createHash('sha256').update(text, 'utf8').digest();
}
