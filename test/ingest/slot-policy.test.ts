import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lanesToClaim, type Slots } from '../../src/ingest/slot-policy.ts';

const idle: Slots = { threads: 4, running: [], taken: 0, solo: false, quiet: false };

describe('a free thread', () => {
  it('takes a small task first, and every fourth time a large one', () => {
    const first = [0, 1, 2, 3, 4].map((taken) => lanesToClaim({ ...idle, taken })[0]);

    expect(first).toEqual(['small', 'small', 'small', 'large', 'small']);
  });

  it('takes no large one when the last thread would be gone for small ones, where there is more than one', () => {
    expect(lanesToClaim({ ...idle, running: ['large', 'large', 'large'] })).toEqual(['small']);
    expect(lanesToClaim({ ...idle, running: ['large', null, 'large'] })).toEqual(['small']);
    expect(lanesToClaim({ ...idle, threads: 1 })).toEqual(['small', 'large']);
  });

  it('waits beside a task that may bring the process down, and for nothing to run before it', () => {
    expect(lanesToClaim({ ...idle, running: ['small'], solo: true })).toEqual([]);
    expect(lanesToClaim({ ...idle, running: ['small'], quiet: true })).toEqual([]);
    expect(lanesToClaim({ ...idle, quiet: true })).toEqual(['small', 'large']);
  });

  it('is never offered more than there are threads, and never nothing while all are free', () => {
    const lane = fc.constantFrom('small' as const, 'large' as const, null);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.array(lane, { maxLength: 6 }),
        fc.nat(),
        fc.boolean(),
        (threads, running, taken, quiet) => {
          const lanes = lanesToClaim({ threads, running, taken, quiet, solo: false });

          expect(lanes.length > 0).toBe(running.length < threads && !(quiet && running.length > 0));
        },
      ),
    );
  });
});
