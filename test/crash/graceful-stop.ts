/**
 * SIGTERM in the middle of everything: an endless document, waiting ones, an event stream, a long wait, an upload that has come
 * half-way; then a second SIGTERM that does not wait. `node test/crash/graceful-stop.ts`
 */
import { ended, getTask, insert, makeDataDir, removeDir, startServer, type TestServer, type WireTask } from '../support/server.ts';
import { rawConnection } from '../support/http-server.ts';
import { until } from '../support/until.ts';
import { leftovers } from './aftermath.ts';
import { childrenOf, uploadRequest } from './clients.ts';
import { type Figure, round, showFigures } from './figures.ts';

const waitingTasks = 5;

export async function runGracefulStop(): Promise<boolean> {
  const dataDir = await makeDataDir();
  try {
    return showFigures([...(await stopOnce(dataDir)), ...(await stopTwice(dataDir)), ...(await stopIdle(dataDir))]);
  } finally {
    await removeDir(dataDir);
  }
}

const start = (dataDir: string, env: Record<string, string> = {}): Promise<TestServer> =>
  startServer({ dataDir, rigged: true, env: { MAX_CONCURRENT_TASKS: '1', ...env } });

/** With its default time to stop. */
async function stopOnce(dataDir: string): Promise<Figure[]> {
  const server = await start(dataDir);
  const running = await accept(server, 'hang.txt');
  await until('it runs', async () => (await getTask(server.url, running)).status === 'processing');
  const waiting: string[] = [];
  for (let count = 0; count < waitingTasks; count += 1) waiting.push(await accept(server, `a-${count}.txt`));
  const stream = await readStream(`${server.url}/task/${running}/events`);
  const all = await readStream(`${server.url}/events`);
  const held = fetch(`${server.url}/task/${running}`, { headers: { prefer: 'wait=60' } }).then(({ status }) => status);
  const upload = await rawConnection(Number(new URL(server.url).port));
  upload.socket.write(uploadRequest('half', 100_000).subarray(0, 50_000));
  const workers = childrenOf(server.process.pid!);

  const before = performance.now();
  const stopping = server.stop();
  await until('it is stopping', () => server.log().includes('"stopping"'));
  const streamsEnded = Promise.all([stream.ended, all.ended]).then(() => performance.now() - before);
  const refused = await fetch(`${server.url}/health`).then(
    () => false,
    () => true,
  );
  const code = await stopping;
  const exitMs = performance.now() - before;
  const streamMs = await streamsEnded;
  await upload.closed;
  const alive = workers.filter((pid) => isAlive(pid)).length;

  const left = leftovers(dataDir, 0).filter((name) => !name.startsWith('queue/pending/'));
  const next = await start(dataDir);
  const task = await taskWhile(next, running);
  await fetch(`${next.url}/task/${running}?force=true`, { method: 'DELETE' });
  const ends = await Promise.all(waiting.map((id) => ended(next.url, id)));
  await next.stop();
  return [
    { figure: 'SIGTERM: exit after, s', value: round(exitMs / 1000, 1), most: 10 },
    { figure: 'SIGTERM: exit code', value: code ?? 'none', most: 0 },
    { figure: 'SIGTERM: new connections still taken', value: refused ? 0 : 1, most: 0 },
    { figure: 'SIGTERM: event streams told their end after, s', value: round(streamMs / 1000, 1), most: 1 },
    { figure: 'SIGTERM: a held request was answered', value: await held.catch(() => 0), least: 200, most: 299 },
    { figure: 'SIGTERM: workers left behind', value: alive, most: 0 },
    { figure: 'SIGTERM: files left over', value: left.join(' ') || 0, most: 0 },
    { figure: 'after a new start: attempts of the task that ran', value: task.attempts, most: 1 },
    { figure: 'after a new start: tasks that waited, not completed', value: notCompleted(ends), most: 0 },
  ];
}

async function stopTwice(dataDir: string): Promise<Figure[]> {
  const server = await start(dataDir);
  const running = await accept(server, 'hang.txt');
  await until('it runs', async () => (await getTask(server.url, running)).status === 'processing');
  const stopping = server.stop();
  await until('it is stopping', () => server.log().includes('"stopping"'));
  const before = performance.now();
  await server.stop();
  const exitMs = performance.now() - before;
  await stopping;
  const next = await start(dataDir);
  const task = await taskWhile(next, running);
  await fetch(`${next.url}/task/${running}?force=true`, { method: 'DELETE' });
  await next.stop();
  return [
    { figure: 'second SIGTERM: exit after, s', value: round(exitMs / 1000, 1), most: 2 },
    { figure: 'second SIGTERM: attempts of the task that ran', value: task.attempts },
  ];
}

async function stopIdle(dataDir: string): Promise<Figure[]> {
  const server = await start(dataDir);
  await fetch(`${server.url}/health`);
  const before = performance.now();
  const code = await server.stop();
  return [
    { figure: 'SIGTERM when idle: exit after, s', value: round((performance.now() - before) / 1000, 1), most: 10 },
    { figure: 'SIGTERM when idle: exit code', value: code ?? 'none', most: 0 },
    { figure: 'SIGTERM when idle: files left over', value: leftovers(dataDir, 0).join(' ') || 0, most: 0 },
  ];
}

async function accept(server: TestServer, name: string): Promise<string> {
  const answer = await insert(
    server.url,
    `${name} ${performance.now()}`,
    { name, bytes: `The text of ${name}.` },
    { prefer: 'respond-async' },
  );
  return ((await answer.json()) as WireTask).task_id;
}

/** An event stream that is read to its end; `ended` rejects when it breaks off instead. */
async function readStream(url: string): Promise<{ ended: Promise<void> }> {
  const answer = await fetch(url);
  const reader = answer.body!.getReader();
  await reader.read();
  const ended = (async () => {
    while (!(await reader.read()).done);
  })();
  ended.catch(() => undefined);
  return { ended };
}

/** The task once a worker has taken it again: what it had before plus that attempt. */
async function taskWhile(server: TestServer, id: string): Promise<WireTask> {
  await until('it runs again', async () => (await getTask(server.url, id)).status === 'processing');
  return getTask(server.url, id);
}

function notCompleted(tasks: readonly WireTask[]): number {
  return tasks.filter(({ status }) => status !== 'completed').length;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

if (import.meta.main) process.exit((await runGracefulStop()) ? 0 : 1);
