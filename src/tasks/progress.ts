/** How far an attempt has come, as one percentage. Pure. */
import type { TaskProgress, TaskStage } from './task.ts';

export type StageCounts = Omit<TaskProgress, 'percent'>;

/** Where each stage begins and ends; parsing dominates, as measured on mixed folders of PDF and office files. */
const spans: Record<TaskStage, readonly [from: number, to: number]> = {
  queued: [0, 0],
  parsing: [1, 60],
  chunking: [60, 65],
  embedding: [65, 92],
  indexing: [92, 99],
  done: [100, 100],
};

/** The percentage of `counts`, never below `floor` (the percentage reported before). */
export function withPercent(counts: StageCounts, floor: number): TaskProgress {
  const [from, to] = spans[counts.stage];
  const percent = Math.floor(from + (to - from) * shareDone(counts));
  return { ...counts, percent: Math.max(floor, percent) };
}

function shareDone({ stage, pagesDone, pagesTotal, chunksDone, chunksTotal }: StageCounts): number {
  if (stage === 'parsing') return share(pagesDone, pagesTotal);
  return share(chunksDone, chunksTotal);
}

function share(done: number | null, total: number | null): number {
  return done === null || total === null || total <= 0 ? 0 : Math.min(1, done / total);
}
