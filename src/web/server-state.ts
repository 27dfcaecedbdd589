/** What the page knows of the server as a whole: its limits, its state, and samples of the queue for the charts. */
import { signal } from '@preact/signals';
import { getConfig, getStatus, keyWanted } from './api.ts';
import type { WireConfig, WireStatus } from './wire.ts';

export type Sample = { readonly atMs: number; readonly pending: number; readonly processing: number };

/** Null until the server has answered. */
export const config = signal<WireConfig | null>(null);
export const status = signal<WireStatus | null>(null);
/** One each `sampleMs`, oldest first, for the last hour at most. */
export const samples = signal<readonly Sample[]>([]);

const sampleMs = 3000;
const samplesMax = 1200;

/** Asks every few seconds while the page is looked at, until `signal` aborts. Resolves as soon as it is known whether a key is needed. */
export async function watchServer(signal: AbortSignal): Promise<void> {
  const ask = (): void => {
    if (!document.hidden) void refreshServer();
  };
  const timer = setInterval(ask, sampleMs);
  document.addEventListener('visibilitychange', ask, { signal });
  signal.addEventListener('abort', () => clearInterval(timer));
  await readConfig().catch(() => undefined);
  void refreshServer();
}

/** Asks now; whether a key is needed is known afterwards. A server that does not answer leaves the last figures; the feed says that it is away. */
export async function refreshServer(): Promise<void> {
  try {
    if (config.value === null || keyWanted.value) await readConfig();
    if (keyWanted.value) return;
    const answer = await getStatus();
    status.value = answer;
    const sample = { atMs: performance.now(), pending: answer.pending, processing: answer.processing };
    samples.value = [...samples.value, sample].slice(-samplesMax);
  } catch {
    // Said by the feed's own state.
  }
}

async function readConfig(): Promise<void> {
  const answer = await getConfig();
  config.value = answer;
  keyWanted.value = answer.auth === 'key' && answer.key === null;
}
