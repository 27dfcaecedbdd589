/** What was done in each of the last 60 minutes, counted from the ends of tasks as they are seen here, and how full the queue was. Memory: 120 rows, each of the collections in which something ended, and the last 10,000 ends. */
import { collectionOf } from '../../documents/document-name.ts';
import { isTerminal, type Task } from '../../tasks/task.ts';

const minutesKept = 60;
/** Ends that are remembered: one that is told again after so many others counts twice. */
const endsKept = 10_000;
const minuteMs = 60_000;

export type MinuteCount = {
  /** Its beginning, ISO 8601 UTC. */
  readonly minute: string;
  readonly completed: number;
  readonly failed: number;
  /** Of the files of completed tasks. */
  readonly bytes: number;
  /** The most that waited and ran at once, of what was sampled; 0 where nothing was. */
  readonly pending: number;
  readonly processing: number;
};

export interface Throughput {
  /** Counts a task that has ended; the same end again changes nothing. */
  note(task: Task): void;
  /** How full the queue is at this moment. */
  sample(queue: { readonly pending: number; readonly processing: number }, nowMs: number): void;
  /** 60 rows, oldest first, the last one being the running minute; of these collections alone, or of all for null. How full the queue was is of all. */
  history(nowMs: number, reach?: readonly string[] | null): readonly MinuteCount[];
}

type Done = { completed: number; failed: number; bytes: number };
type Row = { readonly done: Map<string, Done>; pending: number; processing: number };

export function createThroughput(): Throughput {
  const rows = new Map<number, Row>();
  const ended = new Set<string>();

  return { note, sample, history };

  function note(task: Task): void {
    if (!isTerminal(task.status) || task.finishedAt === null) return;
    const minute = Math.floor(Date.parse(task.finishedAt) / minuteMs);
    const end = `${task.id}:${task.revision}`;
    if (ended.has(end)) return;
    ended.add(end);
    if (ended.size > endsKept) ended.delete(ended.keys().next().value!);
    const row = rowAt(minute);
    const collection = collectionOf(task.docId);
    const done = row.done.get(collection) ?? { completed: 0, failed: 0, bytes: 0 };
    row.done.set(collection, done);
    done[task.status === 'completed' ? 'completed' : 'failed'] += 1;
    if (task.status === 'completed') done.bytes += task.fileBytes;
  }

  function sample({ pending, processing }: { pending: number; processing: number }, nowMs: number): void {
    const row = rowAt(Math.floor(nowMs / minuteMs));
    row.pending = Math.max(row.pending, pending);
    row.processing = Math.max(row.processing, processing);
  }

  function rowAt(minute: number): Row {
    const row = rows.get(minute) ?? { done: new Map<string, Done>(), pending: 0, processing: 0 };
    rows.set(minute, row);
    for (const old of rows.keys()) if (old <= minute - 2 * minutesKept) rows.delete(old);
    return row;
  }

  function history(nowMs: number, reach: readonly string[] | null = null): readonly MinuteCount[] {
    const last = Math.floor(nowMs / minuteMs);
    return Array.from({ length: minutesKept }, (_, index) => {
      const minute = last - minutesKept + 1 + index;
      const row = rows.get(minute);
      const done = [...(row?.done ?? [])].filter(([collection]) => reach === null || reach.includes(collection));
      const sum = (what: keyof Done): number => done.reduce((total, [, each]) => total + each[what], 0);
      const { pending = 0, processing = 0 } = (reach === null ? row : undefined) ?? {};
      const minutes = new Date(minute * minuteMs).toISOString();
      return { minute: minutes, completed: sum('completed'), failed: sum('failed'), bytes: sum('bytes'), pending, processing };
    });
  }
}
