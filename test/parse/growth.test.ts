import { describe, expect, it } from 'vitest';
import { faultOf, growthOfFormat } from '../bench/growth.ts';
import { grammars } from '../support/growth/grammars.ts';

/** `npm run fuzz` looks at 150 of each format, and at more sizes. What was slow once comes first. */
const unitsOfEach = 7;
const sizes = [100_000, 400_000];

describe('a file that repeats a small unit of its format', () => {
  it.each(Object.keys(grammars))(
    'takes time that grows as it does, and memory of its size, not its square: %s [S56]',
    async (format) => {
      const all = await growthOfFormat({ format, count: unitsOfEach, seed: 7, sizes });

      expect(all).toHaveLength(unitsOfEach);
      expect(all.map(faultOf).filter((fault) => fault !== null)).toEqual([]);
    },
  );
});
