/** What the server of a database or a Redis may do to those who use it, under load from two front ends. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeDataDir, removeDir, startServer, type TestServer } from '../support/server.ts';
import { passThrough, startLoad } from '../support/trouble-load.ts';
import { openTroubledPostgres, openTroubledRedis, type TroubledEngine } from '../support/troubles.ts';
import { until } from '../support/until.ts';

describe.each([
  { name: 'PostgreSQL', open: openTroubledPostgres },
  { name: 'Redis', open: openTroubledRedis },
])('trouble on $name', ({ open }) => {
  let engine: TroubledEngine;
  let dataDir: string;
  let servers: TestServer[];

  beforeAll(async () => {
    [engine, dataDir] = await Promise.all([open(), makeDataDir()]);
    const place = { dataDir, engineEnv: engine.engineEnv };
    servers = [await startServer(place), await startServer(place)];
  });

  afterAll(async () => {
    await Promise.all(servers.map((server) => server.kill()));
    await Promise.all([engine[Symbol.asyncDispose](), removeDir(dataDir)]);
  });

  it('is 503 or 507 and passes: nobody ends, nothing is lost, lists equal searches', async () => {
    await until('both workers take part', async () => (await engine.workers()) === 2);
    const load = startLoad(servers);
    for (const trouble of engine.common) await passThrough(load, trouble, engine);

    expect(await load.judge()).toEqual([]);
    expect(load.wrong).toEqual([]);
    for (const server of servers) {
      expect(server.process.exitCode).toBeNull();
      expect(server.log()).not.toMatch(/a process is gone|took over|the worker process ended/);
    }
  });
});
