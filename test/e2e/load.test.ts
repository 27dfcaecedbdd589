import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engines, type TestEngine } from '../support/engines.ts';
import { makePdf } from '../support/pdf-writer.ts';
import { marker, pageLines } from '../support/prose.ts';
import { insert, search, startServer, type TestServer, type WireTask } from '../support/server.ts';
import { until } from '../support/until.ts';

describe.each(engines)('on $name', ({ open }) => {
  let engine: TestEngine;
  let server: TestServer;

  beforeAll(async () => {
    engine = await open();
    server = await startServer({ ...(await engine.newPlace()), env: { MAX_CONCURRENT_TASKS: '4' } });
  });

  afterAll(async () => {
    await server.stop();
    await engine[Symbol.asyncDispose]();
  });

  describe('ten uploads of 12 MiB at once', () => {
    it('are never processed by more than four at any poll, and all complete', async () => {
      const names = Array.from({ length: 10 }, (_, index) => `报告 ${2016 + index}.pdf`);
      const uploads = names.map((name, index) => {
        const pages = Array.from({ length: 40 }, (_, page) => pageLines(index * 1000 + page, 30));
        return insert(server.url, `big-${index}`, { name, bytes: makePdf({ pages, padToBytes: 12 * 1024 * 1024 }) });
      });
      let processingMost = 0;
      const ids = Promise.all(
        uploads.map(async (upload) => {
          const response = await upload;
          expect(response.status).toBe(202);
          return ((await response.json()) as WireTask).task_id;
        }),
      );
      let tasks: WireTask[] = [];
      await until(
        'all have ended',
        async () => {
          tasks = ((await (await fetch(`${server.url}/tasks?limit=100`)).json()) as { tasks: WireTask[] }).tasks;
          processingMost = Math.max(processingMost, tasks.filter((task) => task.status === 'processing').length);
          return tasks.length === 10 && tasks.every((task) => task.status === 'completed' || task.status === 'failed');
        },
        120_000,
      );
      await ids;

      expect(processingMost).toBeGreaterThan(0);
      expect(processingMost).toBeLessThanOrEqual(4);
      expect(tasks.map((task) => task.status)).toEqual(Array.from({ length: 10 }, () => 'completed'));
      expect(tasks.map((task) => task.filename).toSorted()).toEqual(names.toSorted());
      expect((await search(server.url, marker(7012)))[0]?.citation).toMatchObject({ filename: '报告 2023.pdf', page: 13 });
    });
  });
});
