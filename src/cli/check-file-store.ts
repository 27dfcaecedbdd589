/** The part of the doctor that has the object store do all that servers ask of it. */
import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import type { Config } from '../config.ts';
import { openObjectStore } from '../open-storage.ts';
import { explainStart } from '../start-error.ts';
import type { Check } from './check.ts';
import { withoutSecrets } from './local-settings.ts';

type Store = NonNullable<Awaited<ReturnType<typeof openObjectStore>>>;

const name = 'file store';
const begin = 'doctor-';
/** A check takes minutes at most: what is older was left by one that was killed. */
const leftAfterMs = 3_600_000;

/** None where FILES_URL names no store. Leaves nothing there, and removes what one that was killed has left; outside of what any database keeps there. */
export async function checkFileStore(config: Config): Promise<readonly Check[]> {
  try {
    const store = await openObjectStore(config);
    return store === null ? [] : [await tryAll(store)];
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const said =
      error.cause instanceof Error ? error.cause.message : (explainStart(error, config)?.sentences.join(' ') ?? error.message);
    return [{ name, state: 'problem', sentence: withoutSecrets(`The files cannot be kept: ${said}.`) }];
  }
}

async function tryAll(store: Store): Promise<Check> {
  const key = `${begin}${Date.now()}-${randomUUID()}`;
  const startedAt = performance.now();
  try {
    await store.put(key, { bytes: key.length, content: Buffer.from(key) });
    const file = await store.get(key, null);
    const got = file === null ? '' : await text(file.stream);
    const listed: string[] = [];
    for await (const keys of store.list(begin)) listed.push(...keys);
    for (const each of [key, ...listed.filter(isLeft)]) await store.delete(each);
    if (got !== key || !listed.includes(key) || (await store.get(key, null)) !== null)
      return {
        name,
        state: 'problem',
        sentence: 'The object store does not give, list or delete what it has just taken: it cannot be used.',
      };
    const ms = Math.round(performance.now() - startedAt);
    return { name, state: 'ok', sentence: `The object store takes, gives, lists and deletes objects (${ms} ms for all).` };
  } catch (error) {
    await store.delete(key).catch(() => undefined);
    throw error;
  }
}

function isLeft(key: string): boolean {
  const [, at] = /^doctor-(\d{13})-/.exec(key) ?? [];
  return at !== undefined && Number(at) < Date.now() - leftAfterMs;
}
