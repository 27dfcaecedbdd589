/** Expiry by a wall clock that people and machines set. */
import { describe, expect, it } from 'vitest';
import { createSteadyClock } from '../../../../src/storage/file/ownership/steady-clock.ts';

const hourMs = 3_600_000;

function clockAt(wall: number) {
  const time = { wall, monotonic: 0 };
  const clock = createSteadyClock({ wallMs: () => time.wall, monotonicMs: () => time.monotonic, settleMs: 24 * hourMs });
  return {
    clock,
    pass: (ms: number): void => {
      time.wall += ms;
      time.monotonic += ms;
    },
    set: (ms: number): void => {
      time.wall += ms;
    },
  };
}

describe('the steady clock', () => {
  it('goes with the wall clock', () => {
    const { clock, pass } = clockAt(1000);
    pass(5000);

    expect(clock.look()).toBe(6000);
  });

  it('does not follow a jump forward before as much time as tasks are kept has passed', () => {
    const { clock, pass, set } = clockAt(0);
    set(10 * 365 * 24 * hourMs);

    expect(clock.look()).toBe(0);
    pass(23 * hourMs);
    expect(clock.look()).toBe(23 * hourMs);
    pass(hourMs);
    expect(clock.look()).toBe((10 * 365 + 1) * 24 * hourMs);
  });

  it('follows a step back, which only makes tasks expire later', () => {
    const { clock, set } = clockAt(5 * hourMs);
    set(-2 * hourMs);

    expect(clock.look()).toBe(3 * hourMs);
  });

  it('takes gentle corrections as time', () => {
    const { clock, pass, set } = clockAt(0);
    pass(1000);
    set(30_000);

    expect(clock.look()).toBe(31_000);
  });
});
