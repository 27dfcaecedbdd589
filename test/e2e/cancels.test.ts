/** Forced cancels come while their tasks wait, begin, run and end: whichever was first, nothing of them is left. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engines, type Place, type TestEngine } from '../support/engines.ts';
import { ended, insert, startServer, type TestServer } from '../support/server.ts';

describe.each(engines)('forced cancels on $name', ({ open }) => {
  let engine: TestEngine;
  let place: Place;
  let server: TestServer;

  beforeAll(async () => {
    engine = await open();
    place = await engine.newPlace();
    server = await startServer({ ...place, rigged: true, env: { MAX_CONCURRENT_TASKS: '2', LOG_LEVEL: 'warn' } });
  });

  afterAll(async () => {
    await server.kill();
    await engine[Symbol.asyncDispose]();
  });

  async function cancelled(number: number): Promise<void> {
    const file = { name: number % 2 === 0 ? 'plain.txt' : `wait-${number}.txt`, bytes: `text ${number}` };
    const answer = await insert(server.url, `doc ${number % 8}`, file, { prefer: 'respond-async' });
    const { task_id: id } = (await answer.json()) as { task_id: string };
    // Several at once, so that some come after the end of the task that they are about.
    const answers = await Promise.all(
      [0, 1, 2].map(() => fetch(`${server.url}/task/${id}?force=true`, { method: 'DELETE' }).then(({ status }) => status)),
    );
    for (const status of answers) expect([200, 400]).toContain(status);
    await ended(server.url, id);
  }

  it('leave nothing behind, whenever they come', async () => {
    await Promise.all(Array.from({ length: 40 }, (_, number) => cancelled(number)));

    await server.stop();
    expect(await place.unfinished()).toEqual([]);
  });
});
