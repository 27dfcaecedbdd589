/** What is said of a task in more than one view: why it failed, how far it is, how long it will take. */
import { count, duration } from './figures.ts';
import { language, sentences } from './language.ts';
import type { WireTask } from './wire.ts';

/** Why a failed task failed, in the page's language where the server gave a code for it. */
export function failureOf(task: WireTask): string {
  const sentence = task.error ?? sentences.value.statuses.failed;
  return task.error_code === null ? sentence : sentences.value.failure(task.error_code, sentence);
}

/** What to do about a failed task: what the server's own sentence says to do, in this language, else what its code means. */
export function adviceOf({ error, error_code: code }: WireTask): string | null {
  if (code === null) return null;
  const { unread, advice } = sentences.value;
  const named = Object.keys(unread).find((sentence) => error?.endsWith(sentence));
  return named === undefined ? advice[code] : unread[named]!;
}

/** With a full stop after each that has none. */
export function sentencesOf(...parts: readonly (string | null)[]): string {
  const [stop, blank] = language.value === 'zh' ? ['。', ''] : ['.', ' '];
  return parts
    .filter((part) => part !== null)
    .map((part) => (/[.。！!?？]$/.test(part) ? part : `${part}${stop}`))
    .join(blank);
}

/** Pages or chunks of the running stage, or the place in the queue. */
export function stepFigures(task: WireTask): string | null {
  const t = sentences.value.upload;
  const { pages_done: pages, pages_total: pagesAll, chunks_done: chunks, chunks_total: chunksAll } = task.progress;
  if (task.status === 'pending') return task.queue_position ? t.queuePosition(count(task.queue_position)) : null;
  if (task.stage === 'parsing' && pages !== null && pagesAll) return t.pages(count(pages), count(pagesAll));
  if (task.stage === 'embedding' && chunks !== null && chunksAll) return t.chunks(count(chunks), count(chunksAll));
  return null;
}

/** Null where it is not known. */
export function leftOf(ms: number | null): string | null {
  return ms === null ? null : sentences.value.upload.left(duration(ms));
}

/** The parts that there are, with a middle dot between. */
export function join(...parts: readonly (string | null | undefined)[]): string {
  return parts.filter((part) => part !== null && part !== undefined && part !== '').join(' · ');
}
