/** The thread of `many-disk.ts`: does what it is told in its order, one step after the other, each by one call of the system. */
import { closeSync, constants, openSync, renameSync, writevSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';

export type DiskStep =
  | { readonly do: 'create'; readonly path: string }
  | { readonly do: 'write'; readonly file: number; readonly chunks: readonly Uint8Array[] }
  | { readonly do: 'close'; readonly file: number }
  | { readonly do: 'rename'; readonly from: string; readonly to: string };

/** `value`: the descriptor of what was created, the bytes that were written. `error`: what an Error keeps of itself on the way to another thread. */
export type DiskStepDone =
  | { readonly value: number }
  | { readonly error: Pick<NodeJS.ErrnoException, 'message' | 'code' | 'errno' | 'syscall' | 'path'> };

parentPort!.on('message', (steps: readonly DiskStep[]) => parentPort!.postMessage(steps.map(tried)));

function tried(step: DiskStep): DiskStepDone {
  try {
    return { value: done(step) };
  } catch (error) {
    const { message, code, errno, syscall, path } = error as NodeJS.ErrnoException;
    return { error: { message, code, errno, syscall, path } };
  }
}

function done(step: DiskStep): number {
  if (step.do === 'create') return openSync(step.path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o640);
  if (step.do === 'write') return writevSync(step.file, step.chunks as Uint8Array[]);
  if (step.do === 'close') closeSync(step.file);
  else renameSync(step.from, step.to);
  return 0;
}
