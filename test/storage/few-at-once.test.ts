import { describe, expect, it } from 'vitest';
import { fewAtOnce } from '../../src/storage/few-at-once.ts';

describe('steps a few at once', () => {
  it('are never more than that, and all done', async () => {
    let running = 0;
    let most = 0;
    const done: number[] = [];
    await fewAtOnce([1, 2, 3, 4, 5, 6, 7], 3, async (n) => {
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      running -= 1;
      done.push(n);
    });

    expect(most).toBe(3);
    expect(done.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('stop at an error, which is told when those that were begun are over', async () => {
    const slow = Promise.withResolvers<void>();
    const begun: number[] = [];
    let told = false;
    const all = fewAtOnce([1, 2, 3], 2, async (n) => {
      begun.push(n);
      if (n === 1) throw new Error('no room');
      await slow.promise;
    }).catch((error: Error) => {
      told = true;
      return error.message;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(told).toBe(false);
    slow.resolve();

    expect(await all).toBe('no room');
    expect(begun).toEqual([1, 2]);
  });
});
