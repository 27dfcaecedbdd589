import { expect, it } from 'vitest';
import { cpuTimeMs, cpuTimer } from '../../src/parse/cpu-time.ts';
import { until } from '../support/until.ts';

it('a timer of the processor counts what this thread computes, not how long it waits', async () => {
  const isLate = cpuTimer(200);
  const [computed, began] = [cpuTimeMs(), performance.now()];
  await until('the clock has run on', () => performance.now() - began > 400);
  expect(isLate()).toBe(cpuTimeMs() - computed > 200);

  while (cpuTimeMs() - computed <= 210);
  expect(isLate()).toBe(true);
});
