/**
 * People who log in elsewhere, by a proxy or an OIDC provider, and what they may do here: the setting LOGIN_USERS. A person is held
 * like the holder of a key, under a name that no key can have, so that all that is said of keys holds for people too.
 */
import { createHash } from 'node:crypto';
import { isCollectionName } from '../../documents/document-name.ts';
import type { ApiKey } from './api-keys.ts';
import { scopes, type KeyScope } from './scope.ts';

/** What one person may do, or everybody who is not named (`*`). */
export type UserRule = {
  readonly user: string;
  readonly scope: KeyScope;
  readonly collections: readonly string[] | null;
};

const expected =
  'entries like alice@example.com:write, bob:read@hr+finance or *:read for everybody else, with scope read, write or admin';
/** No control characters, no spaces, nothing that separates entries or goes on in a log line. */
const userPattern = /^[^\s,:*\p{C}]{1,200}$/u;
const prefix = 'user:';

/** @throws Error with what was expected; each user once. */
export function parseUserRules(text: string): readonly UserRule[] {
  const entries = text
    .split(/[\n,]/)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  const rules = entries.map(parseRule);
  if (new Set(rules.map(({ user }) => user)).size < rules.length) throw new Error(`each user once: ${expected}`);
  return rules;
}

function parseRule(entry: string): UserRule {
  const [, user = '', scope = '', bound] = /^(.+):([a-z]+)(?:@([^@:]+))?$/.exec(entry) ?? [];
  const collections = bound === undefined ? null : [...new Set(bound.split('+'))];
  const known = scope !== 'public' && (scopes as readonly string[]).includes(scope);
  if (!known || (user !== '*' && !userPattern.test(user)) || collections?.every(isCollectionName) === false)
    throw new Error(expected);
  return { user, scope: scope as KeyScope, collections };
}

/** The person as a holder; null for nobody whom the rules let in, and for what is no name. */
export function holderOf(rules: readonly UserRule[], user: string): ApiKey | null {
  if (!userPattern.test(user)) return null;
  const rule = rules.find((each) => each.user === user) ?? rules.find((each) => each.user === '*');
  if (rule === undefined) return null;
  const { scope, collections } = rule;
  // No key: what is hashed says only what the person may do, so that a login ends when that changes.
  const sha256 = createHash('sha256')
    .update(JSON.stringify([user, scope, collections]))
    .digest();
  return { name: prefix + user, scope, collections, sha256 };
}

/** The person whom a session names; null when its name is a key's, or when the person is not let in any more. */
export function holderNamed(rules: readonly UserRule[], name: string): ApiKey | null {
  return name.startsWith(prefix) ? holderOf(rules, name.slice(prefix.length)) : null;
}
