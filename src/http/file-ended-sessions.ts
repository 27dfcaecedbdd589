/** Sessions that were logged out, as empty files named after them: every front end on the data directory sees them at once. */
import { access, mkdir, readdir, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrno } from '../errors.ts';
import type { EndedSessions } from './session.ts';
import { syncFolder } from './sync-folder.ts';

export function createFileEndedSessions(folder: string): EndedSessions {
  return {
    async has(id) {
      return access(join(folder, id)).then(
        () => true,
        (error: unknown) => {
          if (hasErrno(error, 'ENOENT')) return false;
          throw error;
        },
      );
    },
    async add(id) {
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, id), '', { mode: 0o600 });
      await syncFolder(folder);
    },
    async expire(before) {
      for (const id of await readdir(folder).catch(ignoreMissing)) {
        const isOld = await stat(join(folder, id)).then(({ mtimeMs }) => mtimeMs < Date.parse(before), ignoreMissing);
        if (isOld === true) await unlink(join(folder, id)).catch(ignoreMissing);
      }
    },
  };
}

function ignoreMissing(error: unknown): [] {
  if (!hasErrno(error, 'ENOENT')) throw error;
  return [];
}
