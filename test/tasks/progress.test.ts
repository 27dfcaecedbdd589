import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withPercent } from '../../src/tasks/progress.ts';
import { taskStages } from '../../src/tasks/task.ts';

const counts = { pagesDone: null, pagesTotal: null, chunksDone: null, chunksTotal: null };

describe('progress', () => {
  it('grows with the pages read', () => {
    const half = withPercent({ ...counts, stage: 'parsing', pagesDone: 50, pagesTotal: 100 }, 0);
    const all = withPercent({ ...counts, stage: 'parsing', pagesDone: 100, pagesTotal: 100 }, 0);

    expect(half.percent).toBeGreaterThan(20);
    expect(all.percent).toBeGreaterThan(half.percent);
  });

  it('is 100 only when all is done', () => {
    expect(withPercent({ ...counts, stage: 'indexing', chunksDone: 9, chunksTotal: 9 }, 0).percent).toBeLessThan(100);
    expect(withPercent({ ...counts, stage: 'done' }, 0).percent).toBe(100);
  });

  it('never goes back and never leaves 0 to 100, whatever is reported', () => {
    const count = fc.option(fc.integer({ min: -5, max: 1000 }), { nil: null });
    const report = fc.record({
      stage: fc.constantFrom(...taskStages),
      pagesDone: count,
      pagesTotal: count,
      chunksDone: count,
      chunksTotal: count,
    });

    fc.assert(
      fc.property(fc.array(report), (reports) => {
        let floor = 0;
        for (const each of reports) {
          const { percent } = withPercent(each, floor);
          expect(percent).toBeGreaterThanOrEqual(floor);
          expect(percent).toBeLessThanOrEqual(100);
          floor = percent;
        }
      }),
    );
  });
});
