import { beforeAll, expect, it, vi } from 'vitest';
import { aTask } from './support/stand-in.ts';

let list: typeof import('../../src/web/task-list.ts');
const frames: (() => void)[] = [];

beforeAll(async () => {
  vi.stubGlobal('document', { hidden: false, baseURI: 'http://page.test/' });
  vi.stubGlobal('location', { hash: '' });
  vi.stubGlobal('window', { addEventListener: () => undefined });
  vi.stubGlobal('requestAnimationFrame', (run: () => void) => frames.push(run));
  list = await import('../../src/web/task-list.ts');
});

function draw(): void {
  for (const run of frames.splice(0)) run();
}

it('holds a bounded number of tasks, and lets go the oldest that have ended, never a new, live or pinned one', () => {
  const { putTask, pinTask, taskById, tasks, tasksMax } = list;
  putTask(aTask(1, { status: 'processing' }));
  putTask(aTask(2));
  pinTask(aTask(2).task_id);
  for (let index = 3; index <= tasksMax + 2; index += 1) putTask(aTask(index));
  draw();
  expect(tasks.value).toHaveLength(tasksMax);

  const newest = aTask(tasksMax + 3, { status: 'pending' });
  putTask(newest);
  draw();

  expect(tasks.value).toHaveLength(tasksMax);
  expect(tasks.value[0]).toBe(newest);
  expect([1, 2, 3, 4, 5].map((index) => taskById(aTask(index).task_id) !== undefined)).toEqual([true, true, false, false, false]);
  const order = tasks.value.map((task) => task.task_id);
  expect(order).toEqual([...order].sort().reverse());

  // An upload's own task goes on to its end.
  putTask({ ...newest, status: 'completed', updated_at: '2027-01-01T00:00:00.000Z' });
  draw();
  expect(taskById(newest.task_id)?.status).toBe('completed');
});
