/** Which lanes of the queue a free thread may take a task from: a rule without state of its own. */
import type { TaskLane } from '../tasks/task.ts';

export type Slots = {
  readonly threads: number;
  /** The lane of each running task; null until it is known. */
  readonly running: readonly (TaskLane | null)[];
  /** Tasks begun so far. */
  readonly taken: number;
  /** The running task may have brought the process down before: no other runs beside it. */
  readonly solo: boolean;
  /** Such a task waits until nothing runs: nothing more is claimed before. */
  readonly quiet: boolean;
};

/** Every fourth task may be a large one even while small ones wait, so that neither starves the other. */
const largeFirstEvery = 4;

/** Lanes to claim from, the first before the second; none while no task may begin. Large ones leave a thread to small ones where there are two. */
export function lanesToClaim({ threads, running, taken, solo, quiet }: Slots): readonly TaskLane[] {
  if (solo || running.length >= threads || (quiet && running.length > 0)) return [];
  const large = running.filter((lane) => lane !== 'small').length;
  if (threads > 1 && large >= threads - 1) return ['small'];
  return taken % largeFirstEvery === largeFirstEvery - 1 ? ['large', 'small'] : ['small', 'large'];
}
