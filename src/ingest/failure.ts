/** What an error that nobody expected means for its task: the server failed, not the document. */
import type { TaskError } from '../tasks/task.ts';
import { troubleOf } from '../trouble.ts';

/**
 * Storage that refuses may take it the next time. Anything else is a bug, and the same bytes meet it again: no further attempt, so
 * that whoever waits hears of it at once.
 */
export function failureOf(error: unknown): TaskError {
  return isStorageTrouble(error)
    ? {
        code: 'storage_failed',
        message: 'The server could not read or write its disk while processing the document',
        retryable: true,
      }
    : {
        code: 'internal',
        message: 'Something went wrong on the server while processing the document; its log has the details',
        retryable: false,
      };
}

/** An error as text for the log: what is left of it after it crossed from one thread to another. */
export function traceOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? `${error.name}: ${error.message}`) : String(error);
}

/** A file or folder that is not where it must be is the storage's failure, too. */
function isStorageTrouble(error: unknown): boolean {
  if (troubleOf(error) !== null) return true;
  return error instanceof Error && 'code' in error && /^E[A-Z0-9]+$/.test(String(error.code));
}
