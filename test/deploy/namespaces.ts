/**
 * Two front ends and two workers that see each other over a network only: each in a network namespace of its own, all on one
 * bridge, a PostgreSQL between them. One worker's link is cut and mended, once for a moment and once until it counts as dead:
 * nothing is lost, nothing is done twice, and what it brings late is refused. Needs root, `ip` and PostgreSQL's programs.
 * `npm run torture:namespaces`
 */
import { round, showFigures } from '../crash/figures.ts';
import { makeNetworks, type Networks, whatNetworksNeed } from '../support/networks.ts';
import { ask, type PostgresServer, startPostgres } from '../support/postgres.ts';
import { makeDataDir, removeDir, startProcess, type TestServer, type WireTask } from '../support/server.ts';
import { until } from '../support/until.ts';

const hosts = { front1: 11, front2: 12, work1: 21, work2: 22 } as const;
type Host = keyof typeof hosts;

const key = 'correct-horse-battery-staple-0123456789';
const authorization = { authorization: `Bearer ${key}` };
const tasksEach = 30;
/** Each document takes its worker so long: all that a worker holds is ready long before its link is mended. */
const documentMs = 600;
/** A worker that is not heard of for its lease (10 s) is dead; whatever it held runs again within this. */
const takeoverMsMax = 12_000;

/** Every process has a folder of its own: they share nothing but the database. */
async function startOn(networks: Networks<Host>, host: Host, url: string, folders: string[]): Promise<TestServer> {
  const dataDir = await makeDataDir();
  folders.push(dataDir);
  return startProcess({
    dataDir,
    namespace: networks.namespaceOf(host),
    engineEnv: { DATABASE_URL: url },
    env: { HOST: networks.addressOf(host), API_KEYS: `me:admin:${key}`, RATE_LIMIT: '0', MAX_CONCURRENT_TASKS: '2' },
    args: ['--role', host.startsWith('front') ? 'api' : 'worker'],
    rigged: true,
  });
}

async function accept(front: TestServer, docId: string): Promise<string> {
  const response = await fetch(`${front.url}/documents/${docId}?filename=wait-${documentMs}.txt`, {
    method: 'PUT',
    body: `The text of ${docId} alone.`,
    headers: { ...authorization, prefer: 'respond-async' },
  });
  if (response.status !== 202) throw new Error(`an upload was answered ${response.status}: ${await response.text()}`);
  return ((await response.json()) as WireTask).task_id;
}

async function run(networks: Networks<Host>, server: PostgresServer, folders: string[]): Promise<boolean> {
  const url = await server.newDatabase();
  const count = async (sql: string): Promise<number> => Number((await ask(url, `SELECT count(*) AS n FROM ${sql}`))[0]!['n']);
  const [one, other, cut, whole] = (await Promise.all(
    (Object.keys(hosts) as Host[]).map((host) => startOn(networks, host, url, folders)),
  )) as [TestServer, TestServer, TestServer, TestServer];
  await until('both front ends see a worker', async () => {
    const answers = await Promise.all([one, other].map((front) => fetch(`${front.url}/ready`)));
    return answers.every(({ status }) => status === 200);
  });

  const ids: string[] = [];
  const submit = async (): Promise<void> => {
    for (let n = 0; n < tasksEach; n += 1) ids.push(await accept(n % 2 === 0 ? one : other, `doc-${ids.length}`));
  };
  const owners = await ask(url, 'SELECT id, backend FROM rag_intake.owner');
  const cutOwner = await ownerOf(url, networks.addressOf('work1'));
  const heldByCut = async (): Promise<string[]> =>
    (await ask(url, 'SELECT task FROM rag_intake.lease WHERE owner = $1', [cutOwner])).map((row) => String(row['task']));
  const isOwner = async (): Promise<boolean> =>
    (await ask(url, 'SELECT 1 FROM rag_intake.owner WHERE id = $1', [cutOwner])).length > 0;
  const allEnded = (): Promise<boolean> =>
    count(`rag_intake.task WHERE status NOT IN ('completed', 'failed')`).then((n) => n === 0);

  // For a moment: it goes on.
  await submit();
  await until('the worker is busy', async () => (await heldByCut()).length > 0);
  networks.cut('work1');
  await until('the others have worked on meanwhile', async () => finished(whole, ids).length >= 5);
  networks.mend('work1');
  await until('all have ended', allEnded);
  const momentSurvived = (await isOwner()) && cut.process.exitCode === null;

  // Until it is dead.
  await submit();
  await until('the worker is busy', async () => (await heldByCut()).length > 1);
  networks.cut('work1');
  const cutAt = performance.now();
  const late = await heldByCut();
  await until('its tasks run elsewhere', async () => {
    const rows = await ask(url, 'SELECT task FROM rag_intake.lease WHERE owner <> $1 AND task = ANY($2::uuid[])', [cutOwner, late]);
    return rows.length > 0 || finished(whole, late).length > 0;
  });
  const takeoverMs = performance.now() - cutAt;
  await until('all have ended without it', allEnded);
  networks.mend('work1');
  await until('it sees that it is dead', () => cut.process.exitCode !== null);

  const tasks = await ask(url, 'SELECT id, status FROM rag_intake.task');
  const completed = new Set(tasks.filter(({ status }) => status === 'completed').map(({ id }) => String(id)));
  const ends = ids.map((id) => finished(cut, [id]).length + finished(whole, [id]).length);
  const figures = showFigures([
    { figure: 'processes, each with a network of its own', value: owners.length, least: 4 },
    { figure: 'acknowledged tasks that are not completed', value: ids.filter((id) => !completed.has(id)).length, most: 0 },
    { figure: 'tasks that were finished twice, or of which no end was told', value: ends.filter((n) => n !== 1).length, most: 0 },
    { figure: 'chunks too many or too few', value: Math.abs((await count('rag_intake.chunk')) - ids.length), most: 0 },
    {
      figure: 'jobs and leases left over',
      value: (await count('rag_intake.lease')) + (await count(`rag_intake_jobs.job WHERE name = 'task' AND state < 'completed'`)),
      most: 0,
    },
    { figure: 'cut for a moment, the worker went on', value: momentSurvived ? 1 : 0, least: 1 },
    { figure: 'tasks that the worker held when it was cut until it was dead', value: late.length, least: 1 },
    { figure: 'of these, finished by it all the same', value: finished(cut, late).length, most: 0 },
    { figure: 'until they ran elsewhere, ms', value: round(takeoverMs), most: takeoverMsMax },
    { figure: 'its exit code when it came back (70: declared dead)', value: cut.process.exitCode ?? NaN, least: 70, most: 70 },
  ]);
  await Promise.all([one, other, whole].map((process) => process.stop()));
  return figures;
}

/** Whose connection comes from an address. */
async function ownerOf(url: string, address: string): Promise<string> {
  const sql = 'SELECT id FROM rag_intake.owner JOIN pg_stat_activity ON pid = backend WHERE client_addr = $1::inet';
  return String((await ask(url, sql, [address]))[0]!['id']);
}

/** Of which of these tasks a process says that it has finished them. */
function finished(process: TestServer, ids: readonly string[]): string[] {
  const lines = process
    .log()
    .split('\n')
    .filter((line) => line.includes('"task finished"'));
  return ids.filter((id) => lines.some((line) => line.includes(id)));
}

const missing = whatNetworksNeed('npm run torture:namespaces');
if (missing !== null) {
  console.error(`This run needs ${missing}.`);
  process.exit(1);
}
const folders: string[] = [];
let holds = false;
try {
  using networks = makeNetworks('rag', hosts);
  await using server = await startPostgres({ durable: true, address: networks.gateway });
  holds = await run(networks, server, folders);
} finally {
  await Promise.all(folders.map(removeDir));
}
process.exit(holds ? 0 : 1);
