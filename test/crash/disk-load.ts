/**
 * A server under mixed load while its disk is full, has no inodes left, or has turned read-only: what it answers meanwhile, and whether
 * all that was acknowledged is there afterwards. A part of `npm run torture:disk-full`; needs root.
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startPostgres } from '../support/postgres.ts';
import { startRedis } from '../support/redis.ts';
import { search, startServer } from '../support/server.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { randomFrom } from './random.ts';

type Trouble = {
  readonly name: string;
  readonly mount: (path: string, image: string) => void;
  /** Called again and again, since what is deleted makes room. */
  readonly press: (path: string) => void;
  /** Null: this disk stays as it is. */
  readonly relieve: ((path: string) => void) | null;
};

const run = (command: string, ...args: string[]): void => void execFileSync(command, args, { stdio: 'ignore' });

const troubles: readonly Trouble[] = [
  {
    name: 'full',
    mount: (path) => run('mount', '-t', 'tmpfs', '-o', 'size=160m', 'tmpfs', path),
    press: (path) => {
      for (const bytes of [1 << 20, 1 << 12]) whileRoom(() => appendFileSync(join(path, 'ballast'), Buffer.alloc(bytes)));
    },
    relieve: (path) => rmSync(join(path, 'ballast')),
  },
  {
    name: 'no inodes',
    mount: (path) => run('mount', '-t', 'tmpfs', '-o', 'size=64m,nr_inodes=1500', 'tmpfs', path),
    press(path) {
      mkdirSync(join(path, 'ballast'), { recursive: true });
      whileRoom(() => writeFileSync(join(path, 'ballast', String((made += 1))), ''));
    },
    relieve: (path) => rmSync(join(path, 'ballast'), { recursive: true }),
  },
  {
    name: 'read-only',
    mount(path, image) {
      run('dd', 'if=/dev/zero', `of=${image}`, 'bs=1M', 'count=128');
      run('mkfs.ext4', '-q', '-F', image);
      run('mount', '-o', 'loop', image, path);
    },
    // As the system does it when the disk fails: files stay open.
    press: (path) => run('mount', '-o', 'remount,abort', path),
    relieve: null,
  },
];
let made = 0;

function whileRoom(work: () => void): void {
  try {
    for (;;) work();
  } catch {
    // No room is left.
  }
}

/** One row a kind of trouble and engine; true when all of them are right. */
export async function runDiskLoad({ seconds, seed }: { seconds: number; seed: number }): Promise<boolean> {
  const rows: Record<string, unknown>[] = [];
  for (const trouble of troubles)
    for (const engine of trouble.name === 'full' ? (['files', 'Redis', 'PostgreSQL'] as const) : (['files', 'Redis'] as const))
      rows.push(await underLoad(trouble, engine, { seconds, seed }));
  console.table(rows);
  return rows.every(({ ok }) => ok === true);
}

async function underLoad(
  trouble: Trouble,
  engine: 'files' | 'Redis' | 'PostgreSQL',
  { seconds, seed }: { seconds: number; seed: number },
): Promise<Record<string, unknown>> {
  await using dir = await tempDir('/tmp');
  await using redis = engine === 'Redis' ? await startRedis() : null;
  const path = join(dir.path, 'disk');
  mkdirSync(path);
  // Also for the database server, which is not root.
  chmodSync(dir.path, 0o711);
  trouble.mount(path, join(dir.path, 'image'));
  try {
    // A database lies on that disk, and the server's own files do not.
    await using database = engine === 'PostgreSQL' ? await startPostgres({ durable: true, dataOn: path }) : null;
    const onDisk = { DISK_RESERVE_BYTES: '0', ...(redis === null ? {} : { QUEUE_URL: redis.url }) };
    const engineEnv = database === null ? onDisk : { DATABASE_URL: await database.newDatabase() };
    const server = await startServer({ dataDir: join(database === null ? path : dir.path, 'data'), engineEnv });
    const load = createLoad(server.url, seed);
    await put(server.url, 'never deleted', 'filler that stays');
    await load.during(5);
    const phase = load.begin();
    const pressing = setInterval(() => trouble.press(path), trouble.relieve === null ? 1e9 : 500);
    trouble.press(path);
    await load.during(seconds);
    clearInterval(pressing);
    const ready = (await fetch(`${server.url}/ready`)).status;
    const upload = (await put(server.url, 'last', 'last words')).status;
    const found = await search(server.url, 'filler').then(
      (hits) => hits.length,
      () => 0,
    );
    trouble.relieve?.(path);
    const backAt = performance.now();
    if (trouble.relieve !== null)
      await until('uploads are taken again', async () => (await put(server.url, 'back', 'back again')).status === 200);
    const backMs = performance.now() - backAt;
    if (trouble.relieve !== null) await load.during(2);
    const lost = await load.lost();
    await server.stop();
    const stacks = server
      .log()
      .split('\n')
      .filter((line) => line.includes('"stack"') && /"msg":"[^"]*request/.test(line));
    for (const line of stacks) console.error(line);
    const wrong = phase.filter((answer) => !/ (200|202|404|503|507)$/.test(answer)).length;
    const count = (pattern: RegExp): number => phase.filter((answer) => pattern.test(answer)).length;
    return {
      disk: trouble.name,
      engine,
      'deleted / refused': `${count(/^delete (200|404)$/)} / ${count(/^delete (503|507)$/)}`,
      'uploads refused': count(/^put (503|507)$/),
      searched: count(/^search 200$/),
      'other answers': wrong,
      'ready = upload': `${ready} = ${upload}`,
      'back after ms': Math.round(backMs),
      lost,
      'stacks of requests': stacks.length,
      ok:
        wrong === 0 &&
        lost === 0 &&
        stacks.length === 0 &&
        found > 0 &&
        // Rows of a database fit where others were: some uploads still do.
        (database !== null || (ready === 200) === upload < 300) &&
        (trouble.relieve === null || database !== null || count(/^delete 200$/) > 0),
    };
  } finally {
    run('umount', '-l', path);
  }
}

/** Four clients that upload, delete and search. What was acknowledged last of a document is remembered. */
function createLoad(url: string, seed: number) {
  const numbers = randomFrom(seed);
  const random = (): number => numbers.next();
  /** The word that a document must have; null: it must be gone. */
  const acknowledged = new Map<string, string | null>();
  let answers: string[] = [];
  let count = 0;

  async function client(number: number, untilMs: number): Promise<void> {
    while (performance.now() < untilMs) {
      const docId = `doc ${number} ${Math.floor(random() * 25)}`;
      const what = random();
      if (what < 0.5) await upload(docId);
      else if (what < 0.7) await remove(docId);
      else answers.push(`search ${(await fetch(`${url}/search?q=filler&top_k=3`)).status}`);
      await pause(10);
    }
  }

  async function upload(docId: string): Promise<void> {
    count += 1;
    const word = `word${count}q`;
    acknowledged.delete(docId);
    const reply = await put(url, docId, `${word} ${'filler of a long text. '.repeat([3, 200, 2000][count % 3]!)}`);
    answers.push(`put ${reply.status}`);
    if (reply.status === 200) acknowledged.set(docId, word);
  }

  async function remove(docId: string): Promise<void> {
    acknowledged.delete(docId);
    const { status } = await fetch(`${url}/documents/${encodeURIComponent(docId)}`, { method: 'DELETE' });
    answers.push(`delete ${status}`);
    if (status === 200 || status === 404) acknowledged.set(docId, null);
  }

  return {
    begin: () => (answers = []),
    async during(seconds: number): Promise<void> {
      const untilMs = performance.now() + seconds * 1000;
      await Promise.all([0, 1, 2, 3].map((number) => client(number, untilMs)));
    },
    async lost(): Promise<number> {
      let lost = 0;
      for (const [docId, word] of acknowledged) {
        const reply = await fetch(`${url}/documents/${encodeURIComponent(docId)}/content`);
        const text = await reply.text();
        if (word === null ? reply.status !== 404 : !text.includes(word)) lost += 1;
      }
      return lost;
    },
  };
}

function put(url: string, docId: string, text: string): Promise<Response> {
  return fetch(`${url}/documents/${encodeURIComponent(docId)}?filename=a.txt`, {
    method: 'PUT',
    body: text,
    headers: { 'content-type': 'text/plain', prefer: 'wait=5' },
  });
}
