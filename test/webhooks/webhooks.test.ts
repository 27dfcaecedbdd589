import { Webhook } from 'standardwebhooks';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDirectorySync } from '../../src/storage/file/disk/directory-sync.ts';
import { createDisk } from '../../src/storage/file/disk/disk.ts';
import { createFileDeliveryLog } from '../../src/storage/file/shared/delivery-log.ts';
import { createLogger } from '../../src/logger.ts';
import {
  beginTask,
  createTask,
  finishTask,
  idleProgress,
  retryTask,
  type Task,
  type TaskId,
  type TaskSnapshot,
} from '../../src/tasks/task.ts';
import { parseSecret, writeSecret } from '../../src/webhooks/signature.ts';
import { createTargets } from '../../src/webhooks/targets.ts';
import { createWebhooks, type Webhooks } from '../../src/webhooks/webhooks.ts';
import { createWebhookSender, type Resolve } from '../../src/webhooks/webhook-sender.ts';
import { until } from '../support/until.ts';
import { startReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';

const secret = writeSecret(new Uint8Array(32).fill(7));
const hour = 3600_000;
let directory: string;
let receiver: WebhookReceiver;
let clockMs: number;
let passedMs = 0;
let tasks: ReturnType<typeof memoryTasks>;
const open: Webhooks[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rag-intake-webhooks-'));
  receiver = await startReceiver();
  clockMs = Date.now();
  tasks = memoryTasks();
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((webhooks) => webhooks.stop()));
  await receiver.close();
  await rm(directory, { recursive: true, force: true });
});

describe('the end of a task', () => {
  it('is told to its callback URL, signed so that the Standard Webhooks library accepts it', async () => {
    make().start();
    const task = tasks.complete(1, `${receiver.url}/done`);

    await arrived(1);
    const { path, headers, body } = receiver.received[0]!;
    const message = new Webhook(secret).verify(body, headers as Record<string, string>) as Record<string, unknown>;

    expect(path).toBe('/done');
    expect(message).toEqual({
      type: 'task.completed',
      timestamp: task.finishedAt,
      data: { task_id: task.id, status: 'completed' },
    });
    expect(headers['webhook-id']).toBe(`msg_${task.id}_${task.revision}`);
    expect(headers['content-type']).toBe('application/json');
  });

  it('is signed with every secret while one is being replaced', async () => {
    const next = writeSecret(new Uint8Array(32).fill(8));
    make({ secrets: [next, secret] }).start();
    tasks.complete(1, receiver.url);

    await arrived(1);
    const { headers, body } = receiver.received[0]!;

    for (const known of [secret, next])
      expect(() => new Webhook(known).verify(body, headers as Record<string, string>)).not.toThrow();
    const stranger = new Webhook(writeSecret(new Uint8Array(32).fill(9)));
    expect(() => stranger.verify(body, headers as Record<string, string>)).toThrow();
  });

  it('is told of failures too, and of nothing when nobody asked', async () => {
    make().start();
    tasks.complete(1, null);
    const failed = tasks.fail(2, receiver.url);

    await arrived(1);

    expect(receiver.received[0]!.headers['webhook-id']).toContain(failed.id);
    expect(JSON.parse(receiver.received[0]!.body)).toMatchObject({ type: 'task.failed', data: { status: 'failed' } });
  });

  it('is told again, under the same id and with the same body, until it is taken', async () => {
    receiver.answer = (_request, response, count) => response.writeHead(count < 3 ? 500 : 204).end();
    const webhooks = make();
    webhooks.start();
    tasks.complete(1, receiver.url);

    await arrived(1);
    await later(5_000 * 1.25);
    await arrived(2);
    await later(20_000 * 1.25);
    await arrived(3);
    await settled(webhooks, 'delivered');

    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1);
    const [delivery] = await webhooks.list({ limit: 10 });
    expect(delivery!.attempts.map(({ status }) => status)).toEqual([500, 500, 204]);
  });

  it('waits as long as a busy receiver asks', async () => {
    receiver.answer = (_request, response, count) => response.writeHead(count === 1 ? 503 : 200, { 'retry-after': '3600' }).end();
    const webhooks = make();
    webhooks.start();
    tasks.complete(1, receiver.url);

    await until('the first attempt is noted', async () => (await webhooks.list({ limit: 1 }))[0]?.attempts.length === 1);
    const [delivery] = await webhooks.list({ limit: 1 });

    expect(Date.parse(delivery!.dueAt!) - clockMs).toBe(hour);
  });

  it('is told as soon as was meant, when the clock was years ahead meanwhile, also by the next process', async () => {
    receiver.answer = (_request, response, count) => response.writeHead(count < 3 ? 500 : 204).end();
    const first = make();
    clockMs += 3650 * 24 * hour;
    first.start();
    tasks.complete(1, receiver.url);
    await noted(first, 1);
    clockMs -= 3650 * 24 * hour;
    pass(5_000 * 1.25);
    await arrived(2);
    clockMs += 3650 * 24 * hour;
    await noted(first, 2);
    await first.stop();
    clockMs -= 3650 * 24 * hour;

    // Each process would put it off anew if it kept the time that the other wrote.
    const second = make();
    second.start();
    await until('its time is set anew', async () => {
      const [found] = await second.list({ limit: 1 });
      return Date.parse(found!.dueAt!) - clockMs <= 20_000 * 1.25;
    });
    pass(20_000 * 1.25);
    await settled(second, 'delivered');
    expect(receiver.received.length).toBe(3);
  });

  it('is given up after twelve attempts over many hours, and can be replayed', async () => {
    receiver.answer = (_request, response) => response.writeHead(500).end();
    const webhooks = make();
    webhooks.start();
    tasks.complete(1, receiver.url);
    for (let count = 1; count <= 12; count += 1) {
      await arrived(count);
      await noted(webhooks, count);
      pass(5 * hour);
    }
    const given = await settled(webhooks, 'given_up');

    receiver.answer = (_request, response) => response.end();
    expect(await webhooks.replay(given.id)).toMatchObject({ state: 'waiting', failures: 0 });
    await settled(webhooks, 'delivered');
    expect(receiver.received.length).toBe(13);
  });

  it('stops at 410', async () => {
    receiver.answer = (_request, response) => response.writeHead(410).end();
    const webhooks = make();
    webhooks.start();
    tasks.complete(1, receiver.url);

    await settled(webhooks, 'stopped');

    expect(receiver.received.length).toBe(1);
  });
});

describe('every end is enqueued exactly once', () => {
  it('also when it came while nobody was looking', async () => {
    const early = tasks.complete(1, receiver.url);
    make().start();

    await arrived(1);

    expect(receiver.received[0]!.headers['webhook-id']).toContain(early.id);
  });

  it('also when the process is started again and finds the same ends', async () => {
    const first = make();
    first.start();
    tasks.complete(1, receiver.url);
    await settled(first, 'delivered');
    await first.stop();

    const second = make();
    second.start();
    tasks.complete(2, receiver.url);
    await until('both are delivered', async () => (await second.list({ state: 'delivered', limit: 10 })).length === 2);

    expect(receiver.received.length).toBe(2);
  });

  it('a task that fails, is retried and completes has two ends', async () => {
    make().start();
    const failed = tasks.fail(1, receiver.url);
    await arrived(1);
    tasks.change(finishTask(beginTask(retryTask(failed, now()), 'me', now()), { status: 'completed', result }, now()));
    await arrived(2);

    expect(receiver.received.map(({ body }) => (JSON.parse(body) as { type: string }).type)).toEqual([
      'task.failed',
      'task.completed',
    ]);
  });

  it('only one of several processes sends, and another takes over when it stops', async () => {
    const [first, second] = [make(), make()];
    first.start();
    tasks.complete(1, receiver.url);
    await settled(first, 'delivered');
    second.start();
    tasks.complete(2, receiver.url);
    await arrived(2);
    await first.stop();
    tasks.complete(3, receiver.url);
    await arrived(3);
    await settled(second, 'delivered');

    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(3);
    expect(receiver.received.length).toBe(3);
  });

  it('an attempt that was cut off by a crash is made again', async () => {
    const first = make();
    first.start();
    const task = tasks.complete(1, receiver.url);
    await settled(first, 'delivered');
    await first.stop();
    // What a crash between the answer and its note leaves behind: the message waits still.
    const [delivery] = await first.list({ limit: 1 });
    await writeFile(
      join(directory, 'webhooks', 'waiting', `${delivery!.id}.json`),
      JSON.stringify({ ...delivery, state: 'waiting', attempts: [] }),
    );
    await rm(join(directory, 'webhooks', 'ended', `${delivery!.id}.json`));

    make().start();
    await arrived(2);

    expect(receiver.received.map(({ headers }) => headers['webhook-id'])).toEqual(Array(2).fill(`msg_${task.id}_${task.revision}`));
  });

  it('a damaged record stops nothing', async () => {
    const webhooks = make();
    await mkdir(join(directory, 'webhooks', 'waiting'), { recursive: true });
    await writeFile(join(directory, 'webhooks', 'waiting', `msg_${taskId(9)}_3.json`), '{"half');
    webhooks.start();
    tasks.complete(1, receiver.url);

    await settled(webhooks, 'delivered');
  });

  it('leaves no temporary file behind', async () => {
    const webhooks = make();
    webhooks.start();
    for (let count = 1; count <= 20; count += 1) tasks.complete(count, receiver.url);
    await until('all are delivered', async () => (await webhooks.list({ state: 'delivered', limit: 50 })).length === 20);

    expect(await readdir(join(directory, 'webhooks', 'temporary'))).toEqual([]);
    expect(await readdir(join(directory, 'webhooks', 'waiting'))).toEqual([]);
  });
});

describe('the receiver cannot [S40]', () => {
  it('send us elsewhere: redirects are failures', async () => {
    const canary = await startReceiver();
    receiver.answer = (_request, response) => response.writeHead(302, { location: canary.url }).end();
    const webhooks = make({ hosts: [receiver.url, canary.url] });
    webhooks.start();
    tasks.complete(1, receiver.url);

    await noted(webhooks, 1);

    expect(canary.received).toEqual([]);
    expect((await webhooks.list({ limit: 1 }))[0]).toMatchObject({ state: 'waiting', attempts: [{ status: 302 }] });
    await canary.close();
  });

  it('hold us up: an answer that does not come in time is a failure', async () => {
    receiver.answer = () => {};
    const webhooks = make({ timeoutMs: 50 });
    webhooks.start();
    tasks.complete(1, receiver.url);

    await noted(webhooks, 1);

    expect((await webhooks.list({ limit: 1 }))[0]!.attempts[0]).toMatchObject({ status: null, error: 'no answer in time' });
  });

  it('make us read or keep what it says', async () => {
    const cut = Promise.withResolvers<void>();
    receiver.answer = (_request, response) => {
      const flood = setInterval(() => response.write('secret words '.repeat(1000)), 1);
      response.once('close', () => {
        clearInterval(flood);
        cut.resolve();
      });
    };
    const webhooks = make();
    webhooks.start();
    tasks.complete(1, receiver.url);

    await settled(webhooks, 'delivered');
    await cut.promise;

    expect(JSON.stringify(await webhooks.list({ limit: 1 }))).not.toContain('secret words');
  });

  it('rebind its name: each connection goes to the address that was judged', async () => {
    const allowed = await startReceiver('127.0.0.2');
    const { port } = new URL(allowed.url);
    const answers = ['127.0.0.2', '127.0.0.1'];
    const resolve: Resolve = async () => [{ address: answers.shift() ?? '127.0.0.1', family: 4 }];
    allowed.answer = (_request, response) => response.writeHead(500).end();
    const webhooks = make({ hosts: [`http://rebind.example:${port}`], networks: ['127.0.0.2'], resolve });
    webhooks.start();
    tasks.complete(1, `http://rebind.example:${port}/`);

    await noted(webhooks, 1);
    await later(8_000);
    await noted(webhooks, 2);

    const [delivery] = await webhooks.list({ limit: 1 });
    expect(delivery!.attempts.map(({ status }) => status)).toEqual([500, null]);
    expect(delivery!.attempts[1]!.error).toBe('the host resolves to an address that is not allowed');
    expect(allowed.received.length).toBe(1);
    await allowed.close();
  });

  it('hide a private address behind a public one', async () => {
    const resolve: Resolve = async () => [
      { address: '93.184.216.34', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ];
    const webhooks = make({ hosts: ['http://mixed.example:9'], networks: [], resolve });
    webhooks.start();
    tasks.complete(1, 'http://mixed.example:9/');

    await noted(webhooks, 1);

    expect((await webhooks.list({ limit: 1 }))[0]!.attempts[0]!.error).toBe('the host resolves to an address that is not allowed');
  });
});

describe('a callback URL', () => {
  it('is refused where webhooks are off, and the default is not used then', () => {
    const webhooks = make({ hosts: [], defaultUrl: receiver.url });

    expect(() => webhooks.callbackUrl(receiver.url)).toThrowError('callback_url: webhooks are off on this server');
    expect(webhooks.callbackUrl(null)).toBeNull();
  });

  it('is the one that the upload names, else the default', () => {
    const webhooks = make({ defaultUrl: `${receiver.url}/default` });

    expect(webhooks.callbackUrl(`${receiver.url}/mine`)).toBe(`${receiver.url}/mine`);
    expect(webhooks.callbackUrl(null)).toBe(`${receiver.url}/default`);
    expect(make().callbackUrl(null)).toBeNull();
  });
});

describe('a secret', () => {
  it.each(['', 'whsec_', 'whsec_c2hvcnQ=', 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!'])(
    '%j is refused, and not repeated',
    (text) => {
      expect(() => parseSecret(text)).toThrowError('whsec_ and the base64 of 24 to 64 random bytes');
    },
  );
});

type Options = {
  hosts?: string[];
  networks?: string[];
  secrets?: string[];
  defaultUrl?: string;
  timeoutMs?: number;
  resolve?: Resolve;
};

function make({
  hosts = [receiver.url],
  networks = ['127.0.0.0/8'],
  secrets = [secret],
  defaultUrl = '',
  ...sender
}: Options = {}): Webhooks {
  const disk = createDisk();
  const targets = createTargets({ hosts, networks });
  const webhooks = createWebhooks({
    tasks,
    log: createFileDeliveryLog({
      disk,
      directory: join(directory, 'webhooks'),
      syncDirectory: createDirectorySync(disk),
      newId: () => crypto.randomUUID(),
      age: (thenMs) => clockMs - thenMs,
      leaseMs: 2000,
    }),
    targets,
    send: createWebhookSender({ targets, secrets: secrets.map(parseSecret), userAgent: 'test', now: () => new Date(), ...sender }),
    defaultUrl,
    toData: ({ task }) => ({ task_id: task.id, status: task.status }),
    keepMs: 30 * 24 * hour,
    now: () => new Date(clockMs),
    monotonicMs: () => passedMs,
    random: () => 1,
    logger: createLogger({ level: 'silent' }),
    pollMs: 20,
  });
  open.push(webhooks);
  return webhooks;
}

const result = { message: 'Document processed successfully' } as Task['result'] & {};
const now = () => new Date(clockMs).toISOString();

function taskId(number: number): TaskId {
  return `018f0000-0000-7000-8000-${String(number).padStart(12, '0')}` as TaskId;
}

/** As much of a task store as webhooks look at. */
function memoryTasks() {
  const known = new Map<TaskId, TaskSnapshot>();
  const listeners = new Set<(snapshot: TaskSnapshot) => void>();

  function change(task: Task): Task {
    const snapshot = { task, progress: idleProgress(task.status), queuePosition: null };
    known.set(task.id, snapshot);
    for (const listener of listeners) listener(snapshot);
    return task;
  }

  function begun(number: number, callbackUrl: string | null): Task {
    const fields = {
      docId: 'd',
      filename: 'f',
      fileBytes: 1,
      sha256: '',
      declaredMediaType: null,
      metadata: null,
      keyId: null,
    } as const;
    return beginTask(
      createTask({ id: taskId(number), ...fields, callbackUrl, lane: 'small', attemptsMax: 3, createdAt: now() }, number),
      'me',
      now(),
    );
  }

  return {
    change,
    complete: (number: number, url: string | null) =>
      change(finishTask(begun(number, url), { status: 'completed', result }, now())),
    fail(number: number, url: string | null) {
      const error = { code: 'corrupt', message: 'broken', retryable: false } as const;
      return change(finishTask(begun(number, url), { status: 'failed', error }, now()));
    },
    list: async () => ({ tasks: [...known.values()], nextCursor: null }),
    watch(_id: TaskId | null, listener: (snapshot: TaskSnapshot) => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

async function arrived(count: number): Promise<void> {
  await until(`${count} webhooks have arrived`, () => receiver.received.length >= count);
}

async function noted(webhooks: Webhooks, attempts: number): Promise<void> {
  await until(
    `attempt ${attempts} is noted`,
    async () => ((await webhooks.list({ limit: 1 }))[0]?.attempts.length ?? 0) >= attempts,
  );
}

async function settled(webhooks: Webhooks, state: 'delivered' | 'stopped' | 'given_up') {
  await until(`a delivery is ${state}`, async () => (await webhooks.list({ state, limit: 1 })).length === 1);
  return (await webhooks.list({ state, limit: 1 }))[0]!;
}

/** The clock goes on; the webhooks look at it every 20 ms. */
async function later(ms: number): Promise<void> {
  const [webhooks] = open;
  const before = receiver.received.length;
  await noted(webhooks!, Math.max(1, before));
  pass(ms);
}

function pass(ms: number): void {
  clockMs += ms;
  passedMs += ms;
}
