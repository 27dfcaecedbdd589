import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createBell } from '../../../src/storage/postgres/bell.ts';
import type { TaskId } from '../../../src/tasks/task.ts';

const workers = ['worker-a', 'worker-b', 'worker-c', 'worker-d'];
const tasks = Array.from({ length: 40 }, (_, number) => `0190a0b0-0000-7000-8000-${String(number).padStart(12, '0')}` as TaskId);

/** Every worker's bell, and which of them have looked, in that order. */
function everyBell(ids: readonly string[] = workers) {
  const looked: string[] = [];
  const bells = ids.map((id) => createBell({ id, workers: () => workers, look: () => looked.push(id) }));
  return { looked, bells };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('one worker looks for each task, in turns, when the task is begun before the others have theirs', () => {
  const { looked, bells } = everyBell();
  for (const task of tasks) {
    for (const bell of bells) bell.rings(task);
    for (const bell of bells) bell.taken(task);
  }
  vi.runAllTimers();

  expect(looked).toHaveLength(tasks.length);
  for (const worker of workers) expect(looked.filter((each) => each === worker).length).toBeGreaterThan(tasks.length / 10);
});

it('all of them look in the end for a task that nobody begins, one after the other', () => {
  const { looked, bells } = everyBell();
  for (const bell of bells) bell.rings(tasks[0]!);
  expect(looked).toHaveLength(1);

  vi.runAllTimers();
  expect(looked.toSorted()).toEqual(workers);
});

it('a task whose first worker is dead waits for the next one alone', () => {
  const dead = everyBell();
  for (const bell of dead.bells) bell.rings(tasks[0]!);
  const { looked, bells } = everyBell(workers.filter((id) => id !== dead.looked[0]));
  for (const bell of bells) bell.rings(tasks[0]!);
  expect(looked).toEqual([]);

  vi.advanceTimersToNextTimer();
  expect(looked).toHaveLength(1);
  vi.clearAllTimers();
});

it('who is no worker never looks, and what is for nobody in particular is for all', () => {
  const { looked, bells } = everyBell(['frontend-x', ...workers]);
  for (const bell of bells) bell.rings(null);
  for (const bell of bells) bell.close();
  vi.runAllTimers();

  expect(looked).toEqual(['frontend-x', ...workers]);
  const front = everyBell(['frontend-x']);
  front.bells[0]!.rings(tasks[0]!);
  vi.runAllTimers();
  expect(front.looked).toEqual([]);
});
