/**
 * Real disks that are full: a small tmpfs, a loop mount without inodes, a mount that turns read-only. Needs root for `mount`.
 * `npm run torture:disk-full`; `-- --seconds 10 --only load` for less.
 */
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '../../src/storage/engine.ts';
import { AppError } from '../../src/errors.ts';
import type { Task } from '../../src/tasks/task.ts';
import { openArbiterIndex } from '../support/arbiter-index.ts';
import { upload } from '../support/engine-steps.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { openBoth, records } from './aftermath.ts';
import { runDiskLoad } from './disk-load.ts';
import { drain } from './life.ts';

type Disk = {
  readonly name: string;
  readonly mount: (path: string, image: string) => void;
  /** Makes it refuse writes, and the way back. */
  readonly fill: (path: string) => void;
  readonly free: (path: string) => void;
  /** What an upload is answered meanwhile. */
  readonly code: 'insufficient_storage' | 'unavailable';
};

const run = (command: string, ...args: string[]): void => void execFileSync(command, args, { stdio: 'ignore' });

const disks: readonly Disk[] = [
  {
    name: 'tmpfs of 8 MB, full',
    mount: (path) => run('mount', '-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', path),
    fill: (path) => fillUp(join(path, 'ballast')),
    free: (path) => rmSync(join(path, 'ballast')),
    code: 'insufficient_storage',
  },
  {
    name: 'ext4 without inodes',
    mount(path, image) {
      run('dd', 'if=/dev/zero', `of=${image}`, 'bs=1M', 'count=16');
      run('mkfs.ext4', '-q', '-N', '256', image);
      run('mount', '-o', 'loop', image, path);
    },
    fill(path) {
      mkdirSync(join(path, 'ballast'));
      for (let count = 0; ; count += 1) {
        try {
          writeFileSync(join(path, 'ballast', String(count)), '');
        } catch {
          return;
        }
      }
    },
    free: (path) => rmSync(join(path, 'ballast'), { recursive: true }),
    code: 'insufficient_storage',
  },
  {
    name: 'tmpfs, remounted read-only',
    mount: (path) => run('mount', '-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', path),
    fill: (path) => run('mount', '-o', 'remount,ro', path),
    free: (path) => run('mount', '-o', 'remount,rw', path),
    code: 'unavailable',
  },
];

function fillUp(path: string): void {
  for (let bytes = 1024 * 1024; bytes >= 1; bytes = Math.floor(bytes / 2)) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(bytes), { flag: 'a' });
    } catch {
      // Smaller pieces still fit.
    }
  }
}

async function tryDisk(disk: Disk): Promise<Record<string, unknown>> {
  await using dir = await tempDir();
  const path = join(dir.path, 'disk');
  mkdirSync(path);
  disk.mount(path, join(dir.path, 'image'));
  try {
    // The index lies elsewhere: a mount with files open for writing cannot be made read-only.
    const indexDir = join(dir.path, 'index');
    mkdirSync(indexDir);
    const [front, worker] = await openBoth(join(path, 'data'), { openIndex: () => openArbiterIndex(indexDir) });
    const earlier: Task[] = [];
    for (let count = 0; count < 5; count += 1) earlier.push(await upload(front, 'x'));
    disk.fill(path);
    const answers = await refusals(front);
    const state = (await front.state()).state;
    const intact = await allIntact(front, earlier);
    const unparsable = records(join(path, 'data')).filter((task) => task === null).length;
    disk.free(path);
    const freedAt = performance.now();
    await until('uploads are taken again', () => upload(front, 'y').then(() => true));
    const backMs = performance.now() - freedAt;
    const partial = await until('no partial upload is left', () => uploadsLeft(join(path, 'data')) === 0, 5000).then(
      () => 0,
      () => uploadsLeft(join(path, 'data')),
    );
    await drain(worker, () => undefined);
    const counts = await front.tasks.counts();
    const { tasks } = await front.tasks.list({ limit: 100 });
    const onDisk = records(join(path, 'data'));
    await worker.close();
    await front.close();
    const right =
      answers.every((code) => code === disk.code) &&
      intact &&
      unparsable === 0 &&
      backMs <= 1000 &&
      partial === 0 &&
      counts.pending + counts.processing === 0 &&
      tasks.length === onDisk.length;
    return {
      disk: disk.name,
      answers: [...new Set(answers)].join(' '),
      state,
      'earlier intact': intact,
      unparsable,
      'accepts again after ms': Math.round(backMs),
      'partial uploads left': partial,
      'listed = on disk': `${tasks.length} = ${onDisk.length}`,
      ok: right,
    };
  } finally {
    run('umount', '-l', path);
  }
}

async function refusals(front: Engine): Promise<string[]> {
  const codes: string[] = [];
  for (let count = 0; count < 5; count += 1) {
    codes.push(
      await upload(front, 'x'.repeat(200_000)).then(
        () => 'accepted',
        (error: unknown) => (error instanceof AppError ? error.code : String(error)),
      ),
    );
  }
  return codes;
}

async function allIntact(front: Engine, tasks: readonly Task[]): Promise<boolean> {
  const seen = await Promise.all(tasks.map(({ id }) => front.tasks.get(id)));
  return seen.every((snapshot, position) => snapshot?.task.sha256 === tasks[position]!.sha256);
}

function uploadsLeft(dataDir: string): number {
  const active = join(dataDir, 'queue', 'active');
  return readdirSync(active).flatMap((lease) => readdirSync(join(active, lease)).filter((name) => name.startsWith('up.'))).length;
}

if (process.getuid?.() !== 0) {
  console.log('disk-full: needs root to mount small file systems; run it with sudo. Nothing was tested.');
  process.exit(1);
}
const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, only: { type: 'string' }, seed: { type: 'string' } },
});
const results = [];
if (values.only !== 'load') for (const disk of disks) results.push(await tryDisk(disk));
console.table(results);
const loadIsRight = await runDiskLoad({ seconds: Number(values.seconds), seed: Number(values.seed ?? Date.now() % 1_000_000) });
process.exit(loadIsRight && results.every(({ ok }) => ok === true) ? 0 : 1);
