/**
 * What goes wrong where everything is kept, and what it means to whoever asked: one table for every engine, by the codes of those who
 * say so (the system, PostgreSQL, Redis, SQLite), never by their sentences. What is not in it is a bug.
 */
import { AppError } from './errors.ts';

/**
 * `full`: there is no room (507). `away`: it cannot be used now, and passes by itself or by its operator's hand (503). `again`: nothing
 * was done, and the same may succeed at once; who has tried often enough calls it `away`.
 */
export type Trouble = 'full' | 'away' | 'again';

/** Of the system, about disks and files. */
const diskErrnos: Readonly<Record<Trouble, string>> = {
  full: 'ENOSPC EDQUOT EFBIG',
  away: 'EIO EROFS ENXIO ENODEV ESTALE EMFILE ENFILE ENOMEM EACCES EPERM',
  again: '',
};

/** Of the system, about connections. */
const networkErrnos: Readonly<Record<Trouble, string>> = {
  full: '',
  away:
    'ECONNREFUSED ECONNRESET ECONNABORTED EPIPE ETIMEDOUT EHOSTUNREACH EHOSTDOWN ENETUNREACH ENETDOWN ENOTFOUND EAI_AGAIN ' +
    'EADDRNOTAVAIL',
  again: '',
};

/** SQLSTATEs of PostgreSQL; two characters stand for their class. */
const sqlStates: Readonly<Record<Trouble, string>> = {
  full: '53100',
  // Connections; read-only, idle or long transactions; who may enter; no such database; no right; resources; locks; an operator; disks; damage.
  away: '08 25006 25P03 25P04 28 3D000 42501 53 55006 55P03 57 58 XX001 XX002',
  again: '40001 40P01',
};

/** The first word of what Redis and Valkey answer. EXECABORT is what its parts were refused for. */
const redisWords: Readonly<Record<Trouble, string>> = {
  full: 'OOM',
  away:
    'READONLY MISCONF LOADING MASTERDOWN NOREPLICAS CLUSTERDOWN TRYAGAIN MOVED ASK BUSY NOSCRIPT IOERR WRONGPASS NOAUTH NOPERM ' +
    'NOMASTERLINK UNKILLABLE EXECABORT',
  again: '',
};

/** Primary result codes of SQLite (sqlite.org/rescode.html). */
const sqliteCodes: Readonly<Record<Trouble, string>> = {
  full: '13',
  // PERM BUSY LOCKED NOMEM READONLY INTERRUPT IOERR CORRUPT CANTOPEN PROTOCOL NOLFS AUTH NOTADB
  away: '3 5 6 7 8 9 10 11 14 15 22 23 26',
  again: '',
};

const byDiskErrno = lookUp(diskErrnos);
const byNetworkErrno = lookUp(networkErrnos);
const bySqlState = lookUp(sqlStates);
const byRedisWord = lookUp(redisWords);
const bySqliteCode = lookUp(sqliteCodes);

/** What an error says of where everything is kept; null when it says nothing of the kind. */
export function troubleOf(error: unknown): Trouble | null {
  if (!(error instanceof Error)) return null;
  if (error instanceof AppError) return ofAppError(error);
  if (error instanceof AggregateError) return worst(error.errors.map(troubleOf));
  const sqliteCode = sqliteCodeOf(error);
  if (sqliteCode !== null) return bySqliteCode.get(String(sqliteCode)) ?? null;
  if (error.name === 'ReplyError') return ofReply(error);
  const code = codeOf(error);
  return byDiskErrno.get(code) ?? byNetworkErrno.get(code) ?? ofSqlState(code);
}

/** The primary result code of an error that `node:sqlite` threw (sqlite.org/rescode.html); null when it is none. */
export function sqliteCodeOf(error: unknown): number | null {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : null;
}

/** What an error says of the disk of this machine. */
export function diskTroubleOf(error: unknown): Trouble | null {
  return error instanceof Error ? (byDiskErrno.get(codeOf(error)) ?? null) : null;
}

/** An error that is such trouble in the words of the wire; any other as it is. */
export function inOurWords(error: unknown): unknown {
  if (error instanceof AppError) return error;
  const trouble = troubleOf(error);
  if (trouble === null) return error;
  return trouble === 'full' ? noRoom(error) : notReady(error);
}

/** Why a request cannot be done now: `cause` goes to the log only. */
export function notReady(cause: unknown): AppError {
  return new AppError('unavailable', 'RAG service is not ready.', { cause, retryAfterSeconds: 5 });
}

/** Why nothing more can be taken: `cause` goes to the log only. */
export function noRoom(cause: unknown): AppError {
  return new AppError('insufficient_storage', 'Not enough space on the server. Try again later, or ask an administrator.', {
    cause,
    retryAfterSeconds: 30,
  });
}

/** What somebody else has put into our words already. */
function ofAppError({ code, cause }: AppError): Trouble | null {
  if (code === 'insufficient_storage') return 'full';
  if (code !== 'unavailable') return null;
  return troubleOf(cause) === 'again' ? 'again' : 'away';
}

/** The commands of a transaction that was not begun were refused one by one; libraries keep these answers. */
function ofReply(error: Error): Trouble | null {
  const parts = 'previousErrors' in error && Array.isArray(error.previousErrors) ? error.previousErrors.map(troubleOf) : [];
  return worst(parts) ?? byRedisWord.get(error.message.split(/[ \n]/, 1)[0]!) ?? null;
}

function ofSqlState(code: string): Trouble | null {
  return bySqlState.get(code) ?? (/^[0-9A-Z]{5}$/.test(code) ? bySqlState.get(code.slice(0, 2)) : undefined) ?? null;
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function worst(troubles: readonly (Trouble | null)[]): Trouble | null {
  return (['full', 'away', 'again'] as const).find((trouble) => troubles.includes(trouble)) ?? null;
}

function lookUp(codes: Readonly<Record<Trouble, string>>): ReadonlyMap<string, Trouble> {
  return new Map(
    Object.entries(codes).flatMap(([trouble, words]) =>
      words
        .split(' ')
        .filter(Boolean)
        .map((word) => [word, trouble as Trouble] as const),
    ),
  );
}
