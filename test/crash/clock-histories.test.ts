/** Few of the histories that `npm run torture -- --only clocks` makes by the thousand. */
import { expect, it } from 'vitest';
import { clockEngines, clockHistories } from './clock-histories.ts';
import { judgeLast } from './history.ts';
import type { TaskId } from '../../src/tasks/task.ts';

it.each(clockEngines)(
  'a document shows what was accepted last, whatever the clocks of its front ends say: $name',
  async ({ open }) => {
    const seed = Date.now() % 1_000_000;
    await using place = await open();
    expect(await clockHistories(place.harness, { histories: 20, seed }), `seed ${seed}`).toEqual([]);
  },
);

it('the judge tells a document that went back, and lets two that were accepted at once end either way', () => {
  const [a, b] = ['a', 'b'] as [TaskId, TaskId];
  const first = { asked: 1, told: 2, leaves: a };

  expect(judgeLast([first, { asked: 3, told: 4, leaves: b }], a)).toContain('shows a');
  expect(judgeLast([first, { asked: 3, told: 4, leaves: null }], a)).toContain('a removal');
  expect(judgeLast([first, { asked: 2, told: 4, leaves: b }], a)).toBeNull();
  expect(judgeLast([first, { asked: 2, told: 4, leaves: b }], null)).toContain('nothing');
});
