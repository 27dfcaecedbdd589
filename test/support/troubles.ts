/**
 * Trouble of a database server or a Redis, made to happen and ended again: what a server answers with meanwhile, beside 503, and
 * whether one worker keeps its connection, so that it might think itself the only one alive.
 */
import pg from 'pg';
import { Redis } from 'ioredis';
import { ask, type PostgresServer, startPostgres } from './postgres.ts';
import { askRedis, type RedisServer, startRedis } from './redis.ts';
import { freePort } from './free-port.ts';
import { until } from './until.ts';

export type Trouble = {
  readonly name: string;
  /** What an upload or a deletion that it meets is answered, beside 503. */
  readonly answer?: 507;
  /** Whether so many requests are refused as pass by; otherwise some only, or none. */
  readonly refuses: boolean;
  /** Whether processes are kept out, so that it takes the time in which one would be declared dead. */
  readonly keepsOut?: boolean;
  begin(): Promise<void>;
  end(): Promise<void>;
};

/** A place in which trouble can be made. */
export type TroubledEngine = AsyncDisposable & {
  /** The settings that choose the engine. */
  readonly engineEnv: Readonly<Record<string, string>>;
  /** Those of a kind that the tests make; the others are for the torture. */
  readonly common: readonly Trouble[];
  readonly more: readonly Trouble[];
  /** Whether a process has not shown itself for so long. */
  silent(ms: number): Promise<boolean>;
  /** Workers that take part. */
  workers(): Promise<number>;
};

const password = 'open-sesame-rotated';

export async function openTroubledPostgres(): Promise<TroubledEngine> {
  // What it has confirmed must outlive its being killed.
  const server = await startPostgres({ durable: true });
  const admin = await server.newDatabase();
  const url = await server.newUser(admin, password);
  const user = new URL(url).username;
  await ask(admin, `ALTER ROLE ${user} SET deadlock_timeout = '100ms'`);
  return {
    engineEnv: { DATABASE_URL: url },
    common: [readOnly(admin), otherPassword(admin, user), noConnection(admin, user), deadlocks(admin), raised(admin, '53100')],
    more: [
      ...['53200', '53400', '57014', '55P03', '58030', '40001', 'XX001', '42501'].map((code) => raised(admin, code)),
      killed(server),
    ],
    async silent(ms) {
      const sql = `SELECT 1 FROM rag_intake.owner WHERE seen_at < clock_timestamp() - $1 * interval '1 ms'`;
      return (await ask(admin, sql, [ms])).length > 0;
    },
    workers: async () => (await ask(admin, `SELECT 1 FROM rag_intake.owner WHERE role = 'worker'`)).length,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function readOnly(admin: string): Trouble {
  const set = async (value: string): Promise<void> => {
    await ask(admin, `ALTER SYSTEM SET default_transaction_read_only = ${value}`);
    await ask(admin, 'SELECT pg_reload_conf()');
  };
  return { name: 'may only be read', refuses: true, begin: () => set('on'), end: () => set('off') };
}

function otherPassword(admin: string, user: string): Trouble {
  return {
    name: 'wants another password',
    refuses: true,
    keepsOut: true,
    async begin() {
      await ask(admin, `ALTER ROLE ${user} PASSWORD 'another'`);
      await endAllButOne(admin, user);
    },
    end: async () => void (await ask(admin, `ALTER ROLE ${user} PASSWORD '${password}'`)),
  };
}

function noConnection(admin: string, user: string): Trouble {
  return {
    name: 'has no connection to spare',
    refuses: true,
    keepsOut: true,
    async begin() {
      await ask(admin, `ALTER ROLE ${user} CONNECTION LIMIT 0`);
      await endAllButOne(admin, user);
    },
    end: async () => void (await ask(admin, `ALTER ROLE ${user} CONNECTION LIMIT -1`)),
  };
}

/** A worker keeps the connection by which it shows that it lives. */
async function endAllButOne(admin: string, user: string): Promise<void> {
  await ask(
    admin,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1
      AND pid <> (SELECT backend FROM rag_intake.owner WHERE role = 'worker' ORDER BY seen_at DESC LIMIT 1)`,
    [user],
  );
}

/** Locks in the other order than transactions of the server take them. */
function deadlocks(admin: string): Trouble {
  let ended = false;
  let running: Promise<void> = Promise.resolve();
  async function run(): Promise<void> {
    const client = new pg.Client({ connectionString: admin });
    await client.connect();
    await client.query(`SET deadlock_timeout = '60s'`);
    while (!ended) {
      await client.query('BEGIN; LOCK TABLE rag_intake.task IN EXCLUSIVE MODE');
      await until('somebody waits for the table', async () => {
        const waiting = `SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'rag_intake.task'::regclass`;
        return ended || (await ask(admin, waiting)).length > 0;
      });
      await client.query('LOCK TABLE rag_intake.owner IN ACCESS EXCLUSIVE MODE');
      await client.query('ROLLBACK');
      await new Promise((resolve) => setImmediate(resolve));
    }
    await client.end();
  }
  return {
    name: 'finds deadlocks',
    refuses: false,
    begin() {
      ended = false;
      running = run();
      return Promise.resolve();
    },
    async end() {
      ended = true;
      await running;
    },
  };
}

/** What cannot be made without harm to the machine the server is told to say. */
function raised(admin: string, code: string): Trouble {
  return {
    name: `says ${code}`,
    ...(code === '53100' ? { answer: 507 } : {}),
    refuses: true,
    async begin() {
      await ask(
        admin,
        `CREATE FUNCTION rag_intake.trouble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'made' USING ERRCODE = '${code}'; END $$`,
      );
      for (const table of ['task', 'document']) {
        const sql = `CREATE TRIGGER trouble BEFORE INSERT OR UPDATE OR DELETE ON rag_intake.${table} EXECUTE FUNCTION rag_intake.trouble()`;
        await until('the trigger is there', () =>
          ask(admin, sql).then(
            () => true,
            (error: { code?: string }) => error.code === '42710',
          ),
        );
      }
    },
    end: () =>
      until('the triggers are gone', () =>
        ask(admin, 'DROP FUNCTION IF EXISTS rag_intake.trouble CASCADE').then(
          () => true,
          () => false,
        ),
      ),
  };
}

function killed(server: PostgresServer): Trouble {
  return { name: 'is killed and started again', refuses: false, begin: () => server.killAndRestart(), end: async () => {} };
}

/** What a Redis or Valkey lets its administrator do to it, so that trouble can be made. */
const open = ['--enable-protected-configs', 'yes', '--enable-debug-command', 'yes'];

export async function openTroubledRedis(): Promise<TroubledEngine> {
  const server = await startRedis({ password, settings: [...open, '--busy-reply-threshold', '100'] });
  const nowhere = await freePort();
  /** Where it saves itself, when it can. */
  let folder = '';
  /** Another than the servers' user, who stays whatever becomes of their password. */
  const admin = server.url.replace('://:', '://admin:');
  // A connection of its own, for when nobody is let in.
  const inside = new Redis(admin, { lazyConnect: true });
  inside.on('error', () => undefined);
  const tell = async (talk: (redis: Redis) => Promise<unknown>): Promise<void> => void (await talk(inside));
  await askRedis(server.url, (redis) => redis.call('ACL', 'SETUSER', 'admin', 'on', `>${password}`, '~*', '&*', '+@all'));
  const setting = (name: string, during: string, after: string, more: { answer?: 507 } = {}): Trouble => ({
    name: `has ${name} ${during}`,
    refuses: true,
    ...more,
    begin: () => tell((redis) => redis.config('SET', name, during)),
    end: () => tell((redis) => redis.config('SET', name, after)),
  });
  return {
    engineEnv: { QUEUE_URL: server.url, DISK_RESERVE_BYTES: '0' },
    common: [
      setting('maxmemory', '1', '0', { answer: 507 }),
      {
        name: 'wants another password',
        refuses: true,
        keepsOut: true,
        begin: () =>
          tell(async (redis) => {
            await redis.call('ACL', 'SETUSER', 'default', 'resetpass', '>another');
            await endAllButOneClient(redis);
          }),
        end: () => tell((redis) => redis.call('ACL', 'SETUSER', 'default', 'resetpass', `>${password}`)),
      },
      {
        name: 'is a replica',
        refuses: true,
        begin: () => tell((redis) => redis.call('REPLICAOF', '127.0.0.1', String(nowhere))),
        end: () => tell((redis) => redis.call('REPLICAOF', 'NO', 'ONE')),
      },
    ],
    more: [
      setting('min-replicas-to-write', '1', '0'),
      {
        name: 'cannot save itself',
        refuses: true,
        begin: () =>
          tell(async (redis) => {
            folder = ((await redis.config('GET', 'dir')) as [string, string])[1];
            await redis.config('SET', 'save', '3600 1');
            await redis.config('SET', 'dir', '/proc');
            await redis.call('BGSAVE');
            await until('that has failed', async () => (await redis.info('persistence')).includes('rdb_last_bgsave_status:err'));
          }),
        end: () =>
          tell(async (redis) => {
            await redis.config('SET', 'dir', folder);
            await redis.config('SET', 'save', '');
            await redis.call('BGSAVE');
            await until('it can save itself', async () => (await redis.info('persistence')).includes('rdb_last_bgsave_status:ok'));
          }),
      },
      {
        name: 'allows no scripts',
        refuses: true,
        begin: () => tell((redis) => redis.call('ACL', 'SETUSER', 'default', '-@scripting')),
        end: () => tell((redis) => redis.call('ACL', 'SETUSER', 'default', '+@all')),
      },
      {
        name: 'lets nobody in',
        refuses: true,
        keepsOut: true,
        begin: () =>
          tell(async (redis) => {
            await redis.config('SET', 'maxclients', '2');
            await endAllButOneClient(redis);
          }),
        end: () => tell((redis) => redis.config('SET', 'maxclients', '1000')),
      },
      busy(admin, inside),
      loading(admin),
      killedRedis(server),
    ],
    ...lookAtOwners(inside),
    async [Symbol.asyncDispose]() {
      inside.disconnect();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** A cluster of one server, which loses the part that holds our keys. */
export async function openTroubledCluster(): Promise<TroubledEngine> {
  const server = await startRedis({ settings: ['--cluster-enabled', 'yes', '--cluster-require-full-coverage', 'no'] });
  const inside = new Redis(server.url, { lazyConnect: true });
  inside.on('error', () => undefined);
  await inside.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
  const slot = String(await inside.call('CLUSTER', 'KEYSLOT', '{rag-intake}'));
  const serves = (): Promise<boolean> => isServed(inside);
  await until('the cluster serves our keys', serves);
  return {
    engineEnv: { QUEUE_URL: server.url, DISK_RESERVE_BYTES: '0' },
    common: [],
    more: [
      {
        name: 'has lost a part of its cluster',
        refuses: true,
        begin: async () => void (await inside.call('CLUSTER', 'DELSLOTS', slot)),
        async end() {
          await inside.call('CLUSTER', 'ADDSLOTS', slot);
          await until('the cluster serves our keys again', serves);
        },
      },
    ],
    ...lookAtOwners(inside),
    async [Symbol.asyncDispose]() {
      inside.disconnect();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function isServed(redis: Redis): Promise<boolean> {
  return redis.exists('{rag-intake}:owners').then(
    () => true,
    () => false,
  );
}

function lookAtOwners(redis: Redis): Pick<TroubledEngine, 'silent' | 'workers'> {
  return {
    async silent(ms) {
      const [seconds] = await redis.time();
      return (await redis.zcount('{rag-intake}:owners', '-inf', Number(seconds) * 1000 - ms)) > 0;
    },
    workers: async () => (await redis.hvals('{rag-intake}:roles')).filter((role) => role === 'worker').length,
  };
}

/** A worker keeps its connection for commands. */
async function endAllButOneClient(redis: Redis): Promise<void> {
  const own = await redis.client('ID');
  const ids = String(await redis.client('LIST'))
    .split('\n')
    .flatMap((line) => {
      const [, id = ''] = /^id=(\d+)/.exec(line) ?? [];
      return id === '' || id === String(own) ? [] : [{ id, isWorker: line.includes(' name=worker-') }];
    });
  const kept = ids.find(({ isWorker }) => isWorker)?.id;
  for (const { id } of ids) if (id !== kept) await redis.call('CLIENT', 'KILL', 'ID', id);
}

function busy(admin: string, inside: Redis): Trouble {
  let running: Promise<unknown> = Promise.resolve();
  return {
    name: 'runs a script for ever',
    refuses: true,
    begin() {
      running = askRedis(admin, (redis) => redis.eval('while true do end', 0)).catch(() => undefined);
      return Promise.resolve();
    },
    async end() {
      await inside.call('SCRIPT', 'KILL');
      await running;
    },
  };
}

/** As at a start with much to load: 2,000 keys of nobody, each of which takes 50 ms until it is to end. */
function loading(admin: string): Trouble {
  let reloaded: Promise<unknown> = Promise.resolve();
  return {
    name: 'loads what it holds',
    refuses: true,
    async begin() {
      await askRedis(admin, async (redis) => {
        await redis.config('SET', 'loading-process-events-interval-bytes', '1024');
        await redis.config('SET', 'key-load-delay', '50000');
        await redis.call('DEBUG', 'POPULATE', '2000', 'nobodys', '2000');
      });
      reloaded = askRedis(admin, (redis) => redis.call('DEBUG', 'RELOAD'));
    },
    async end() {
      await askRedis(admin, (redis) => redis.config('SET', 'key-load-delay', '0'));
      await reloaded;
    },
  };
}

function killedRedis(server: RedisServer): Trouble {
  return { name: 'is killed and started again', refuses: false, begin: () => server.killAndRestart(), end: async () => {} };
}
