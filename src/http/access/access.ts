/** Who makes a request, and whether they may. Keys come in headers, the page's login in a cookie; never in a URL. */
import type { IncomingMessage } from 'node:http';
import { collectionOf, defaultCollection } from '../../documents/document-name.ts';
import { AppError } from '../../errors.ts';
import type { Task, TaskSnapshot } from '../../tasks/task.ts';
import { findApiKey, type ApiKey } from './api-keys.ts';
import { addressBlock, fromProxy, type ProxyTrust } from './client-address.ts';
import { allows, type Scope } from './scope.ts';
import { holderOf, type UserRule } from './users.ts';
import { isNow, readSession, sessionCookie, type Session } from './session.ts';
import type { EndedSessions } from '../../storage/ended-sessions.ts';

/** Who makes a request. */
export type Principal = {
  /** The key's name; null without a key. */
  readonly keyId: string | null;
  readonly scope: Scope;
  /** The collections that exist for it, its own one first; null: all of them, `default` being its own. */
  readonly collections: readonly string[] | null;
  /** Which of them it means where it names none, when that is not its own one: what a whole connection is about. */
  readonly home?: string;
  /** How it was shown; `proxy`: a trusted proxy names the person. `none`: nothing was shown; `wrong`: what was shown is no key of ours. */
  readonly by: 'none' | 'wrong' | 'header' | 'cookie' | 'proxy';
};

export type AccessOptions = {
  /** Empty: no keys are in use and everybody may do everything. */
  readonly keys: readonly ApiKey[];
  readonly sessionSecret: Uint8Array;
  readonly endedSessions: EndedSessions;
  /** How long a login holds. */
  readonly sessionMs: number;
  /** What people may do who log in elsewhere. */
  readonly users: readonly UserRule[];
  /** Null: no proxy names people. */
  readonly loginHeader: LoginHeader | null;
};

export type LoginHeader = {
  /** The header that names the person, in lower case. */
  readonly name: string;
  readonly proxyTrust: ProxyTrust;
};

/** Who asks where no keys are in use. */
const everybody: Principal = { keyId: null, scope: 'admin', collections: null, by: 'none' };

/** Who makes this request. A wrong key in a header is never excused by a good cookie. */
export async function identify(request: IncomingMessage, options: AccessOptions): Promise<Principal> {
  if (options.keys.length === 0) return everybody;
  const presented = keyHeader(request);
  if (presented !== null) return principal(findApiKey(options.keys, presented), 'header');
  const person = namedByProxy(request, options);
  if (person !== null) return person;
  const session = await sessionOf(request, options);
  return principal(session?.key ?? null, 'cookie');
}

/**
 * The person whom a trusted proxy names. From anybody else the header is as if it were not there: a client can write what it likes. Who is
 * named and not let in has shown something wrong, whatever cookie is there too.
 */
function namedByProxy(request: IncomingMessage, { loginHeader, users }: AccessOptions): Principal | null {
  if (loginHeader === null || !fromProxy(request, loginHeader.proxyTrust)) return null;
  const given = request.headers[loginHeader.name];
  if (given === undefined || given === '') return null;
  // A header that comes twice names two people, and a proxy that lets the client's own through is not to be believed.
  const times = request.rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === loginHeader.name).length;
  const holder = times === 1 ? holderOf(users, headerText(String(given))) : null;
  return holder === null ? { ...stranger, by: 'wrong' } : principalOf(holder, 'proxy');
}

/** Node reads headers as Latin-1; proxies send UTF-8. */
function headerText(given: string): string {
  return Buffer.from(given, 'latin1').toString('utf8').trim();
}

/** The session that a request's cookie stands for; null without one, and when it has ended. One look into the store. */
export async function sessionOf(
  request: IncomingMessage,
  { keys, users, sessionSecret, endedSessions, sessionMs }: Omit<AccessOptions, 'loginHeader'>,
): Promise<Session | null> {
  const cookie = cookieValue(request, sessionCookie);
  const session = cookie === null ? null : readSession(sessionSecret, keys, cookie, users);
  if (session === null) return null;
  const { hasEnded, nowMs } = await endedSessions.look(session);
  return hasEnded || !isNow(session, sessionMs, nowMs) ? null : session;
}

/** @throws AppError `unauthorized` without a valid key, `forbidden` when the key's scope does not reach. */
export function requireScope({ scope, by }: Principal, needed: Scope): void {
  if (allows(scope, needed)) return;
  if (scope === 'public')
    throw new AppError(
      'unauthorized',
      by === 'wrong' ? 'This API key is not valid.' : 'Send an API key as Authorization: Bearer, or as X-API-Key.',
    );
  throw new AppError('forbidden', `This API key does not allow this: the scope ${needed} is required.`);
}

/** Whom a limit counts: the key, or without one the address; of IPv6 its first half, since one customer has all the rest. */
export function callerOf({ keyId }: Principal, address: string): string {
  return keyId === null ? addressBlock(address) : `key ${keyId}`;
}

/** Whether a task is this caller's to see: of a collection that it reaches, and its own unless it looks after all of them. */
export function mayAccess(principal: Principal, task: Pick<Task, 'docId' | 'keyId'>): boolean {
  const { keyId, scope } = principal;
  return reaches(principal, collectionOf(task.docId)) && (scope === 'admin' || (keyId !== null && keyId === task.keyId));
}

/** Whether a collection exists for this caller, if it does at all. */
export function reaches({ collections }: Pick<Principal, 'collections'>, collection: string): boolean {
  return collections === null || collections.includes(collection);
}

/** The collection that a caller means who names none. */
export function homeOf({ collections, home }: Pick<Principal, 'collections' | 'home'>): string {
  return home ?? collections?.[0] ?? defaultCollection;
}

/** A task as this caller may see it: how many wait before it would tell of collections that do not exist for a bound key. */
export function asSeenBy({ collections }: Pick<Principal, 'collections'>, snapshot: TaskSnapshot): TaskSnapshot {
  return collections === null ? snapshot : { ...snapshot, queuePosition: null };
}

/** Who has shown no key of ours. */
export const stranger: Principal = { keyId: null, scope: 'public', collections: [], by: 'none' };

/** The holder of a key. */
export function principalOf({ name, scope, collections }: ApiKey, by: 'header' | 'cookie' | 'proxy'): Principal {
  return { keyId: name, scope, collections, by };
}

function principal(key: ApiKey | null, by: 'header' | 'cookie'): Principal {
  // An old cookie is as good as none: the page then shows its login.
  if (key === null) return { ...stranger, by: by === 'header' ? 'wrong' : 'none' };
  return principalOf(key, by);
}

function keyHeader({ headers }: IncomingMessage): string | null {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  if (bearer !== undefined) return bearer;
  const own = headers['x-api-key'];
  return typeof own === 'string' ? own.trim() : null;
}

/** The value of a cookie; null without it. */
export function cookieValue({ headers }: Pick<IncomingMessage, 'headers'>, name: string): string | null {
  const pair = (headers.cookie ?? '').split(/; */).find((text) => text.startsWith(`${name}=`));
  return pair === undefined ? null : pair.slice(name.length + 1);
}
