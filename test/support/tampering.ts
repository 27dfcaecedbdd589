/** Every way in which somebody may have changed a file that is kept. */
import { execFileSync } from 'node:child_process';
import { cp, mkdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';

/** `outside`: a path that a link may lead to, which is made. */
export type Tamper = (path: string, outside: string) => Promise<void>;

export const ways: Readonly<Record<string, Tamper>> = {
  removed: (path) => rm(path),
  emptied: (path) => truncate(path, 0),
  cut: async (path) => truncate(path, Math.floor((await readFile(path)).length / 2)),
  flipped: async (path) => {
    const bytes = await readFile(path);
    const at = Math.floor(bytes.length / 3);
    bytes[at] = bytes[at]! ^ 0x55;
    await writeFile(path, bytes);
  },
  'made a link': async (path, outside) => {
    await cp(path, outside);
    await rm(path);
    await symlink(outside, path);
  },
  'made a folder': async (path) => {
    await rm(path);
    await mkdir(path);
  },
  'made a pipe': async (path) => {
    await rm(path);
    execFileSync('mkfifo', [path]);
  },
  'made rubbish': (path) => writeFile(path, '[1,"\u0000"]'),
};
