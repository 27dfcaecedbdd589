/** Which process this is, so surely that another can tell later whether it still runs; and that test. Linux gives all of it, other systems less. */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { hasErrno } from '../../../errors.ts';

export type ProcessIdentity = {
  readonly pid: number;
  /** Clock ticks from boot to the start of the process (`/proc/<pid>/stat`, field 22): with the pid, unique in one boot. */
  readonly startTime: string | null;
  /** New at every boot of the machine; null where the system has none. */
  readonly bootId: string | null;
  /** Process ids mean the same only within one namespace. */
  readonly pidNamespace: string | null;
  readonly host: string;
};

export function identifyProcess(pid: number): ProcessIdentity {
  return {
    pid,
    startTime: processStat(pid)?.startTime ?? null,
    bootId: orNull(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    pidNamespace: orNull(() => readlinkSync('/proc/self/ns/pid')),
    host: hostname(),
  };
}

/** Whether the process behind `card` is surely gone. False also means: cannot be known from here, or stopped but there. */
export function isGone(card: ProcessIdentity, observer: ProcessIdentity): boolean {
  if (card.bootId !== observer.bootId) return card.bootId !== null && observer.bootId !== null;
  if (card.pidNamespace !== observer.pidNamespace || card.host !== observer.host) return false;
  if (!exists(card.pid)) return true;
  if (card.startTime === null) return false;
  const stat = processStat(card.pid);
  return stat !== null && (stat.startTime !== card.startTime || stat.state === 'Z' || stat.state === 'X');
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !hasErrno(error, 'ESRCH');
  }
}

/** The process's name, in parentheses, may hold anything; the fields begin after the last one. */
function processStat(pid: number): { state: string; startTime: string } | null {
  // A confined worker may read about itself only; of others it then knows no more than their lease says.
  const text = orNull(() => readFileSync(`/proc/${pid === process.pid ? 'self' : pid}/stat`, 'latin1'));
  if (text === null) return null;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', startTime: fields[19] ?? '' };
}

function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
