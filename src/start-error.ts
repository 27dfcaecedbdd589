/**
 * Why a process could not start: one sentence that names the setting and the cause, for the person who reads along, and the exit code
 * for whatever started it. Every way in which the system refuses is a row of a table here; what is in none is a bug.
 */
import { resolve, sep } from 'node:path';
import { ConfigError } from './config.ts';
import { AppError, DocumentError, SettingError } from './errors.ts';
import { sqliteCodeOf } from './trouble.ts';

export type StartError = {
  /** Without a line end; may hold a secret that a setting holds. */
  readonly sentences: readonly string[];
  /** 69 (EX_UNAVAILABLE): the same start may succeed later. 78 (EX_CONFIG): somebody has to change something first. */
  readonly exitCode: 69 | 78;
};

/** What was to be used; as much of the settings as is known. */
export type StartPlaces = { readonly host: string; readonly port: number; readonly dataDir: string };

type Row = { readonly sentence: string; readonly exitCode: 69 | 78 };

const later = (sentence: string): Row => ({ sentence, exitCode: 69 });
const never = (sentence: string): Row => ({ sentence, exitCode: 78 });

/** Of files and folders, by errno. */
const fileErrnos: Readonly<Record<string, Row>> = {
  EACCES: never('this user has no permission to use it'),
  EPERM: never('this user has no permission to use it'),
  ERR_ACCESS_DENIED: never('it is outside the folders that this process may use'),
  EROFS: never('it is on a read-only file system'),
  ENOENT: never('it does not exist and cannot be created'),
  ENOTDIR: never('it is, or is below, a file where a folder is needed'),
  EEXIST: never('it is a file where a folder is needed'),
  EISDIR: never('it is a folder where a file is needed'),
  ELOOP: never('its symbolic links form a loop'),
  ENAMETOOLONG: never('its name is too long'),
  EINVAL: never('the file system does not support it'),
  ENOTSUP: never('the file system does not support it'),
  EOPNOTSUPP: never('the file system does not support it'),
  ENOSPC: later('there is no space left'),
  EDQUOT: later('the disk quota is used up'),
  EFBIG: later('the disk quota is used up'),
  EIO: later('the disk reports an error'),
  ENXIO: later('the disk is missing'),
  ENODEV: later('the disk is missing'),
  ESTALE: later('the network file system has lost track of it'),
  EBUSY: later('it is in use'),
  ETXTBSY: later('it is in use'),
  ELOCKED: later('another process is starting on it'),
  EMFILE: never('too few files may be open at once (ulimit -n)'),
  ENFILE: later('too many files are open on this machine'),
  ENOMEM: later('there is no memory left'),
};

/** Of the address that is listened on. */
const addressErrnos: Readonly<Record<string, (places: StartPlaces) => Row>> = {
  EADDRINUSE: ({ host, port }) => later(`PORT: ${port} is in use on ${host}`),
  EACCES: ({ port }) => never(`PORT: ${port} needs a privilege that this user does not have; ports above 1023 need none`),
  EADDRNOTAVAIL: ({ host }) => never(`HOST: ${host} is not an address of this machine`),
  ENOTFOUND: ({ host }) => never(`HOST: ${host} is not a known host name`),
  EAI_AGAIN: ({ host }) => later(`HOST: ${host} cannot be resolved at the moment`),
  EAFNOSUPPORT: ({ host }) => never(`HOST: ${host} is of a kind that this machine does not support`),
};

type Asked = { readonly setting: string; readonly install: string };

const ofPostgres: Asked = { setting: 'DATABASE_URL', install: 'pg pg-boss' };
const ofRedis: Asked = { setting: 'QUEUE_URL', install: 'bullmq ioredis' };

/** Packages that a setting asks for. */
const packageSettings: Readonly<Record<string, Asked>> = {
  pg: ofPostgres,
  'pg-boss': ofPostgres,
  aws4fetch: { setting: 'FILES_URL', install: 'aws4fetch' },
  ioredis: ofRedis,
  bullmq: ofRedis,
  '@modelcontextprotocol/sdk': { setting: 'MCP', install: '@modelcontextprotocol/sdk' },
  '@huggingface/transformers': { setting: 'EMBEDDER, RERANK_MODEL_DIR', install: '@huggingface/transformers' },
};

/** As optional peers that are development packages too, they come only when they are asked for as production ones. */
const installCommand = 'npm install --no-save --save-prod --omit=dev';

/** Null for what is no expected way to fail. Pure. */
export function explainStart(error: unknown, places: StartPlaces): StartError | null {
  if (error instanceof ConfigError) return { sentences: error.problems, exitCode: 78 };
  const row = rowOf(error, places);
  return row === null ? null : { sentences: [row.sentence], exitCode: row.exitCode };
}

function rowOf(error: unknown, places: StartPlaces): Row | null {
  if (!(error instanceof Error)) return null;
  const missing = packageOf(error);
  if (missing !== null) return missing;
  if (error instanceof DocumentError) return never(withCause(error));
  if (error instanceof SettingError) return never(withCause(error));
  if (error instanceof AppError) return ofAppError(error, places);
  return ofSystem(error, places);
}

/** What an engine says; where it has only the words of the wire, its cause says more. */
function ofAppError(error: AppError, places: StartPlaces): Row {
  const row = error.cause === undefined ? null : ofSystem(error.cause, places);
  const ofWire = ['RAG service is not ready.', 'Not enough space on the server. Try again later, or ask an administrator.'];
  if (!ofWire.includes(error.message)) return { sentence: withCause(error), exitCode: 69 };
  return row ?? later(`The storage cannot be used: ${withCause(error)}`);
}

function ofSystem(error: unknown, places: StartPlaces): Row | null {
  if (!(error instanceof Error)) return null;
  const { code = '', syscall, path } = error as NodeJS.ErrnoException;
  if (syscall === 'listen' || syscall === 'getaddrinfo' || syscall === 'bind')
    return addressErrnos[code]?.(places) ?? never(`HOST, PORT: cannot listen on ${places.host}:${places.port} (${code})`);
  if (sqliteCodeOf(error) !== null) return later(`DATA_DIR: the index in ${places.dataDir} cannot be used (${error.message})`);
  const row = fileErrnos[code];
  if (row === undefined) return null;
  const place = path ?? ('resource' in error && typeof error.resource === 'string' ? error.resource : null);
  if (code === 'EMFILE' || code === 'ENFILE' || place === null)
    return { ...row, sentence: `DATA_DIR: ${places.dataDir}: ${row.sentence}` };
  const name = isInside(place, places.dataDir) ? 'DATA_DIR: ' : '';
  return { ...row, sentence: `${name}${place}: ${row.sentence}` };
}

/** Also a folder that it lies in, which is made for it. */
function isInside(path: string, folder: string): boolean {
  const [one, other] = [`${resolve(path)}${sep}`, `${resolve(folder)}${sep}`];
  return one.startsWith(other) || other.startsWith(one);
}

function packageOf(error: Error): Row | null {
  if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND')
    return error.cause instanceof Error ? packageOf(error.cause) : null;
  const name = /Cannot find package '((?:@[^/']+\/)?[^/']+)/.exec(error.message)?.[1] ?? '';
  const asked = packageSettings[name];
  if (asked === undefined) return null;
  return never(`${asked.setting}: the package ${name} is not installed: ${installCommand} ${asked.install}`);
}

function withCause({ message, cause }: Error): string {
  if (!(cause instanceof Error)) return message;
  const said = inWords(cause);
  return message.includes(said) ? message : `${message.replace(/\.$/, '')} (${said})`;
}

/** Of several addresses that were tried the first says it; some errors have a code and no words. */
function inWords(error: Error): string {
  const one = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error;
  return one.message || String((one as NodeJS.ErrnoException).code ?? one.name);
}
