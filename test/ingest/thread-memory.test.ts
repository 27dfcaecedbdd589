import { describe, expect, it } from 'vitest';
import { giveBackMemory } from '../../src/ingest/thread-memory.ts';

const bytes = 300 * 1024 * 1024;

/** In a function of its own, so that nothing holds on to it. */
function leaveBehind(): number {
  return Buffer.alloc(bytes, 1).length;
}

describe('giveBackMemory', () => {
  it('gives back the Buffers that a document left behind, though nothing more is allocated', async () => {
    const before = process.memoryUsage().arrayBuffers;
    leaveBehind();
    expect(process.memoryUsage().arrayBuffers - before).toBeGreaterThan(bytes / 2);

    await giveBackMemory();

    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(bytes / 2);
  });
});
