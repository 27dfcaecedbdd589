import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../../src/storage/postgres/database.ts';
import { createAdvisoryLocks, type AdvisoryLocks } from '../../../src/storage/postgres/advisory-locks.ts';
import { createPostgresDeliveryLog } from '../../../src/storage/postgres/delivery-log.ts';
import { createPostgresEndedSessions, loadPostgresSessionSecret } from '../../../src/storage/postgres/ended-sessions.ts';
import { createPostgresIdempotencyStore } from '../../../src/storage/postgres/idempotency-store.ts';
import type { SessionEnd } from '../../../src/storage/ended-sessions.ts';
import type { TaskId } from '../../../src/tasks/task.ts';
import type { Delivery } from '../../../src/storage/delivery.ts';
import { silentLogger } from '../../support/engine-steps.ts';
import { type Databases } from '../../support/postgres.ts';
import { sharedPostgres } from '../../support/shared-postgres.ts';
import { until } from '../../support/until.ts';

const hourMs = 3_600_000;
let server: Databases;
let database: Database;
let locks: AdvisoryLocks;

beforeAll(async () => {
  server = await sharedPostgres();
});

beforeEach(async () => {
  await database?.close();
  database = await openDatabase({
    url: await server.newDatabase(),
    connectionsMax: 4,
    idleInTransactionMs: 0,
    logger: silentLogger,
  });
  locks = createAdvisoryLocks(database);
});

afterAll(async () => {
  await database.close();
  await server[Symbol.asyncDispose]();
});

/** As if its process had been silent for so long. */
const age = (name: string): Promise<number> =>
  database.run(`UPDATE hold SET seen_at = seen_at - interval '11 s' WHERE name = $1`, [name]);

describe('a name', () => {
  it('is held by one of many, and by the next when it is let go', async () => {
    const taken = await Promise.all(Array.from({ length: 8 }, () => locks.take('a')));
    const [hold, ...others] = taken.filter((each) => each !== null);

    expect(others).toEqual([]);
    expect(await locks.take('a')).toBeNull();
    await hold!.release();
    const next = await locks.take('a');
    expect(next).not.toBeNull();
    await next!.release();
  });

  it('is free again when its holder was not heard of, who learns that it has lost it and takes nothing away', async () => {
    const frozen = (await locks.take('a'))!;
    await age('a');
    const next = (await locks.take('a'))!;

    await until('it learns that', () => frozen.lost.aborted);
    await frozen.release();
    expect(await locks.take('a')).toBeNull();
    expect(next.lost.aborted).toBe(false);
    await next.release();
  });
});

describe('kept answers', () => {
  const answer = {
    fingerprint: 'f',
    reply: { status: 200, location: null, body: { a: '\u0000 \ud800 水泵' } },
  };

  it('are given back as they were, the newest one, until they expire', async () => {
    const store = createPostgresIdempotencyStore(database, locks);
    await store.put('k', { ...answer, fingerprint: 'older' });
    await store.put('k', answer);

    expect(await store.get('k', hourMs)).toEqual(answer);
    expect(await store.expire(hourMs)).toBe(0);
    await database.run(`UPDATE idempotency SET kept_at = kept_at - interval '61 minutes'`);
    expect(await store.get('k', hourMs)).toBeNull();
    expect(await store.expire(hourMs)).toBe(1);
  });

  it('are not kept for ten years when the server’s clock was so far ahead', async () => {
    const store = createPostgresIdempotencyStore(database, locks);
    await store.put('k', answer);
    await database.run(`UPDATE idempotency SET kept_at = kept_at + interval '10 years'`);

    expect(await store.expire(hourMs)).toBe(0);
    await database.run(`UPDATE idempotency SET kept_at = kept_at - interval '61 minutes'`);
    expect(await store.expire(hourMs)).toBe(1);
  });

  it('are worked out by one process at a time', async () => {
    const store = createPostgresIdempotencyStore(database, locks);
    const release = (await store.hold('k'))!;

    expect(await store.hold('k')).toBeNull();
    await release();
    await (await store.hold('k'))!();
  });
});

describe('sessions', () => {
  it('are ended for good, by the server’s clock and whatever that says [S58]', async () => {
    const sessions = createPostgresEndedSessions(database);
    const atMs = await sessions.nowMs();
    const [s, t] = ['s', 't'].map((id) => ({ id, expiresMs: atMs + hourMs })) as [SessionEnd, SessionEnd];
    const hasEnded = async (session: SessionEnd): Promise<boolean> => (await sessions.look(session)).hasEnded;
    await sessions.add(s);
    await sessions.add(s);
    await sessions.sweep();
    expect([await hasEnded(s), await hasEnded(t)]).toEqual([true, false]);

    // As if the server's clock had been ahead for a while.
    await database.run('UPDATE ended_session SET expires_ms = expires_ms - 2 * $1::bigint', [hourMs]);
    await sessions.sweep();
    await sessions.sweep();
    expect(await database.query('SELECT id FROM ended_session')).toEqual([]);
    expect([await hasEnded({ id: 's', expiresMs: atMs - hourMs }), await hasEnded(t)]).toEqual([true, false]);
    expect((await sessions.look(t)).nowMs).toBeGreaterThanOrEqual(atMs);
  });

  it('are signed with one secret of 32 bytes, whoever makes it', async () => {
    const secrets = await Promise.all(Array.from({ length: 4 }, () => loadPostgresSessionSecret(database)));

    expect(new Set(secrets.map((secret) => Buffer.from(secret).toString('hex'))).size).toBe(1);
    expect(secrets[0]).toHaveLength(32);
  });
});

describe('webhook deliveries', () => {
  function delivery(number: number, more: Partial<Delivery> = {}): Delivery {
    const taskId = `018f0000-0000-7000-8000-${String(number).padStart(12, '0')}` as TaskId;
    const at = '2026-01-01T00:00:00.000Z';
    return {
      id: `msg_${taskId}_3`,
      taskId,
      url: 'https://hooks.example.com/',
      body: '{"a":"\\u0000"}',
      createdAt: at,
      state: 'waiting',
      failures: 0,
      dueAt: at,
      attempts: [],
      ...more,
    };
  }

  it('are added once, listed newest first and by state, and forgotten some time after their end', async () => {
    const log = createPostgresDeliveryLog(database, locks);
    const [older, newer] = [delivery(1), delivery(2)];
    const added = await Promise.all([log.add(older), log.add(newer), log.add(newer)]);
    const done: Delivery = { ...older, state: 'delivered', dueAt: null };
    await log.update(done);

    expect(added.toSorted()).toEqual(['added', 'added', 'exists']);
    expect(await log.list({ limit: 10 })).toEqual([newer, done]);
    expect(await log.list({ limit: 1 })).toEqual([newer]);
    expect(await log.list({ limit: 10, state: 'delivered' })).toEqual([done]);
    expect(await log.waiting()).toEqual([newer.id]);
    expect(await log.get(older.id)).toEqual(done);
    expect(await log.get('msg_\u0000')).toBeNull();
    expect(await log.prune(hourMs)).toBe(0);
    await database.run(`UPDATE delivery SET ended_at = ended_at - interval '61 minutes'`);
    expect(await log.prune(hourMs)).toBe(1);
    expect(await log.list({ limit: 10 })).toEqual([newer]);
  });

  it('are sent by one process, and by the next when that is gone', async () => {
    const log = createPostgresDeliveryLog(database, locks);
    const first = (await log.lead())!;

    expect(await log.lead()).toBeNull();
    await age('webhooks');
    const next = (await log.lead())!;
    await until('the first one learns that', () => first.lost.aborted);
    await next.resign();
  });
});
