/** Where things are below the data directory, and how names there are made and read. Pure. */
import { collectionOf, defaultCollection } from '../../../documents/document-name.ts';
import { join } from 'node:path';
import { documentFolder } from '../../file-store.ts';
import { isTaskId, type Task, type TaskId, type TaskLane } from '../../../tasks/task.ts';

export type Layout = {
  readonly root: string;
  readonly meta: string;
  /** The folder whose lock says who expires, seals and scrubs. */
  readonly maintenance: string;
  readonly tasks: string;
  readonly queue: string;
  readonly pending: Readonly<Record<TaskLane, string>>;
  readonly active: string;
  readonly reclaim: string;
  readonly cancel: string;
  readonly locks: string;
  readonly workers: string;
  readonly corrupt: string;
  readonly collections: string;
  readonly documents: string;
  /** The counter of accepted uploads and removals. */
  readonly order: string;
  readonly index: string;
  bucket(id: TaskId): string;
  record(id: TaskId): string;
  payload(id: TaskId): string;
};

export function createLayout(root: string): Layout {
  const queue = join(root, 'queue');
  const tasks = join(root, 'tasks');
  const bucket = (id: TaskId) => join(tasks, bucketName(id));
  return {
    root,
    meta: join(root, 'meta.json'),
    maintenance: join(root, 'maintenance'),
    tasks,
    queue,
    pending: { small: join(queue, 'pending', 'small'), large: join(queue, 'pending', 'large') },
    active: join(queue, 'active'),
    reclaim: join(queue, 'reclaim'),
    cancel: join(queue, 'cancel'),
    locks: join(queue, 'locks'),
    workers: join(root, 'workers'),
    corrupt: join(root, 'corrupt'),
    collections: join(root, 'collections'),
    documents: join(root, 'documents'),
    order: join(root, 'order'),
    index: join(root, 'index'),
    bucket,
    record: (id) => join(bucket(id), `${id}.json`),
    payload: (id) => join(bucket(id), `${id}.bin`),
  };
}

/** Every directory of the layout, parents first. */
export function directories(layout: Layout): string[] {
  return [
    layout.tasks,
    layout.queue,
    join(layout.queue, 'pending'),
    layout.pending.small,
    layout.pending.large,
    layout.active,
    layout.reclaim,
    layout.cancel,
    layout.locks,
    layout.workers,
    layout.corrupt,
    layout.collections,
    layout.documents,
    layout.index,
  ];
}

const uuidInside = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/;

/** The task that a file in a lease directory is about; null for none. */
export function taskIdIn(name: string): TaskId | null {
  return (uuidInside.exec(name)?.[0] as TaskId | undefined) ?? null;
}

/** 65.5 seconds of tasks: the first 32 of the 48 bits that a UUIDv7 gives to its millisecond. */
export function bucketName(id: TaskId): string {
  return id.slice(0, 8);
}

/** A bucket is so many milliseconds long. */
export const bucketMs = 65_536;

/** The last millisecond (Unix time) in which a task of this bucket can have been created. */
export function bucketEndMs(name: string): number {
  return (Number.parseInt(name, 16) + 1) * bucketMs - 1;
}

export function isBucketName(name: string): boolean {
  return /^[0-9a-f]{8}$/.test(name);
}

/** The id in `<id>.json`; null for any other file. */
export function recordId(fileName: string): TaskId | null {
  const id = fileName.endsWith('.json') ? fileName.slice(0, -5) : '';
  return isTaskId(id) ? id : null;
}

/**
 * A marker's name says which task waits, when it was accepted, for which doc_id and whose it is: so no record needs to be opened to keep the
 * queue's order, a document's and the callers' turns. Sorted, names are in the order of acceptance, after those of version 0.1.0, which say
 * neither when nor whose.
 */
export type Marker = { readonly name: string; readonly id: TaskId; readonly docKey: string; readonly caller: string };

const ordinalDigits = 14;
/** `n`, which comes after every hexadecimal digit, the ordinal, and a dot. */
const idAt = ordinalDigits + 2;

export function markerOf({ id, ordinal, docId, caller = '' }: Pick<Task, 'id' | 'ordinal' | 'docId' | 'caller'>): Marker {
  const docKey = documentKey(docId);
  const place = ordinal === 0 ? '' : `n${ordinal.toString(16).padStart(ordinalDigits, '0')}.`;
  const whose = caller === '' ? '' : `.${caller}`;
  return { name: `${place}${id}.${docKey}${whose}`, id, docKey, caller };
}

/** The doc_id in a marker's name; it begins with its collection's key. */
export function documentKey(docId: string): string {
  const collection = collectionKey(collectionOf(docId));
  return collection + documentFolder(docId).slice(collection.length, 16);
}

/** The beginning of the keys of a collection's documents; '' for `default`, whose keys may begin with anything. */
export function collectionKey(collection: string): string {
  return collection === defaultCollection ? '' : documentFolder(collection).slice(0, 6);
}

/** Null for names that are not markers (temporary files, progress, uploads). */
export function parseMarker(name: string): Marker | null {
  const rest = name.replace(/^n[0-9a-f]{14}\./, '');
  const [id = '', docKey = '', caller = '', ...more] = rest.split('.');
  if (more.length > 0 || !isTaskId(id) || !/^[0-9a-f]{16}$/.test(docKey) || !/^([0-9a-f]{8})?$/.test(caller)) return null;
  return { name, id, docKey, caller };
}

/** The caller in a marker's name, for many names at once. */
export function callerIn(name: string): string {
  return name.slice(startOf(name) + 54);
}

/** The task in a marker's name, for many names at once. */
export function idOfName(name: string): TaskId {
  const start = startOf(name);
  return name.slice(start, start + 36) as TaskId;
}

function startOf(name: string): number {
  return name.startsWith('n') ? idAt : 0;
}

export function progressName(id: TaskId): string {
  return `${id}.progress`;
}
