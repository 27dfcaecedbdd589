/** What the page knows of the server as a whole: its limits, its state, and samples of the queue for the charts. */
import { signal } from '@preact/signals';
import { getConfig, getStatus } from './api.ts';
import type { WireConfig, WireStatus } from './wire.ts';

export type Sample = { readonly atMs: number; readonly pending: number; readonly processing: number };

/** Null until the server has answered. */
export const config = signal<WireConfig | null>(null);
export const status = signal<WireStatus | null>(null);
/** One each `sampleMs`, oldest first, for the last hour at most. */
export const samples = signal<readonly Sample[]>([]);

const sampleMs = 3000;
const samplesMax = 1200;

/** Asks every few seconds while the page is looked at, until `signal` aborts. */
export function watchServer(signal: AbortSignal): void {
  const ask = (): void => {
    if (document.hidden) return;
    void refreshServer();
  };
  const timer = setInterval(ask, sampleMs);
  document.addEventListener('visibilitychange', ask, { signal });
  signal.addEventListener('abort', () => clearInterval(timer));
  ask();
}

/** Asks now. A server that does not answer leaves the last figures; the feed says that it is away. */
export async function refreshServer(): Promise<void> {
  try {
    config.value ??= await getConfig();
    const answer = await getStatus();
    status.value = answer;
    const sample = { atMs: performance.now(), pending: answer.pending, processing: answer.processing };
    samples.value = [...samples.value, sample].slice(-samplesMax);
  } catch {
    // Said by the feed's own state.
  }
}
