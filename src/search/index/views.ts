/**
 * What a reader keeps in memory of the collections that were searched last. A collection that nobody asks for costs nothing: its
 * segments, its words and the bits of its vectors are read when it is searched, and let go of when many others were searched since.
 */
import type { Snapshot } from './snapshot.ts';

/** Segments of other collections that are kept beside those of the one that is searched. */
const segmentsKeptMax = 2000;
/** Collections that are kept, however small. */
const viewsKeptMax = 500;

export interface Views<V> {
  /** The view of a collection, made when there is none. It is the newest one then. */
  of(collection: string): V;
}

/** Views as `make` makes them, the least recently used ones dropped. */
export function createViews<V extends { readonly snapshot: Snapshot }>(make: (collection: string) => V): Views<V> {
  const views = new Map<string, V>();

  function trim(current: string): void {
    let segments = 0;
    for (const { snapshot } of views.values()) segments += snapshot.segments.length;
    for (const [name, view] of views) {
      if (segments <= segmentsKeptMax && views.size <= viewsKeptMax) return;
      if (name === current) continue;
      segments -= view.snapshot.segments.length;
      views.delete(name);
    }
  }

  return {
    of(collection) {
      const known = views.get(collection);
      views.delete(collection);
      const view = known ?? make(collection);
      views.set(collection, view);
      if (known === undefined) trim(collection);
      return view;
    },
  };
}
