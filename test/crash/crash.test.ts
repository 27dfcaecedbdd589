/** The crash suites in miniature, so that every test run meets them; `npm run torture` runs them in earnest. */
import { describe, expect, it } from 'vitest';
import { runFailpoints } from './failpoints.ts';
import { runNthOperation } from './nth-operation.ts';
import { runPowerLoss } from './power-loss.ts';

const seed = Date.now() % 1_000_000;

describe('no acknowledged task is lost, none ends twice, nothing is left over', () => {
  it('when a process dies, stops or meets a broken disk at a named point', async () => {
    expect(await runFailpoints({ pointsMax: 2, seed }), `seed ${seed}`).toBe(true);
  });

  it('when a process sleeps over the last step of its close, and says that it was lost', async () => {
    expect(await runFailpoints({ pointsMax: 1, seed, only: 'log.unlink' })).toBe(true);
  });

  it('when any one disk operation fails', async () => {
    expect(await runNthOperation({ every: 40, errnos: 'one', seed }), `seed ${seed}`).toBe(true);
  });

  it('when the power is cut', async () => {
    expect(await runPowerLoss({ points: 12, seed }), `seed ${seed}`).toBe(true);
  });
});
