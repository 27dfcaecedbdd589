/**
 * The live line to the server: one event stream for all tasks (one for each file would use up the browser's six connections), taken
 * up again where it broke, with polling where a proxy does not let streams through.
 */
import { signal } from '@preact/signals';
import { keyWanted } from './api.ts';
import { collectionQuery } from './collection.ts';
import { readEventStream, StreamRefused } from './event-stream.ts';
import type { WireTask } from './wire.ts';

/** `offline`: no answer at all. `polling`: the server answers but its event stream does not come through. */
export type Connection = 'connecting' | 'live' | 'polling' | 'offline';

export const connection = signal<Connection>('connecting');

const silenceMs = 40_000;
const backoffMs = [200, 500, 1000, 1500] as const;
const pollMs = 2000;
/** Polls before the stream is tried again. */
const pollsMax = 15;

export type FeedListener = {
  readonly onTask: (task: WireTask) => void;
  /** Reads the state again; called each time the line (re)opens, then `whole`, and at every poll. */
  readonly resync: (options: { whole: boolean }) => Promise<void>;
};

/** Follows until `signal` aborts. */
export async function follow(listener: FeedListener, signal: AbortSignal): Promise<void> {
  let lastEventId: string | null = null;
  let failures = 0;
  let refusals = 0;
  while (!signal.aborted) {
    if (keyWanted.value) await keyAccepted(signal);
    try {
      await readEventStream({
        path: `events${collectionQuery('?')}`,
        lastEventId,
        signal,
        silenceMs,
        onOpen: () => {
          failures = 0;
          connection.value = 'live';
          listener.resync({ whole: true }).catch(() => undefined);
        },
        onEvent: (event) => {
          refusals = 0;
          if (event.id !== null) lastEventId = event.id;
          // A `snapshot` needs no reading: `resync` has just asked for more than it holds.
          if (event.event === 'task') listener.onTask(JSON.parse(event.data) as WireTask);
        },
      });
    } catch (error) {
      if (error instanceof StreamRefused && error.status === 401) keyWanted.value = true;
      else if (error instanceof StreamRefused && error.status < 500) refusals += 1;
    }
    if (signal.aborted) return;
    if (refusals >= 2) {
      await poll(listener, signal);
      continue;
    }
    connection.value = failures === 0 ? 'connecting' : 'offline';
    await pause(backoffMs[Math.min(failures, backoffMs.length - 1)] ?? pollMs, signal);
    failures += 1;
  }
}

async function poll(listener: FeedListener, signal: AbortSignal): Promise<void> {
  for (let polls = 0; polls < pollsMax && !signal.aborted; polls += 1) {
    try {
      await listener.resync({ whole: polls === 0 });
      connection.value = 'polling';
    } catch {
      connection.value = 'offline';
    }
    await pause(pollMs, signal);
  }
}

async function keyAccepted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = keyWanted.subscribe((wanted) => {
    if (!wanted) resolve();
  });
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
  stop();
}

/** Ends early when the network comes back or the page is looked at again. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      window.removeEventListener('online', end);
      document.removeEventListener('visibilitychange', end);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    window.addEventListener('online', end);
    document.addEventListener('visibilitychange', end);
    signal.addEventListener('abort', end);
  });
}
