/**
 * API keys for whoever looks after a server: what there is, a new one, one revoked. Kept in the file that API_KEYS_FILE names; a key of a
 * setting is shown and stays. A key that is bound to collections knows of keys within these alone.
 */
import { randomBytes } from 'node:crypto';
import { AppError } from '../../errors.ts';
import { reaches, type Principal } from '../access/access.ts';
import { writeApiKey, type ApiKey } from '../access/api-keys.ts';
import { addKey, KeyFileError, removeKey } from '../access/key-file.ts';
import { keysNow, type HttpSettings, type KeyFile } from '../http-settings.ts';
import * as schemas from '../wire/schemas.ts';
import { route, type Route } from './route.ts';

type KeySettings = Pick<HttpSettings, 'apiKeys' | 'keyFile' | 'users'>;

export function keyRoutes(settings: KeySettings): readonly Route[] {
  return [
    route({
      operation: 'listKeys',
      method: 'GET',
      path: '/keys',
      scope: 'admin',
      tag: 'system',
      summary: 'List the API keys by name, without their secrets.',
      answers: { 200: { description: 'The whole list.', json: schemas.keyList } },
      async handle({ ctx, principal }) {
        const fixed = new Set((settings.keyFile?.fixed ?? keysNow(settings)).map(({ name }) => name));
        const known = keysNow(settings).filter((key) => key.name !== '' && isWithin(key, principal));
        ctx.body = {
          keys: known.map((key) => ({ ...toRecord(key), source: fixed.has(key.name) ? 'setting' : 'file' })),
          can_change: settings.keyFile !== null,
        };
      },
    }),
    route({
      operation: 'createKey',
      method: 'POST',
      path: '/keys',
      scope: 'admin',
      tag: 'system',
      summary:
        'Create a key. It is in this response only; the server stores its digest. Other front ends accept it within about a second.',
      logged: 'key made',
      body: { kind: 'json', schema: schemas.keyBody },
      answers: { 201: { description: 'The key.', json: schemas.keyMade } },
      problems: ['bad_request', 'not_found', 'conflict', 'body_too_large', 'unsupported_media_type'],
      async handle({ ctx, body: { name, scope, collections = null }, principal, audit }) {
        const file = changeable(settings);
        const key = { name, scope, collections: collections === null ? null : [...new Set(collections)] };
        if (!isWithin(key, principal)) throw outOfReach();
        if (keysNow(settings).some((other) => other.name === name)) throw taken();
        if (keysNow(settings).length === 0 && !isKeeper(key)) throw new AppError('conflict', noKeeper);
        const made = writeApiKey(name, scope, randomBytes(32), key.collections);
        await inWords(addKey(file.path, name, made.line, { makes: false }));
        await file.changed();
        if (!isGood(name, settings)) throw notFollowed();
        audit({ event: 'create_key', name });
        ctx.status = 201;
        ctx.body = { ...key, source: 'file', key: made.key };
      },
    }),
    route({
      operation: 'revokeKey',
      method: 'DELETE',
      path: '/keys/{name}',
      scope: 'admin',
      tag: 'system',
      summary: 'Revoke a key. It is refused from now on, by other front ends within about a second.',
      logged: 'key revoked',
      params: schemas.keyParams,
      answers: { 200: { description: 'The key was revoked.', json: schemas.keyRevoked } },
      problems: ['not_found', 'conflict'],
      async handle({ ctx, params: { name }, principal, audit }) {
        const file = changeable(settings);
        const key = keysNow(settings).find((one) => one.name === name);
        if (key === undefined || !isWithin(key, principal)) throw new AppError('not_found', 'Key not found');
        if (file.fixed.some((one) => one.name === name))
          throw new AppError('conflict', 'This key is set in API_KEYS; remove it there.');
        const mayLeave = (left: readonly ApiKey[]): boolean => !isKeeper(key) || [...file.fixed, ...left].some(isKeeper);
        const outcome = await inWords(removeKey(file.path, name, mayLeave));
        if (outcome === 'needed') throw new AppError('conflict', noKeeper);
        await file.changed();
        if (isGood(name, settings)) throw notFollowed();
        audit({ event: 'revoke_key', name });
        ctx.body = { message: 'Key revoked', name };
      },
    }),
  ];
}

const noKeeper = 'Nobody could manage the keys any more: first create a key with the scope admin for all collections.';

/** Whether it may look after all keys. */
function isKeeper({ scope, collections }: Pick<ApiKey, 'scope' | 'collections'>): boolean {
  return scope === 'admin' && collections === null;
}

/** Whether the caller may know of a key that reaches these: none may be made that reaches further than its maker. */
function isWithin({ collections }: Pick<ApiKey, 'collections'>, principal: Principal): boolean {
  if (principal.collections === null) return true;
  return collections !== null && collections.every((name) => reaches(principal, name));
}

function outOfReach(): AppError {
  return new AppError('invalid_request', 'collections: choose from those that your own key can access');
}

function changeable({ keyFile }: KeySettings): KeyFile {
  if (keyFile !== null) return keyFile;
  throw new AppError('conflict', 'This server has no key file: set API_KEYS_FILE, or change API_KEYS and restart the server.');
}

function taken(): AppError {
  return new AppError('conflict', 'name: a key with this name already exists; choose another name, or revoke that key first');
}

function isGood(name: string, settings: KeySettings): boolean {
  return keysNow(settings).some((key) => key.name === name);
}

/** The file says so, and this server cannot use the file as it is: nobody may believe that it is done. */
function notFollowed(): AppError {
  return new AppError('unavailable', 'The key file was changed, but the server cannot use it as it is now; ask an administrator.');
}

/** What the file refuses, in words that hold no path of this machine. */
async function inWords<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    if (!(error instanceof KeyFileError)) throw error;
    if (error.code === 'taken') throw taken();
    throw new AppError('unavailable', 'The server cannot read or write the key file; ask an administrator.', {
      cause: error,
    });
  });
}

function toRecord({ name, scope, collections }: ApiKey): Pick<ApiKey, 'name' | 'scope' | 'collections'> {
  return { name, scope, collections };
}
