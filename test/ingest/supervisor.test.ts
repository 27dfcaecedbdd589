import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { createSupervisor, type Supervisor } from '../../src/ingest/supervisor.ts';
import type { Logger } from '../../src/logger.ts';
import { until } from '../support/until.ts';

const filename = fileURLToPath(new URL('../support/child.ts', import.meta.url));
let supervisor: Supervisor;
let restarts = 0;
let pauses: number[] = [];

const logger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: (fields) => {
    restarts += 1;
    pauses.push((fields as { restartMs: number }).restartMs);
  },
  child: () => logger,
};

function supervise(behaviour: string): void {
  restarts = 0;
  pauses = [];
  supervisor = createSupervisor({ filename, args: [behaviour], env: process.env, logger });
  supervisor.start();
}

afterEach(async () => {
  await supervisor.stop(1000);
});

describe('the supervisor', () => {
  it('is up once the worker has said that its threads answer', async () => {
    supervise('serve');
    expect(supervisor.up).toBe(false);

    await until('the worker is up', () => supervisor.up);
    if (process.platform === 'linux') expect(await supervisor.residentBytes()).toBeGreaterThan(1e6);
  });

  it('starts another worker when one aborts, again and again', async () => {
    supervise('abort');

    await until('the worker was started three times', () => restarts >= 3);
    expect(supervisor.restarts).toBeGreaterThanOrEqual(2);
    expect(new Set(pauses).size, 'no longer pause for a worker that had come up').toBe(1);
  });

  it('slows down when the worker cannot even start', async () => {
    supervise('die-at-once');

    await until('it tried more than twice', () => restarts >= 3);
    expect(pauses).toEqual(pauses.toSorted((a, b) => a - b));
    expect(pauses.at(-1)).toBeGreaterThan(pauses[0] as number);
    expect(supervisor.up).toBe(false);
  });

  it('kills a worker that does not stop when asked, and starts no other', async () => {
    supervise('deaf');
    await until('the worker is up', () => supervisor.up);

    await supervisor.stop(100);

    expect(supervisor.up).toBe(false);
    expect([restarts, supervisor.restarts, await supervisor.residentBytes()]).toEqual([0, 0, null]);
  });
});
