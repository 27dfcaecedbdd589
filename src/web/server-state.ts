/** What the page knows of the server as a whole: its limits and its state. */
import { computed, signal } from '@preact/signals';
import { ApiError, getConfig, getStatus, keyWanted, listCollections } from './api.ts';
import { collections, currentName, takeCollections } from './collection.ts';
import type { WireConfig, WireStatus } from './wire.ts';

/** Null until the server has answered. */
export const config = signal<WireConfig | null>(null);
export const status = signal<WireStatus | null>(null);
/** It answers, but only that it is not ready yet. */
export const notReady = signal(false);
/** It takes requests and answers none: frozen, or too slow to tell. Known within `askMs + patienceMs`. */
export const silent = signal(false);

/** What the key of this page may do; without keys, everything. */
export const mayWrite = computed(() => config.value?.auth !== 'key' || ['write', 'admin'].includes(config.value.key?.scope ?? ''));

/** Keys and collections are an administrator's. */
export const mayManage = computed(() => config.value?.auth !== 'key' || config.value.key?.scope === 'admin');

const askMs = 2000;
const patienceMs = 2500;
let asking = false;

/** Asks every few seconds while the page is looked at, until `signal` aborts. Resolves as soon as it is known whether a key is needed. */
export async function watchServer(signal: AbortSignal): Promise<void> {
  const ask = (): void => {
    if (document.hidden || asking) return;
    asking = true;
    void refreshServer().finally(() => {
      asking = false;
    });
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
    const isUnknown = config.value === null || (config.value.auth === 'key' && config.value.key === null);
    if (isUnknown || keyWanted.value) await readConfig();
    if (keyWanted.value) return;
    const before = status.value?.documents;
    status.value = await getStatus(AbortSignal.timeout(patienceMs));
    if (before !== status.value.documents) void readCollections();
    notReady.value = false;
    silent.value = false;
  } catch (error) {
    // That it is away is said by the feed's own state.
    notReady.value = error instanceof ApiError && error.status === 503;
    silent.value = error instanceof DOMException && error.name === 'TimeoutError';
  }
}

/** How many documents the collection of this page has. */
export const documentCount = computed(() => {
  const current = collections.value.find(({ name }) => name === currentName(config.value));
  return current?.documents ?? status.value?.documents ?? 0;
});

/** Reads them again, for what was changed on this page. */
export async function readCollections(): Promise<void> {
  const answer = await listCollections().catch(() => null);
  if (answer !== null) takeCollections(answer.collections);
}

async function readConfig(): Promise<void> {
  const answer = await getConfig();
  config.value = answer;
  keyWanted.value = answer.auth === 'key' && answer.key === null;
}
