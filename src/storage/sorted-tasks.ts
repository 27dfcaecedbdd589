/**
 * Lists of tasks in another order than that of their ids, made the same way on every engine: an engine names the tasks that a filter lets
 * through, and what of them never changes is kept in memory, so that a page reads the records of its own tasks only.
 */
import { collectionOf, foldName, nameOf } from '../documents/document-name.ts';
import { OrderedPage, type Place, readPlace } from '../tasks/ordered-page.ts';
import type { TaskId, TaskSnapshot } from '../tasks/task.ts';
import type { SortedTaskFilter, TaskFilter, TaskKeys, TaskOrder, TaskPage } from '../tasks/task-store.ts';

/** What an engine knows of a task without reading its record. */
export type NamedTask = TaskId | TaskKeys;

export type SortedTasksParts = {
  /** The tasks of a filter, some at a time, each once, in any order; others of the same collection or document may be among them. */
  named(filter: TaskFilter): AsyncIterable<readonly NamedTask[]>;
  /** Of those that are there, in any order. */
  keys(ids: readonly TaskId[]): Promise<readonly TaskKeys[]>;
  /** Of those that are there, in any order. */
  snapshots(ids: readonly TaskId[]): Promise<readonly TaskSnapshot[]>;
};

/** Tasks whose keys are kept, some 300 bytes each. With one more all are forgotten, and with them those that are gone. */
const keysKeptMax = 100_000;

/** As `TaskStore.listSorted`. */
export function createSortedTasks(parts: SortedTasksParts): (filter: SortedTaskFilter) => Promise<TaskPage> {
  const kept = new Map<TaskId, TaskKeys>();

  function keep(task: TaskKeys): TaskKeys {
    if (kept.size >= keysKeptMax) kept.clear();
    kept.set(task.id, task);
    return task;
  }

  async function keysOf(named: readonly NamedTask[]): Promise<readonly TaskKeys[]> {
    const known = named.map((task) => (typeof task === 'string' ? kept.get(task) : task));
    const unknown = named.filter((task, at): task is TaskId => typeof task === 'string' && known[at] === undefined);
    const read = unknown.length === 0 ? [] : await parts.keys(unknown);
    return [...known.filter((task) => task !== undefined), ...read.map((task) => keep(toKeys(task)))];
  }

  return async (filter) => {
    const { sort, limit, cursor, accepts } = filter;
    const page = new OrderedPage<TaskId>({ limit, sort, after: cursor === undefined ? null : readPlace(cursor, sort) });
    for await (const named of parts.named(filter)) {
      for (const task of await keysOf(named))
        if (isWanted(task, filter) && accepts(task)) page.take(placeOf(task, sort.by), task.id);
    }
    const { items, nextCursor } = page.done();
    const found = new Map((await parts.snapshots(items)).map((snapshot) => [snapshot.task.id, snapshot]));
    const tasks = items.flatMap((id) => found.get(id) ?? []);
    return { tasks: tasks.filter(({ task }) => filter.status === undefined || task.status === filter.status), nextCursor };
  };
}

/** Nothing else of a whole record stays in memory. */
export function toKeys({ id, docId, keyId, filename, fileBytes, createdAt }: TaskKeys): TaskKeys {
  return { id, docId, keyId, filename, fileBytes, createdAt };
}

function isWanted({ docId }: TaskKeys, filter: TaskFilter): boolean {
  if (filter.docId !== undefined && docId !== filter.docId) return false;
  return filter.collection === undefined || collectionOf(docId) === filter.collection;
}

function placeOf(task: TaskKeys, by: TaskOrder): Place {
  switch (by) {
    case 'created_at':
      return [task.createdAt, task.id];
    case 'filename':
      return [foldName(task.filename), task.id];
    case 'doc_id':
      return [nameOf(task.docId).docId, task.id];
    case 'file_size':
      return [task.fileBytes, task.id];
  }
}
