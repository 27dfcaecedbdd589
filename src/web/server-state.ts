/** What the page knows of the server as a whole: its limits and its state. */
import { signal } from '@preact/signals';
import { ApiError, getConfig, getStatus, keyWanted } from './api.ts';
import type { WireConfig, WireStatus } from './wire.ts';

/** Null until the server has answered. */
export const config = signal<WireConfig | null>(null);
export const status = signal<WireStatus | null>(null);
/** It answers, but only that it is not ready yet. */
export const notReady = signal(false);

const askMs = 3000;

/** Asks every few seconds while the page is looked at, until `signal` aborts. Resolves as soon as it is known whether a key is needed. */
export async function watchServer(signal: AbortSignal): Promise<void> {
  const ask = (): void => {
    if (!document.hidden) void refreshServer();
  };
  const timer = setInterval(ask, askMs);
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
    status.value = await getStatus();
    notReady.value = false;
  } catch (error) {
    // That it is away is said by the feed's own state.
    notReady.value = error instanceof ApiError && error.status === 503;
  }
}

async function readConfig(): Promise<void> {
  const answer = await getConfig();
  config.value = answer;
  keyWanted.value = answer.auth === 'key' && answer.key === null;
}
