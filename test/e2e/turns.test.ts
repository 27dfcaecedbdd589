/** Threads go round among callers: one's many slow documents make another's small file wait for one of them at most. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engines, type TestEngine } from '../support/engines.ts';
import { insert, startServer, type TestServer, type WireTask } from '../support/server.ts';

const threads = 2;
/** Of hundreds: `SLOW_DOCUMENTS=500 npx vitest run test/e2e/turns.test.ts`. */
const slowDocuments = Number(process.env.SLOW_DOCUMENTS ?? 60);

describe.each(engines)('two callers on $name', ({ open }) => {
  let engine: TestEngine;
  let server: TestServer;

  beforeAll(async () => {
    engine = await open();
    server = await startServer({
      ...(await engine.newPlace()),
      rigged: true,
      env: {
        MAX_CONCURRENT_TASKS: String(threads),
        API_KEYS: ['many:admin', 'few:write', 'other:write']
          .map((key) => `${key}:${'k'.repeat(32)}-${key.split(':')[0]}`)
          .join(','),
        LOG_LEVEL: 'warn',
      },
    });
  });

  afterAll(async () => {
    await server.kill();
    await engine[Symbol.asyncDispose]();
  });

  const as = (name: string): Record<string, string> => ({ authorization: `Bearer ${'k'.repeat(32)}-${name}` });

  async function countOf(status: string): Promise<number> {
    const answer = await fetch(`${server.url}/tasks?limit=1000&status=${status}`, { headers: as('many') });
    const { tasks } = (await answer.json()) as { tasks: WireTask[] };
    return tasks.filter(({ doc_id: docId }) => docId.startsWith('slow')).length;
  }

  it('wait for one turn at most, whoever sends how much [S55]', async () => {
    for (let count = 0; count < slowDocuments; count += 1) {
      const file = { name: 'wait-300.txt', bytes: `Slow document ${count}` };
      const answer = await insert(server.url, `slow ${count}`, file, { ...as('many'), prefer: 'respond-async' });
      expect(answer.status).toBe(202);
    }

    for (const name of ['few', 'other', 'few', 'few']) {
      const before = await countOf('completed');
      const answer = await insert(
        server.url,
        `small of ${name}`,
        { name: 'small.txt', bytes: `Small ${name} ${before}` },
        as(name),
      );
      expect(answer.status).toBe(200);
      // Those that ran when it came, and what may have ended while it was sent and while it was counted.
      expect((await countOf('completed')) - before).toBeLessThanOrEqual(2 * threads);
    }
    expect(await countOf('pending'), 'the many still wait').toBeGreaterThan(slowDocuments / 4);
  });
});
