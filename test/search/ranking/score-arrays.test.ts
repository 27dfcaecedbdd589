import { describe, expect, it } from 'vitest';
import { ScoreArrays } from '../../../src/search/ranking/score-arrays.ts';

const rows = 20_000;

describe('arrays of scores', () => {
  it('are used again, for as many rows or fewer, and are zeros', () => {
    const arrays = new ScoreArrays();
    const first = arrays.take(rows);
    arrays.giveBack(first);
    const again = arrays.take(rows - 1);

    expect(again.buffer).toBe(first.buffer);
    expect(again).toHaveLength(rows - 1);
    expect(again.every((score) => score === 0)).toBe(true);
    expect(arrays.take(rows).buffer).not.toBe(first.buffer);
  });

  it('are never two at once', () => {
    const arrays = new ScoreArrays();
    arrays.giveBack(arrays.take(rows));
    const taken = Array.from({ length: 5 }, () => arrays.take(rows).buffer);

    expect(new Set(taken).size).toBe(taken.length);
  });

  it('keep no more than their bound', () => {
    const arrays = new ScoreArrays();
    const taken = Array.from({ length: 12 }, () => arrays.take(1_000_000));
    for (const each of taken) arrays.giveBack(each);

    expect(arrays.bytes).toBeGreaterThan(0);
    expect(arrays.bytes).toBeLessThanOrEqual(32 * 1024 * 1024);
  });
});
