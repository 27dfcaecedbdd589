import { describe, expect, it } from 'vitest';
import { measureDisk } from '../support/flush-stages.ts';

describe('a small upload until it is searchable', () => {
  it('waits for no more flushes one after the other than it must', async () => {
    const bodies = Array.from({ length: 5 }, (_, n) => Buffer.from(`The warranty of pump ${n} lasts 24 months. `.repeat(30)));

    const { fresh, unchanged } = await measureDisk(bodies, { flushMs: 20 });

    // Its bytes; its record and the marker's place; the count of its attempt (2); its files; the index; its end (2).
    expect(fresh.stages).toBeLessThanOrEqual(9);
    expect(unchanged.stages).toBeLessThanOrEqual(9);
  });
});
