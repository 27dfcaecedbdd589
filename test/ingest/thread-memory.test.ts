import { describe, expect, it } from 'vitest';
import { giveBackMemory } from '../../src/ingest/thread-memory.ts';

const bytes = 300 * 1024 * 1024;

/** In a function of its own, so that nothing holds on to it. */
function leaveBehind(): number {
  return Buffer.alloc(bytes, 1).length;
}

/** Some 200 bytes each. */
function leaveObjectsBehind(): number {
  return Array.from({ length: 2_000_000 }, (_, at) => ({ at, text: 'x'.repeat(20) + at, inside: [] })).length;
}

describe('giveBackMemory', () => {
  it('gives back the Buffers that a document left behind, though nothing more is allocated', async () => {
    const before = process.memoryUsage().arrayBuffers;
    leaveBehind();
    expect(process.memoryUsage().arrayBuffers - before).toBeGreaterThan(bytes / 2);

    await giveBackMemory();

    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(bytes / 2);
  });

  it('gives the pages of the heap back to the system, not only to the heap', async () => {
    await giveBackMemory();
    const before = process.memoryUsage().rss;
    leaveObjectsBehind();
    const full = process.memoryUsage().rss - before;
    expect(full).toBeGreaterThan(bytes / 2);

    await giveBackMemory();

    expect(process.memoryUsage().rss - before).toBeLessThan(full / 2);
  });
});
