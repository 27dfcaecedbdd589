import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/shared-postgres.ts'],
    setupFiles: ['test/support/watch-logs.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // Many tests start whole servers; none asserts a time, so a slow machine only takes longer.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    env: { NODE_COMPILE_CACHE: 'node_modules/.cache/node' },
  },
});
