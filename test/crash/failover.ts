/**
 * A PostgreSQL fails over under load: two front ends and two workers, a primary with a standby that confirms each commit. Round for round
 * the primary is cut off, killed, or overtaken while it still lives; the standby is promoted; the one before comes back, says that it
 * is primary and would take commits alone; then it becomes the next standby. With `networks` each process and each database is a
 * host of its own (needs root), else the database's links are frozen. `npm run torture -- --only failover`
 */
import { makeDataDir, removeDir, startProcess, type TestServer } from '../support/server.ts';
import { type CuttableLink, openCuttableLink } from '../support/cuttable-link.ts';
import { makeNetworks, whatNetworksNeed } from '../support/networks.ts';
import { freePlace, type Place, type PostgresNode, startPrimary, startStandby, urlOf } from '../support/replicated-postgres.ts';
import { startReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';
import { until } from '../support/until.ts';
import { type FailoverLoad, key, startFailoverLoad } from './failover-load.ts';
import { type Figure, quantile, round, showFigures } from './figures.ts';

const processes = { front1: 'api', front2: 'api', work1: 'worker', work2: 'worker' } as const;
type Process = keyof typeof processes;
const hosts = { front1: 11, front2: 12, work1: 21, work2: 22, base1: 31, base2: 32 } as const;
const bases = ['base1', 'base2'] as const;

export type FailoverOptions = {
  readonly rounds: number;
  readonly seed: number;
  /** Each a host of its own. */
  readonly networks: boolean;
  /** Times decide as well. */
  readonly judged: boolean;
};

/** Where everything runs, and how a database server is kept from everybody. */
type Ground = AsyncDisposable & {
  /** Of the two database servers, as they listen and as the others reach them. */
  readonly places: readonly Place[];
  readonly reached: readonly Pick<Place, 'address' | 'port'>[];
  readonly receiverAddress: string;
  readonly networks: string;
  of(process: Process): { readonly namespace?: string; readonly address: string };
  cut(base: number): void;
  mend(base: number): void;
};

const backMsMax = 10_000;
/** A client's patience; four times as much where times are not judged, since the machine may be busy with other things. */
const answerMsMax = 15_000;

export async function runFailover(options: FailoverOptions): Promise<boolean> {
  const missing = options.networks ? whatNetworksNeed('npm run torture -- --only failover') : null;
  if (missing !== null) throw new Error(`This run needs ${missing}.`);
  await using ground = options.networks ? separateHosts() : await frozenLinks();
  await using receiver = disposable(await startReceiver(ground.receiverAddress));
  await using nodes = await startPair(ground, options.judged);
  const folders: string[] = [];
  const servers: TestServer[] = [];
  try {
    for (const process of Object.keys(processes) as Process[]) servers.push(await startOn(ground, process, receiver, folders));
    return showFigures(await failOver(options, { ground, receiver, nodes, servers }));
  } finally {
    await Promise.all(servers.map((server) => server.kill()));
    await Promise.all(folders.map(removeDir));
  }
}

function separateHosts(): Ground {
  const networks = makeNetworks('over', hosts);
  const places = bases.map((base) => ({ address: networks.addressOf(base), port: 5432, namespace: networks.namespaceOf(base) }));
  return {
    places,
    reached: places,
    receiverAddress: networks.gateway,
    networks: `${networks.gateway}/24`,
    of: (process) => ({ namespace: networks.namespaceOf(process), address: networks.addressOf(process) }),
    cut: (base) => networks.cut(bases[base]!),
    mend: (base) => networks.mend(bases[base]!),
    async [Symbol.asyncDispose]() {
      networks[Symbol.dispose]();
    },
  };
}

async function frozenLinks(): Promise<Ground> {
  const places = [await freePlace(), await freePlace()];
  const links: CuttableLink[] = [];
  for (const { port } of places) links.push(await openCuttableLink(port));
  return {
    places,
    reached: links.map(({ port }) => ({ address: '127.0.0.1', port })),
    receiverAddress: '127.0.0.1',
    networks: '127.0.0.0/8',
    of: () => ({ address: '127.0.0.1' }),
    cut: (base) => links[base]!.freeze(),
    mend: (base) => links[base]!.mend(),
    async [Symbol.asyncDispose]() {
      for (const link of links) await link[Symbol.asyncDispose]();
    },
  };
}

function disposable(receiver: WebhookReceiver): WebhookReceiver & AsyncDisposable {
  return Object.assign(receiver, { [Symbol.asyncDispose]: () => receiver.close() });
}

type Pair = AsyncDisposable & {
  /** Which of the places the primary is at. */
  primary: number;
  readonly nodes: PostgresNode[];
};

async function startPair({ places }: Ground, durable: boolean): Promise<Pair> {
  const first = await startPrimary(places[0]!, durable);
  const nodes = [first, await startStandby(first, places[1]!, durable)];
  await first.followed();
  await first.setSynchronous(true);
  return {
    primary: 0,
    nodes,
    async [Symbol.asyncDispose]() {
      for (const node of nodes) await node[Symbol.asyncDispose]();
    },
  };
}

async function startOn(ground: Ground, name: Process, receiver: WebhookReceiver, folders: string[]): Promise<TestServer> {
  const dataDir = await makeDataDir();
  folders.push(dataDir);
  const { address, ...place } = ground.of(name);
  return startProcess({
    dataDir,
    ...place,
    engineEnv: { DATABASE_URL: `${urlOf(ground.reached)}?target_session_attrs=read-write` },
    env: {
      HOST: address,
      API_KEYS: `me:admin:${key}`,
      RATE_LIMIT: '0',
      MAX_CONCURRENT_TASKS: '2',
      WEBHOOK_ALLOWED_HOSTS: receiver.url,
      WEBHOOK_ALLOWED_NETWORKS: ground.networks,
      WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 5).toString('base64')}`,
    },
    args: ['--role', processes[name]],
  });
}

type Parts = { ground: Ground; receiver: WebhookReceiver; nodes: Pair; servers: readonly TestServer[] };

/** The ways in which a primary goes. */
const ways = ['cut off', 'killed', 'overtaken'] as const;
type Way = (typeof ways)[number];

async function failOver(options: FailoverOptions, parts: Parts): Promise<Figure[]> {
  const { nodes, servers, receiver } = parts;
  const fronts = servers.slice(0, 2).map(({ url }) => url);
  await until('both front ends see a worker', async () => {
    const answers = await Promise.all(fronts.map((url) => fetch(`${url}/ready`)));
    return answers.every(({ status }) => status === 200);
  });
  const load = startFailoverLoad({
    fronts,
    callback: receiver.url,
    seed: options.seed,
    answerMsMax: options.judged ? answerMsMax : 4 * answerMsMax,
  });
  const times: { readonly way: Way; readonly ms: number }[] = [];
  let strayed = 0;
  for (let n = 0; n < options.rounds; n += 1) {
    const way = ways[n % ways.length]!;
    await until('the load goes on', goesOn(load, 60));
    const { ms, strays } = await oneRound(way, parts, load);
    times.push({ way, ms });
    strayed += strays;
    console.log(`round ${n + 1}: primary ${way}, ${round(ms)} ms from the promotion until both front ends took an upload`);
  }
  await until('the load goes on', goesOn(load, 60));
  await load.stop();
  const lost = await load.judge();
  for (const sentence of [...load.wrong, ...lost].slice(0, 20)) console.log(sentence);
  await until(
    'the ends are told',
    () => new Set(receiver.received.map(webhookTask)).size >= new Set(load.accepted).size,
    60_000,
  ).catch(() => undefined);
  return [
    { figure: 'failovers', value: times.length, least: options.rounds },
    ...ways.flatMap((way) => figureOf(way, times, options.judged)),
    { figure: 'requests answered', value: load.answered(), least: 100 },
    { figure: 'refused with 503', value: load.refused() },
    { figure: 'answered otherwise, or not', value: load.wrong.length, most: 0 },
    { figure: 'uploads acknowledged', value: load.accepted.length, least: 20 },
    { figure: 'acknowledged and lost, or there though replaced or removed', value: lost.length, most: 0 },
    { figure: 'there though refused with 503', value: await load.thereThoughRefused() },
    ...(await figuresOfTables(nodes.nodes[nodes.primary]!, load)),
    ...figuresOfWebhooks(receiver, load),
    { figure: 'ends of tasks that two workers told of', value: endedTwice(servers), most: 0 },
    { figure: 'written to an old primary that came back', value: strayed, most: 0 },
    { figure: 'processes that ended, or were declared dead', value: gone(servers), most: 0 },
  ];
}

function goesOn(load: FailoverLoad, answers: number): () => boolean {
  const before = load.answered() - load.refused();
  return () => load.answered() - load.refused() > before + answers;
}

function figureOf(way: Way, times: readonly { way: Way; ms: number }[], judged: boolean): Figure[] {
  const values = times.filter((time) => time.way === way).map(({ ms }) => ms);
  if (values.length === 0) return [];
  const most = judged ? { most: backMsMax } : {};
  return [
    { figure: `primary ${way}: ms from the promotion until both took an upload, median`, value: round(quantile(values, 0.5)) },
    { figure: `primary ${way}: the longest`, value: round(Math.max(...values)), ...most },
  ];
}

/** The new primary is known to work when this returns, and the one before follows it. */
async function oneRound(way: Way, { ground, nodes }: Parts, load: FailoverLoad): Promise<{ ms: number; strays: number }> {
  const old = nodes.nodes[nodes.primary]!;
  const next = nodes.nodes[1 - nodes.primary]!;
  if (way === 'cut off') ground.cut(nodes.primary);
  if (way === 'killed') await old[Symbol.asyncDispose]();
  const promotedAt = performance.now();
  await next.promote();
  if (way === 'overtaken') ground.cut(nodes.primary);
  await until('both front ends take uploads', () => load.takenAfter(promotedAt).every(Number.isFinite));
  const ms = Math.max(...load.takenAfter(promotedAt)) - promotedAt;
  const strays = way === 'killed' ? 0 : await comeBack(old, () => ground.mend(nodes.primary), goesOn(load, 60));
  if (way !== 'killed') await old[Symbol.asyncDispose]();
  const base = nodes.primary;
  nodes.nodes[base] = await startStandby(next, ground.places[base]!, true);
  nodes.primary = 1 - base;
  await next.followed();
  await next.setSynchronous(true);
  return { ms, strays };
}

/** Takes commits alone, once it has its network again; how many rows were written there since. */
async function comeBack(old: PostgresNode, mend: () => void, wentOn: () => boolean): Promise<number> {
  await old.setSynchronous(false);
  // Whoever waited for a standby there ends: nobody waits for their answer.
  await old.ask(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
  );
  await until('nobody is left', async () => {
    const [row] = await old.ask(
      'SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
    return Number(row?.['n']) === 0;
  });
  const [at] = await old.ask('SELECT clock_timestamp()::text AS at');
  mend();
  await until('the load goes on', wentOn);
  const since = async (what: string): Promise<number> =>
    Number((await old.ask(`SELECT count(*) AS n FROM ${what} > $1::timestamptz`, [at!['at']]))[0]!['n']);
  return (await since('rag_intake.task WHERE changed_at')) + (await since('rag_intake.owner WHERE seen_at'));
}

async function figuresOfTables(primary: PostgresNode, { accepted }: FailoverLoad): Promise<Figure[]> {
  const count = async (sql: string): Promise<number> => Number((await primary.ask(`SELECT count(*) AS n FROM ${sql}`))[0]!['n']);
  const tasks = await primary.ask('SELECT id, status FROM rag_intake.task');
  const completed = new Set(tasks.filter(({ status }) => status === 'completed').map(({ id }) => String(id)));
  return [
    { figure: 'acknowledged tasks that are not completed', value: accepted.filter((id) => !completed.has(id)).length, most: 0 },
    {
      figure: 'documents with parts of two versions',
      value: await count(
        '(SELECT doc_key FROM rag_intake.document_part GROUP BY doc_key HAVING count(DISTINCT version) > 1) AS twice',
      ),
      most: 0,
    },
    {
      figure: 'chunks too many or too few',
      value: Math.abs(
        (await count('rag_intake.chunk')) -
          Number((await primary.ask('SELECT coalesce(sum(chunks), 0) AS n FROM rag_intake.document'))[0]!['n']),
      ),
      most: 0,
    },
    {
      figure: 'jobs and leases left over',
      value: (await count('rag_intake.lease')) + (await count(`rag_intake_jobs.job WHERE name = 'task' AND state < 'completed'`)),
      most: 0,
    },
  ];
}

function webhookTask({ body }: { body: string }): string {
  return (JSON.parse(body) as { data: { task_id: string } }).data.task_id;
}

/** The same message may come again, under the same id: then its receiver drops it. */
function figuresOfWebhooks({ received }: WebhookReceiver, { accepted }: FailoverLoad): Figure[] {
  const ids = new Map<string, Set<string>>();
  for (const each of received) {
    const task = webhookTask(each);
    ids.set(task, (ids.get(task) ?? new Set()).add(String(each.headers['webhook-id'])));
  }
  const messages = [...ids.values()].reduce((total, of) => total + of.size, 0);
  return [
    { figure: 'acknowledged tasks of whose end nobody was told', value: accepted.filter((id) => !ids.has(id)).length, most: 0 },
    { figure: 'ends told under two ids', value: [...ids.values()].filter(({ size }) => size > 1).length, most: 0 },
    { figure: 'messages that came again under their id', value: received.length - messages },
  ];
}

function endedTwice(servers: readonly TestServer[]): number {
  const ends = servers.flatMap(({ log }) =>
    log()
      .split('\n')
      .filter((line) => line.includes('"task finished"'))
      .map((line) => (JSON.parse(line) as { taskId: string }).taskId),
  );
  return ends.length - new Set(ends).size;
}

function gone(servers: readonly TestServer[]): number {
  const said = servers.flatMap(({ log }) => log().match(/a process is gone|the worker process ended|taking part again/g) ?? []);
  return said.length + servers.filter(({ process }) => process.exitCode !== null).length;
}
