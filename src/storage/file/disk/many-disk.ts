/**
 * Making and renaming hundreds of files at once, by a thread of its own. Each such step takes the system 10 to 20 µs; handing it to a
 * thread of libuv and back takes more than that, and those threads wait for one folder's lock. So what is asked for in one turn of the event loop goes
 * to one thread as one message, and comes back as one. Flushing does not: a disk takes many flushes as one, side by side.
 */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterBytes, type DiskFile } from './disk-file.ts';
import type { DiskStep, DiskStepDone } from './many-thread.ts';

/** What `Disk.many` gives: files that nobody flushes by it. */
export interface ManyDisk {
  create(path: string, at: string): Promise<DiskFile>;
  rename(from: string, to: string, at: string): Promise<void>;
}

type Waiting = PromiseWithResolvers<number>;

/** Steps of one file or path must be awaited one after the other; others keep the order in which they are asked for. The thread begins with the first. */
export function createManyDisk(): ManyDisk {
  let worker: Worker | null = null;
  let steps: DiskStep[] = [];
  let asked: Waiting[] = [];
  /** Of messages that are on their way, the oldest first. */
  let sent: Waiting[][] = [];

  function step(one: DiskStep): Promise<number> {
    const waiting = Promise.withResolvers<number>();
    steps.push(one);
    if (asked.push(waiting) === 1) setImmediate(send);
    return waiting.promise;
  }

  function send(): void {
    worker ??= start();
    worker.ref();
    sent.push(asked);
    worker.postMessage(steps);
    steps = [];
    asked = [];
  }

  function start(): Worker {
    const thread = new Worker(new URL(`./many-thread${extname(import.meta.url)}`, import.meta.url));
    thread.on('message', (results: readonly DiskStepDone[]) => {
      for (const [i, { resolve, reject }] of sent.shift()!.entries()) {
        const result = results[i]!;
        if ('value' in result) resolve(result.value);
        else reject(Object.assign(new Error(result.error.message), result.error));
      }
      if (sent.length === 0) thread.unref();
    });
    const ended = (error: unknown): void => {
      if (worker !== thread) return;
      worker = null;
      const lost = sent.flat();
      sent = [];
      for (const { reject } of lost) reject(error);
    };
    thread.on('error', ended);
    thread.on('exit', (code) => ended(new Error(`The thread that makes files ended with ${code}.`)));
    return thread;
  }

  return {
    async create(path): Promise<DiskFile> {
      const file = await step({ do: 'create', path });
      return {
        async write(chunks) {
          let rest = chunks;
          while (rest.length > 0) rest = afterBytes(rest, await step({ do: 'write', file, chunks: rest }));
        },
        sync: () => Promise.reject(new Error('What is made together is not flushed by its file.')),
        async close() {
          await step({ do: 'close', file });
        },
      };
    },
    async rename(from, to) {
      await step({ do: 'rename', from, to });
    },
  };
}
