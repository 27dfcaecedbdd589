/**
 * Where the front end's main thread spends its time while large uploads come in: `node test/bench/profile.ts [UPLOADS] [MB]`.
 * V8's sampling profiler: functions by their own time, as seconds for each GB and as shares of the time in which there was
 * something to do. What libuv's threads write and flush is not in it.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { insert, makeDataDir, removeDir, startServer } from '../support/server.ts';
import { round } from './process-figures.ts';

type Frame = { readonly functionName: string; readonly url: string };
type Profile = {
  readonly nodes: readonly { readonly id: number; readonly callFrame: Frame }[];
  readonly samples: readonly number[];
  /** Microseconds. */
  readonly timeDeltas: readonly number[];
};

const shown = 12;
const idle = new Set(['(idle)', '(program)', '(root)']);

const [uploads = '12', megabytes = '99'] = process.argv.slice(2);
const dataDir = await makeDataDir();
const folder = join(dataDir, 'profiles');
const server = await startServer({
  dataDir,
  env: { LOG_LEVEL: 'error' },
  execArgv: ['--cpu-prof', `--cpu-prof-dir=${folder}`],
});
const file = { name: 'a.bin', bytes: randomBytes(Number(megabytes) * 1e6) };
for (let count = 0; count < Number(uploads); count += 1)
  await (await insert(server.url, `doc-${count}`, file, { prefer: 'respond-async' })).arrayBuffer();
await server.stop();
console.table(ownTimes(readProfile(folder, server.process.pid!), (Number(uploads) * file.bytes.length) / 1e9));
await removeDir(dataDir);
process.exit(0);

/** That of the main thread of a process. */
function readProfile(from: string, pid: number): Profile {
  const name = readdirSync(from).find((each) => each.split('.')[3] === String(pid) && each.split('.')[4] === '0');
  return JSON.parse(readFileSync(join(from, name!), 'utf8')) as Profile;
}

function ownTimes({ nodes, samples, timeDeltas }: Profile, gigabytes: number): Record<string, string | number>[] {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const seconds = new Map<string, number>();
  for (const [at, id] of samples.entries()) {
    const { functionName, url } = frames.get(id)!;
    if (idle.has(functionName)) continue;
    const name = `${functionName || '(anonymous)'} ${basename(url)}`.trim();
    seconds.set(name, (seconds.get(name) ?? 0) + timeDeltas[at]! / 1e6);
  }
  const all = [...seconds.values()].reduce((sum, each) => sum + each, 0);
  const top = [...seconds].toSorted(([, one], [, other]) => other - one).slice(0, shown);
  return [['all that was done', all] as const, ...top].map(([name, each]) => ({
    function: name,
    's/GB': round(each / gigabytes),
    share: round(each / all),
  }));
}
