import { describe, expect, it } from 'vitest';
import { measureDisk } from '../support/flush-stages.ts';

describe('a small upload until it is searchable', () => {
  it('waits for no more flushes one after the other than it must', async () => {
    const bodies = Array.from({ length: 5 }, (_, n) => Buffer.from(`The warranty of pump ${n} lasts 24 months. `.repeat(30)));

    const { fresh, unchanged } = await measureDisk(bodies, { flushMs: 20 });

    // Its bytes and its record; the count of its attempt; its files; the index. Its end is durable after its answer.
    expect(fresh.stages).toBeLessThanOrEqual(5);
    expect(unchanged.stages).toBeLessThanOrEqual(5);
  });
});
