import { describe, expect, it } from 'vitest';
import { measureDisk } from '../support/flush-stages.ts';

describe('a small upload until it is searchable', () => {
  it('waits for no more flushes one after the other than it must', async () => {
    const bodies = Array.from({ length: 5 }, (_, n) => Buffer.from(`The warranty of pump ${n} lasts 24 months. `.repeat(30)));

    // On a busy machine two that need not wait for one another may still come one after the other: the best of three.
    const runs: Awaited<ReturnType<typeof measureDisk>>[] = [];
    for (let run = 0; run < 3; run += 1) runs.push(await measureDisk(bodies, { flushMs: 20 }));
    const fewest = (kind: 'fresh' | 'unchanged'): number => Math.min(...runs.map((run) => run[kind].stages));

    // Its bytes and its record; the count of its attempt; its files; the index. Its end is durable after its answer.
    expect(fewest('fresh')).toBeLessThanOrEqual(5);
    expect(fewest('unchanged')).toBeLessThanOrEqual(5);
  });
});
