/**
 * The collection that this page is about: the one its address names (`c`), else the one that was chosen in this browser, else the
 * key's own. Another one is another page: everything is read anew.
 */
import { signal } from '@preact/signals';
import { forget, remember, remembered } from './memory.ts';
import { parseRoute } from './route.ts';
import type { WireCollection, WireConfig } from './wire.ts';

/** Those that may be read here; empty until they are known. */
export const collections = signal<readonly WireCollection[]>([]);

/** As it goes with requests; null: the key's own. */
const asked = parseRoute(location.hash).parameters['c'] ?? remembered('collection');
if (asked !== null) remember('collection', asked);

/** All that may be read here, in a search. */
export const everyCollection = '*';

/** `collection=…` for an address, after `mark`: of another collection than this page's where one is named; '' for the key's own. */
export function collectionQuery(mark: '?' | '&', other: string | null = null): string {
  const name = other ?? asked;
  return name === null ? '' : `${mark}collection=${encodeURIComponent(name)}`;
}

/** The same for a JSON body. */
export function collectionMember(): { collection?: string } {
  return asked === null ? {} : { collection: asked };
}

export function currentName(config: WireConfig | null): string {
  return asked ?? config?.key?.collections?.[0] ?? 'default';
}

/** As people call it. */
export function titleOf(name: string): string {
  return collections.value.find((each) => each.name === name)?.title ?? name;
}

/** Takes what `GET /collections` says. Of one that was chosen long ago nothing may be left: then the key's own is opened. */
export function takeCollections(known: readonly WireCollection[]): void {
  collections.value = known;
  if (asked === null || known.some(({ name }) => name === asked)) return;
  forget('collection');
  open();
}

/** Opens the page on another one. */
export function switchCollection(name: string): void {
  remember('collection', name);
  open();
}

function open(): void {
  history.replaceState(null, '', `#/${parseRoute(location.hash).view}`);
  location.reload();
}

// A link into another collection, followed while the page is open.
window.addEventListener('hashchange', () => {
  const wanted = parseRoute(location.hash).parameters['c'];
  if (wanted === undefined || wanted === (asked ?? 'default')) return;
  remember('collection', wanted);
  location.reload();
});
