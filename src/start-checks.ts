/** What has to be so before anything is opened: found out here, it has a plain sentence; found out later, none. */
import { accessSync, chmodSync, constants, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ConfigError } from './config.ts';
import { hasErrno } from './errors.ts';

/** Threads, index, packages and a few connections: with fewer the server would come up half, or stop in the middle. */
export const openFilesMin = 256;

/**
 * How many files and connections this process may have open at once (Node takes all that it may); null where the system does not say.
 * @throws ConfigError when that is too few to work with.
 */
export function requireOpenFiles(limits = readLimits()): number | null {
  const [, given] = /^Max open files\s+(\d+|unlimited)/m.exec(limits) ?? [];
  if (given === undefined || given === 'unlimited') return null;
  const most = Number(given);
  if (most < openFilesMin)
    throw new ConfigError([
      `ulimit -n: ${most} files may be open at once, and at least ${openFilesMin} are needed; 8192 or more are recommended`,
    ]);
  return most;
}

function readLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'latin1');
  } catch {
    return '';
  }
}

/**
 * The data directory is there, and this user may write in it. Made step by step: asked to make all at once, Node never ends on a file
 * system that denies what it has just said (`/proc`). One that holds nothing yet is closed to the other users of the machine; one that
 * is in use is left as its owner has it.
 * @throws the system's error, which `explainStart` knows.
 */
export function requireDataDir(dataDir: string): void {
  const path = resolve(dataDir);
  makeFolder(path);
  accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  if (holdsNothing(path)) closeToOthers(path);
}

/** What every clone has in its data directory is nothing to read. */
export function holdsNothing(path: string): boolean {
  return readdirSync(path).every((name) => name === '.gitkeep');
}

function closeToOthers(path: string): void {
  try {
    chmodSync(path, statSync(path).mode & 0o770);
  } catch (error) {
    // A folder that is somebody else's, or on a file system without modes: whoever made it has decided.
    if (!hasErrno(error, 'EPERM', 'ENOTSUP', 'ENOSYS', 'EROFS')) throw error;
  }
}

function makeFolder(path: string): void {
  if (isFolder(path)) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process may have been faster.
    if (!hasErrno(error, 'EEXIST') || !isFolder(path)) throw error;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
