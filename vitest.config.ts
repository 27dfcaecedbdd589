/**
 * Two groups of tests: `unit` needs nothing but Node and starts no server (`npm run test:unit`, a minute), `whole` is the rest. Both run
 * on twice as many processes as there are processors: tests of whole servers wait most of the time.
 */
import { availableParallelism } from 'node:os';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { defineConfig } from 'vitest/config';
import { testGroups } from './test/support/groups.ts';

const { unit, whole } = testGroups(import.meta.dirname);

/** The longest first, so that none is left alone at the end: tests of whole servers, then of what they are made of. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const order = [/\/e2e\//, /\/(?:property|growth|postgres)\b/, /\/(?:web|cli|crash|storage|parse)\//];
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = order.findIndex((pattern) => pattern.test(moduleId));
      return at === -1 ? order.length : at;
    };
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    setupFiles: ['test/support/watch-logs.ts'],
    pool: 'forks',
    maxWorkers: 2 * availableParallelism(),
    sequence: { sequencer: LongestFirst },
    // Many tests start whole servers; none asserts a time, so a slow machine only takes longer.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    env: { NODE_COMPILE_CACHE: 'node_modules/.cache/node' },
    projects: [
      // What a unit test sets it takes back, so its files share processes: a quarter less of their processor time.
      { extends: true, test: { name: 'unit', include: unit, isolate: false } },
      { extends: true, test: { name: 'whole', include: whole, globalSetup: ['test/support/shared-postgres.ts'] } },
    ],
  },
});
