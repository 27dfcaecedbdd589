import { describe, expect, it } from 'vitest';
import { createTaskWatch } from '../../../../src/storage/file/tasks/task-watch.ts';
import { createLayout } from '../../../../src/storage/file/disk/layout.ts';
import type { Disk } from '../../../../src/storage/file/disk/disk.ts';
import { createTask, finishTask, type Task, type TaskId, type TaskSnapshot } from '../../../../src/tasks/task.ts';
import { failedOutcome, newId } from '../../../support/engine-steps.ts';
import { until } from '../../../support/until.ts';

const now = '2026-01-01T00:00:00.000Z';

const snapshot = async (task: Task): Promise<TaskSnapshot> => ({
  task,
  progress: { stage: 'queued', percent: 0 } as never,
  queuePosition: null,
});

/** A watch over a data directory of one worker, whose events the test makes; it says which tasks were read. */
function openWatch() {
  const tasks = new Map<TaskId, Task>();
  const reads: TaskId[] = [];
  const noticed: ((name: string) => void)[] = [];
  const disk = {
    list: async (path: string) => (path.endsWith('active') ? ['w-1-other'] : []),
    watch: (path: string, listener: (name: string) => void) => {
      if (path.endsWith('w-1-other')) noticed.push(listener);
      return () => undefined;
    },
  } as unknown as Disk;
  const watch = createTaskWatch({
    disk,
    layout: createLayout('/data'),
    owner: { id: 'f-1-own' } as never,
    pending: { refresh: async () => undefined, names: () => [] } as never,
    read: async (id): Promise<TaskSnapshot> => {
      reads.push(id);
      return snapshot(tasks.get(id)!);
    },
    snapshot,
  });
  return {
    watch,
    tasks,
    reads,
    notice: (name: string) => noticed[0]!(name),
    ready: () => until('the worker is watched', () => noticed.length > 0),
  };
}

function waitingTask(): Task {
  const id = newId();
  const given = { docId: id, filename: 'a.txt', fileBytes: 1, sha256: '', declaredMediaType: null, metadata: null, keyId: null };
  return createTask({ id, ...given, callbackUrl: null, lane: 'small', attemptsMax: 3, createdAt: now }, 1);
}

describe('the watch over tasks', () => {
  it('does not look again at tasks whose end everybody was told', async () => {
    const { watch, tasks, reads } = openWatch();
    watch.watch(null, () => undefined);
    for (let n = 0; n < 50; n += 1) {
      const task = waitingTask();
      tasks.set(task.id, finishTask(task, failedOutcome as never, now));
      const ended = Promise.withResolvers<void>();
      const stop = watch.watch(task.id, () => ended.resolve());
      watch.changed(task.id);
      await ended.promise;
      stop();
    }
    reads.length = 0;

    await watch.poll();
    await watch.poll();

    expect(reads).toEqual([]);
    watch.close();
  });

  it('looks at a task once for each record that another process has put in its place', async () => {
    const { watch, tasks, reads, notice, ready } = openWatch();
    watch.watch(null, () => undefined);
    await ready();
    const task = waitingTask();
    tasks.set(task.id, task);

    notice(`.t.${task.id}.7`);
    expect(reads).toEqual([]);
    notice(`.t.${task.id}.7`);
    expect(reads).toEqual([task.id]);
    notice(`n00000000000001.${task.id}.0123456789abcdef`);
    notice(`${task.id}.progress`);
    notice(`scratch.${task.id}.3`);

    expect(reads).toEqual([task.id]);
    watch.close();
  });

  it('tells what this process wrote without reading it, and never after what others made of it since', async () => {
    const { watch, tasks, reads } = openWatch();
    const told: string[] = [];
    watch.watch(null, ({ task }) => void told.push(`${task.docId} ${task.status}`));
    const [first, second] = [waitingTask(), waitingTask()];

    watch.wrote(first);
    await until('it is told', () => told.length === 1);
    expect(reads).toEqual([]);
    tasks.set(second.id, finishTask(second, failedOutcome as never, now));
    watch.changed(second.id);
    await until('its end is told', () => told.length === 2);
    watch.wrote(second);
    watch.wrote(waitingTask());
    await until('what came after is told', () => told.length === 3);

    expect(told.slice(0, 2)).toEqual([`${first.docId} pending`, `${second.docId} failed`]);
    expect(told[2]).not.toContain(second.docId);
    watch.close();
  });
});
