/**
 * Do the tests bite? Takes one safeguard at a time out of a copy of the sources and runs the suite that must notice.
 * `npm run torture:mutations`. Exit code 1 when a suite stays green.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tempDir } from '../support/temp-dir.ts';

type Mutation = {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** The command that must fail, after `node`. */
  readonly suite: readonly string[];
};

const engine = 'src/storage/file';
const redisScripts = 'src/storage/redis/scripts.ts';
const powerLoss = ['test/crash/power-loss.ts', '--points', '60', '--seed', '1'];
const slices = ['node_modules/vitest/vitest.mjs', 'run', 'test/search/sqlite/slices.test.ts'];
/** A test's name, with dots for spaces: the command is taken apart at spaces. */
const vitest = (pattern: string, folder: 'file' | 'postgres' | 'redis' = 'file'): string[] => [
  'node_modules/vitest/vitest.mjs',
  'run',
  `test/storage/${folder}`,
  '-t',
  pattern.replaceAll(' ', '.'),
];

const mutations: readonly Mutation[] = [
  {
    name: 'a record is not flushed before its rename',
    file: `${engine}/disk/durable-json.ts`,
    from: '    if (flushes) await file.sync();\n',
    to: '',
    suite: powerLoss,
  },
  {
    name: 'an upload is not flushed before it is acknowledged',
    file: `${engine}/content/staged-upload.ts`,
    from: '      if (flushes) await flush();\n',
    to: '',
    suite: powerLoss,
  },
  {
    name: 'the directory of a record is not flushed',
    file: `${engine}/disk/directory-sync.ts`,
    from: 'const work = disk.syncDirectory(directory, at).finally(',
    to: 'const work = Promise.resolve().finally(',
    suite: powerLoss,
  },
  {
    name: 'a log is not flushed',
    file: `${engine}/tasks/record-log.ts`,
    from: '    await segment.file.sync();\n',
    to: '',
    suite: powerLoss,
  },
  {
    name: 'what is in a log is told before its flush',
    file: `${engine}/tasks/record-log.ts`,
    from: 'else await flushed(segment);',
    to: 'else void flushed(segment).catch(() => undefined);',
    suite: vitest('shows none before'),
  },
  {
    name: 'the name of a log is not flushed',
    file: `${engine}/tasks/record-log.ts`,
    from: "      await disk.syncDirectory(owner.directory, 'log.sync-directory');\n",
    to: '',
    suite: powerLoss,
  },
  {
    name: 'a log is removed before the files that it stands for are flushed',
    file: `${engine}/tasks/record-log.ts`,
    from: '    await flushFiles(disk, layout, [...segment.ids]);\n',
    to: '',
    suite: powerLoss,
  },
  {
    name: 'the bytes of a small upload are not in the log',
    file: `${engine}/engine.ts`,
    from: "{ task, payload: content.toString('base64') }",
    to: '{ task }',
    suite: powerLoss,
  },
  {
    name: 'a log is read up to its first torn line',
    file: `${engine}/tasks/log-recovery.ts`,
    from: 'lines.slice(1).filter((line) => line !== null)',
    to: 'lines.slice(1, lines.indexOf(null, 1)).filter((line) => line !== null)',
    suite: vitest('whatever else was torn'),
  },
  {
    name: 'a dead owner is not fenced before its tasks are taken',
    file: `${engine}/ownership/reclaim.ts`,
    from: "await orNull(disk.rename(join(layout.active, id), fenced, 'reclaim.fence'));\n    const names = (await orNull(disk.list(fenced, 'reclaim.names'))) ?? [];",
    to: "const names = (await orNull(disk.list(join(layout.active, id), 'reclaim.names'))) ?? [];",
    suite: vitest('dead process'),
  },
  {
    name: 'a temporary file lies outside the lease directory',
    file: `${engine}/ownership/owner.ts`,
    from: 'return own(task === undefined ? `.t.${count}` : `.t.${task}.${count}`);',
    to: 'return join(layout.corrupt, `.t.${id}.${task}.${count}`);',
    suite: ['test/crash/failpoints.ts', '--at', 'record.rename', '--seed', '1'],
  },
  {
    name: 'the names in a version are not flushed before the index has it',
    file: `${engine}/content/file-store.ts`,
    from: "      orNull(disk.syncDirectory(target, 'publish.sync-version')),\n",
    to: '',
    suite: powerLoss,
  },
  {
    name: 'rows whose process has died are never given up',
    file: 'src/search/sqlite/unlisted.ts',
    from: 'WHERE id = ? AND moved = ?',
    to: 'WHERE id = ? AND moved <> ?',
    suite: slices,
  },
  {
    name: 'a slice is written under a note that is gone',
    file: 'src/search/sqlite/slices.ts',
    from: '.changes === 0)\n      throw takenForDead();',
    to: '.changes < 0)\n      throw takenForDead();',
    suite: slices,
  },
  {
    name: 'what was begun and overtaken is not given up',
    file: 'src/search/sqlite/sqlite-index.ts',
    from: '    giveUpArrival(database, arrival);\n    return listed;',
    to: '    return listed;',
    suite: slices,
  },
  {
    name: 'the marker is published before the record is written',
    file: `${engine}/engine.ts`,
    from: "    await record(task);\n    await buckets.unseal(task.id);\n    await markers.publishFirst(task, marker, 'submit.publish');\n",
    to: "    await markers.publishFirst(task, marker, 'submit.publish');\n    await record(task);\n    await buckets.unseal(task.id);\n",
    suite: vitest('record is not written yet'),
  },
  {
    name: 'the larger files of many uploads are not flushed',
    file: `${engine}/content/staged-upload.ts`,
    from: '      if (this.content === null) await file.sync();\n',
    to: '',
    suite: powerLoss,
  },
  {
    name: 'the bytes of many uploads are not in the log',
    file: `${engine}/group-submission.ts`,
    from: "{ task, payload: content.toString('base64') }",
    to: '{ task }',
    suite: powerLoss,
  },
  {
    name: 'many uploads are shown before the flush of the log',
    file: `${engine}/tasks/record-log.ts`,
    from: '      for (const entry of entries) append(segment, entry);\n      await flushed(segment);',
    to: '      for (const entry of entries) append(segment, entry);\n      void flushed(segment).catch(() => undefined);',
    suite: vitest('shows none of it before'),
  },
  {
    name: 'the files of a document are not flushed before the index has it',
    file: `${engine}/content/file-store.ts`,
    from: "      ...names.map((name) => orNull(disk.syncFile(join(target, name), 'publish.sync-file'))),\n",
    to: '',
    suite: powerLoss,
  },
  {
    name: 'attempts have no cap',
    file: `${engine}/tasks/task-store.ts`,
    from: 'task.attempts >= task.attemptsMax',
    to: 'task.attempts < 0',
    suite: vitest('all attempts are used up'),
  },
  {
    name: 'PostgreSQL: a process that was declared dead may write',
    file: 'src/storage/postgres/membership.ts',
    from: 'if (rows.length > 0) return;',
    to: 'if (rows.length >= 0) return;',
    suite: vitest('declared dead settles nothing', 'postgres'),
  },
  {
    name: 'PostgreSQL: settling is not one transaction',
    file: 'src/storage/postgres/engine.ts',
    from: '        return work();',
    to: '        return database.apart(work);',
    suite: vitest('settling is one transaction', 'postgres'),
  },
  {
    name: 'PostgreSQL: what an owner held is not given to others when it dies',
    file: 'src/storage/postgres/task-store.ts',
    from: '      await jobs.putBack(ids);\n',
    to: '',
    suite: vitest('gives the tasks of a dead process to another', 'postgres'),
  },
  {
    name: 'Redis: a task is ended by whoever once held it',
    file: redisScripts,
    from: "    if holder ~= '' and (held ~= holder or not alive(holder)) then return { 'fenced' } end\n",
    to: '',
    suite: vitest('another process holds by now', 'redis'),
  },
  {
    name: 'Redis: a busy document is not looked at',
    file: redisScripts,
    from: "if running and running ~= id then\n      redis.call('ZADD'",
    to: "if false then\n      redis.call('ZADD'",
    suite: vitest('never runs two tasks of one doc_id', 'redis'),
  },
  {
    name: 'Redis: a task is created however late its command comes',
    file: redisScripts,
    from: "    if nowMs() > tonumber(ARGV[6]) then return 'late' end\n",
    to: '',
    suite: vitest('however late it does', 'redis'),
  },
];

const root = fileURLToPath(new URL('../..', import.meta.url));
const results: { mutation: string; noticed: boolean }[] = [];
// A suite that is red anyway would notice everything.
for (const suite of new Set(mutations.map(({ suite }) => suite.join(' ')))) {
  const green = await runSuite(suite.split(' '), () => undefined);
  console.log(`${green ? 'green' : 'RED'} without a mutation: ${suite}`);
  if (!green) process.exit(1);
}
for (const mutation of mutations) {
  const noticed = await isNoticed(mutation);
  results.push({ mutation: mutation.name, noticed });
  console.log(`${noticed ? 'noticed' : 'NOT NOTICED'}: ${mutation.name}`);
}
console.table(results);
process.exit(results.every(({ noticed }) => noticed) ? 0 : 1);

async function isNoticed(mutation: Mutation): Promise<boolean> {
  return !(await runSuite(mutation.suite, (copy) => mutate(join(copy, mutation.file), mutation)));
}

function mutate(path: string, mutation: Mutation): void {
  const text = readFileSync(path, 'utf8');
  if (text.split(mutation.from).length !== 2)
    throw new Error(`${mutation.name}: what it takes out is not there exactly once in ${mutation.file}`);
  writeFileSync(path, text.replace(mutation.from, mutation.to));
}

/** Whether a suite passes on a copy of the sources that `change` has been at. */
async function runSuite(suite: readonly string[], change: (copy: string) => void): Promise<boolean> {
  await using dir = await tempDir();
  for (const name of ['src', 'test', 'workers', 'package.json', 'tsconfig.json', 'vitest.config.ts']) {
    cpSync(join(root, name), join(dir.path, name), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(dir.path, 'node_modules'));
  change(dir.path);
  const { status } = spawnSync(process.execPath, [...suite], { cwd: dir.path, stdio: 'ignore', timeout: 600_000 });
  // A suite that hangs says nothing.
  if (status === null) throw new Error(`${suite.join(' ')} did not end`);
  return status === 0;
}
