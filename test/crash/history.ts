/**
 * What clients saw, and whether it can be true. Every process of a crash test appends to a journal of its own: what it asked
 * before it asked, what it was told after it was told. A question without an answer may have happened or not.
 */
import { appendFileSync, closeSync, existsSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import type { Task, TaskId, TaskStatus } from '../../src/tasks/task.ts';

export type HistoryEntry =
  | {
      readonly op: 'receive' | 'submit' | 'cancel' | 'retry' | 'expire' | 'begin' | 'release';
      readonly id: TaskId;
      readonly phase: 'ask';
    }
  | { readonly op: 'submit'; readonly id: TaskId; readonly phase: 'ok' | 'error' }
  | { readonly op: 'begin'; readonly id: TaskId; readonly phase: 'ok'; readonly attempt: number }
  | {
      readonly op: 'finish';
      readonly id: TaskId;
      readonly phase: 'ask' | 'ok';
      readonly status: TaskStatus;
      readonly attempt: number;
      /** An attempt before it had made the document searchable; this one only recorded that. */
      readonly rolledForward?: boolean;
    }
  | { readonly op: 'cancel' | 'retry' | 'expire'; readonly id: TaskId; readonly phase: 'ok' }
  | { readonly op: 'payload-missing'; readonly id: TaskId }
  | { readonly op: 'seen'; readonly id: TaskId; readonly revision: number; readonly status: TaskStatus };

export type Journal = (entry: HistoryEntry) => void;

/** A journal that survives the death of its process: each line is one write. `times` adds when (wall clock, ms). */
export function openJournal(path: string): Journal {
  return (entry) => appendFileSync(path, `${JSON.stringify({ ...entry, time: Date.now() })}\n`);
}

export type TimedEntry = HistoryEntry & { readonly time: number };

/** All whole lines; the last one may be torn. */
export function readJournal(path: string): TimedEntry[] {
  return existsSync(path) ? parseLines(readFileSync(path, 'utf8')) : [];
}

/** The last few dozen lines. */
export function readTail(path: string): TimedEntry[] {
  if (!existsSync(path)) return [];
  const file = openSync(path, 'r');
  const { size } = fstatSync(file);
  const bytes = Buffer.alloc(Math.min(size, tailBytes));
  readSync(file, bytes, 0, bytes.byteLength, size - bytes.byteLength);
  closeSync(file);
  const text = bytes.toString('utf8');
  return parseLines(size > tailBytes ? text.slice(text.indexOf('\n') + 1) : text);
}

const tailBytes = 8192;

function parseLines(text: string): TimedEntry[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as TimedEntry);
}

/** What is wrong with a history, in sentences; empty when nothing is. `journals`: one per process, each in its own order. */
export function judgeHistory(options: {
  readonly journals: readonly (readonly HistoryEntry[])[];
  /** Every task that is kept at the end, when all work was done. */
  readonly tasks: ReadonlyMap<string, Task>;
  /** How often each version was made searchable. */
  readonly switches: ReadonlyMap<string, number>;
  readonly wasCommitted: (task: Task) => boolean;
}): string[] {
  const { journals, tasks, switches } = options;
  const all = journals.flat();
  const ids = (op: HistoryEntry['op'], phase: string): Set<string> =>
    new Set(all.filter((entry) => entry.op === op && 'phase' in entry && entry.phase === phase).map(({ id }) => id));
  const expired = ids('expire', 'ask');
  const retried = ids('retry', 'ask');
  const wrong: string[] = [];

  const withoutPayload = new Set<string>(all.filter(({ op }) => op === 'payload-missing').map(({ id }) => id));
  for (const id of ids('submit', 'ok')) {
    if (withoutPayload.has(id)) wrong.push(`${id}: acknowledged, and its file lost`);
    const task = tasks.get(id);
    if (task === undefined) {
      if (!expired.has(id)) wrong.push(`${id}: acknowledged and lost`);
    } else if (task.status !== 'completed' && task.status !== 'failed')
      wrong.push(`${id}: acknowledged, never ended (${task.status})`);
  }
  for (const id of ids('submit', 'error')) {
    if (tasks.has(id)) wrong.push(`${id}: refused, yet there`);
  }
  for (const task of tasks.values()) {
    const committed = options.wasCommitted(task);
    if (task.status === 'completed' && task.result?.superseded !== true && !committed)
      wrong.push(`${task.id}: completed, not searchable`);
    if (task.status === 'failed' && committed) wrong.push(`${task.id}: failed, yet searchable`);
  }
  for (const [version, count] of switches) if (count > 1) wrong.push(`${version}: made searchable ${count} times`);
  wrong.push(...judgeEnds(all, retried), ...judgeSightings(journals, tasks, retried));
  return wrong;
}

/** One acknowledged end a life; a completed task stays completed, a cancelled one was never completed. */
function judgeEnds(all: readonly HistoryEntry[], retried: ReadonlySet<string>): string[] {
  const wrong: string[] = [];
  const ends = new Map<string, string[]>();
  for (const entry of all) {
    if (entry.op === 'finish' && entry.phase === 'ok') ends.set(entry.id, [...(ends.get(entry.id) ?? []), entry.status]);
    if (entry.op === 'cancel' && entry.phase === 'ok') ends.set(entry.id, [...(ends.get(entry.id) ?? []), 'cancelled']);
  }
  for (const [id, list] of ends) {
    const completions = list.filter((end) => end === 'completed').length;
    if (completions > 1) wrong.push(`${id}: completed ${completions} times`);
    if (list.length > 1 && !retried.has(id)) wrong.push(`${id}: ended ${list.length} times (${list.join(', ')})`);
  }
  // An attempt that is given back uncounted is begun again under its number.
  const released = new Set(all.filter(({ op }) => op === 'release').map(({ id }) => id));
  const begins = new Map<string, number>();
  for (const entry of all) {
    if (entry.op !== 'begin' || entry.phase !== 'ok' || retried.has(entry.id) || released.has(entry.id)) continue;
    const key = `${entry.id} attempt ${entry.attempt}`;
    begins.set(key, (begins.get(key) ?? 0) + 1);
  }
  for (const [key, count] of begins) if (count > 1) wrong.push(`${key}: begun ${count} times`);
  return wrong;
}

/** Each observer sees revisions grow and ended tasks stay ended. */
function judgeSightings(
  journals: readonly (readonly HistoryEntry[])[],
  tasks: ReadonlyMap<string, Task>,
  retried: ReadonlySet<string>,
): string[] {
  const wrong: string[] = [];
  for (const journal of journals) {
    const last = new Map<string, { revision: number; status: TaskStatus }>();
    for (const entry of journal) {
      if (entry.op !== 'seen') continue;
      const before = last.get(entry.id);
      if (before !== undefined && entry.revision < before.revision)
        wrong.push(`${entry.id}: revision went from ${before.revision} back to ${entry.revision}`);
      if (before !== undefined && isEnd(before.status) && before.status !== entry.status && !retried.has(entry.id))
        wrong.push(`${entry.id}: went from ${before.status} to ${entry.status}`);
      last.set(entry.id, entry);
    }
    for (const [id, { revision, status }] of last) {
      const task = tasks.get(id);
      if (task === undefined) continue;
      if (task.revision < revision) wrong.push(`${id}: ends at revision ${task.revision}, was seen at ${revision}`);
      if (isEnd(status) && task.status !== status && !retried.has(id)) wrong.push(`${id}: was seen ${status}, ends ${task.status}`);
    }
  }
  return wrong;
}

function isEnd(status: TaskStatus): boolean {
  return status === 'completed' || status === 'failed';
}

/** One upload or removal of a document. `asked` and `told` are moments in one order of the whole test, by no clock. */
export type Acceptance = {
  readonly asked: number;
  readonly told: number;
  /** What the document is, when this is the last thing that was accepted: a version, or nothing after a removal. */
  readonly leaves: TaskId | null;
};

/** Whether a document may end as `shown`: by something that was accepted with nothing accepted wholly after it. */
export function judgeLast(accepted: readonly Acceptance[], shown: TaskId | null): string | null {
  const isLast = (one: Acceptance): boolean => accepted.every((other) => other.asked <= one.told);
  const possible = accepted.filter(isLast).map(({ leaves }) => leaves);
  if (possible.includes(shown) || (accepted.length === 0 && shown === null)) return null;
  return `shows ${shown ?? 'nothing'}; what was accepted last is ${possible.map((id) => id ?? 'a removal').join(' or ')}`;
}
