/** In every test file: whatever was started from it, no line that it wrote has shown a secret. */
import { afterAll, expect } from 'vitest';
import { leaks } from './leaks.ts';

afterAll(() => {
  expect(leaks.splice(0)).toEqual([]);
});
