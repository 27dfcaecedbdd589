/**
 * What the worker process may touch, as flags of Node's permission model: the program, the data directory, its temporary
 * folders, nothing else on the disk; no add-ons, and no other program but OCR. A parser that is led astray by its document finds
 * neither the machine's files nor a shell. The network is not covered by Node 24; the systemd unit can close it.
 */
import { accessSync, constants } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { ocrCommand } from '../parse/images/ocr.ts';

export type ConfinementOptions = {
  /** The folders of the program and its packages. */
  readonly codeFolders: readonly string[];
  readonly dataDir: string;
  /** More files that it may read: certificates of the database. */
  readonly readable?: readonly string[];
  /** Whether a model is run by a native add-on: it could do anything anyway, so nothing is confined then. */
  readonly addons: boolean;
  readonly env: NodeJS.ProcessEnv;
};

/** Who a process is and that it is the same as before: `process-identity.ts`. */
const identityFiles = ['/proc/self/stat', '/proc/self/ns/pid', '/proc/sys/kernel/random/boot_id'];

/** Flags for the `node` that runs the worker; none where a native add-on is needed. */
export function confinement({ codeFolders, dataDir, readable = [], addons, env }: ConfinementOptions): string[] {
  if (addons) return [];
  const cache = env.NODE_COMPILE_CACHE;
  const own = [resolve(dataDir), join(tmpdir(), 'rag-intake-*'), ...(cache === undefined ? [] : [resolve(cache)])];
  return [
    '--permission',
    // They say that each of the grants below is a risk.
    '--disable-warning=SecurityWarning',
    '--allow-worker',
    ...[...codeFolders, ...own, ...readable, ...identityFiles].map((path) => `--allow-fs-read=${path}`),
    ...own.map((path) => `--allow-fs-write=${path}`),
    ...(isInstalled(ocrCommand, env.PATH ?? '') ? ['--allow-child-process'] : []),
  ];
}

function isInstalled(program: string, path: string): boolean {
  return path.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
