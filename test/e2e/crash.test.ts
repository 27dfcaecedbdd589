import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ended, insert, search, startProcess, startServer, type TestServer, type WireTask } from '../support/server.ts';
import { engines, type TestEngine } from '../support/engines.ts';
import { marker } from '../support/prose.ts';
import { until } from '../support/until.ts';

const running: TestServer[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.kill()));
});

async function start(options: Parameters<typeof startProcess>[0], how = startServer): Promise<TestServer> {
  const server = await how({ ...options, rigged: true });
  running.push(server);
  return server;
}

async function accept(url: string, name: string, docId: string): Promise<string> {
  const response = await insert(
    url,
    docId,
    { name, bytes: `The word of ${docId} is ${wordOf(docId)}.` },
    { prefer: 'respond-async' },
  );
  expect(response.status).toBe(202);
  return ((await response.json()) as WireTask).task_id;
}

/** A word of this document alone. */
function wordOf(docId: string): string {
  return marker(Number(docId.replace(/\D/g, '') || 99));
}

async function statuses(url: string): Promise<Record<string, number>> {
  const { tasks } = (await (await fetch(`${url}/tasks?limit=1000`)).json()) as { tasks: WireTask[] };
  return count(tasks.map((task) => task.status));
}

function count(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

/** How often the log says that a task was finished. */
function finishes(log: string, taskId: string): number {
  return log.split('\n').filter((line) => line.includes('"task finished"') && line.includes(taskId)).length;
}

describe.each(engines)('on $name', ({ open }) => {
  let engine: TestEngine;

  beforeAll(async () => {
    engine = await open();
  });

  afterAll(() => engine[Symbol.asyncDispose]());

  describe('after a SIGKILL of the server with 20 tasks accepted and 4 running', () => {
    it('all reach their end once it runs again, none is completed twice, and nothing is left over', async () => {
      const place = await engine.newPlace();
      const env = { MAX_CONCURRENT_TASKS: '4' };
      const first = await start({ ...place, env });
      const ids: string[] = [];
      for (let index = 0; index < 20; index += 1) ids.push(await accept(first.url, 'wait-300.txt', `word${index}`));
      await until('four are running', async () => (await statuses(first.url)).processing === 4);
      await first.kill();
      const second = await start({ ...place, env });

      for (const id of ids) expect(await ended(second.url, id)).toMatchObject({ status: 'completed' });
      const ends = (): number[] => ids.map((id) => finishes(first.log(), id) + finishes(second.log(), id));
      await until('the log tells of every end', () => ends().every((each) => each > 0));
      expect(ends()).toEqual(ids.map(() => 1));
      for (const docId of ['word0', 'word19']) {
        expect((await search(second.url, wordOf(docId), { mode: 'keyword' })).map((hit) => hit.citation.doc_id)).toEqual([docId]);
      }
      await until('nothing is left over', async () => (await place.unfinished()).length === 0);
    });
  });

  describe('with two more worker processes, one of them killed', () => {
    it('the others take over its tasks', async () => {
      const place = await engine.newPlace();
      const env = { MAX_CONCURRENT_TASKS: '2' };
      const server = await start({ ...place, env });
      const worker = await start({ ...place, env, args: ['worker'] }, startProcess);
      await start({ ...place, env, args: ['worker'] }, startProcess);
      // At once: one after the other they might be done as fast as they come.
      const words = Array.from({ length: 20 }, (_, index) => `word${index}`);
      const ids = await Promise.all(words.map((word) => accept(server.url, 'wait-1000.txt', word)));
      await until('every worker is busy', async () => (await statuses(server.url)).processing === 6);
      await worker.kill();

      for (const id of ids) expect(await ended(server.url, id)).toMatchObject({ status: 'completed' });
      expect((await statuses(server.url)).completed).toBe(20);
      await until('nothing is left over', async () => (await place.unfinished()).length === 0);
    });
  });

  describe('a document that aborts the worker process', () => {
    it('fails after its attempts with a sentence, while the front end answers on and every other task completes', async () => {
      const server = await start({ ...(await engine.newPlace()), env: { MAX_CONCURRENT_TASKS: '4' } });
      const poison = await accept(server.url, 'abort.txt', 'poison');
      const others: string[] = [];
      for (let index = 0; index < 12; index += 1) others.push(await accept(server.url, 'wait-100.txt', `word${index}`));
      let healthy = 0;
      const failed = ended(server.url, poison);
      await until('the poison has failed', async () => {
        if ((await fetch(`${server.url}/health`)).status === 200) healthy += 1;
        return (
          (await fetch(`${server.url}/task/${poison}`).then((response) => response.json() as Promise<WireTask>)).status === 'failed'
        );
      });

      expect(await failed).toMatchObject({ status: 'failed', error_code: 'worker_crashed', attempts: 3 });
      expect((await failed).error).toMatch(/worker process stopped unexpectedly on each of 3 attempts/);
      expect(healthy).toBeGreaterThan(0);
      expect(server.process.exitCode).toBeNull();
      for (const id of others) {
        const other = await ended(server.url, id);
        expect(other).toMatchObject({ status: 'completed' });
        expect(other.attempts, 'one lost beside the poison, none by waiting for it to run alone').toBeLessThanOrEqual(2);
      }
      await until('the worker is back', async () => (await fetch(`${server.url}/ready`)).status === 200);
    });

    it('or only its thread fails after its attempts as well', async () => {
      const server = await start({ ...(await engine.newPlace()), env: { RETRY_DELAY_MS: '1' } });
      const id = await accept(server.url, 'exit.txt', 'poison');

      expect(await ended(server.url, id)).toMatchObject({ status: 'failed', error_code: 'worker_crashed', attempts: 3 });
    });

    it('or meets a bug is not blamed: 500 at the first attempt, and the task says so', async () => {
      const server = await start(await engine.newPlace());
      const answer = await insert(server.url, 'bug', { name: 'throw.txt', bytes: 'text' });
      const problem = (await answer.json()) as Record<string, string>;

      expect(answer.status).toBe(500);
      expect(problem).toMatchObject({
        code: 'internal',
        error_code: 'internal',
        detail: expect.stringMatching(/^Something went wrong on the server/),
      });
      expect(await ended(server.url, problem['task_id']!)).toMatchObject({ status: 'failed', error_code: 'internal', attempts: 1 });
      expect(server.log()).toContain('a bug in a parser');
    });
  });
});
