/**
 * One page of a list that is sorted by something that two of it may share: the first so many that come after a place, and the place where
 * the page ended, as clients carry it. The same arithmetic for documents and tasks, on every engine. Pure.
 */
import { AppError } from '../errors.ts';

export type Sort<By extends string = string> = { readonly by: By; readonly descending: boolean };

/** What is sorted by (null: it has none), then what tells equal ones apart. */
export type Place = readonly [value: string | number | null, id: string];

/** Cost: each taken is compared once with where the page begins; memory grows with `limit`, not with what is taken. */
export class OrderedPage<T> {
  readonly #limit: number;
  readonly #sort: Sort;
  readonly #after: Place | null;
  #best: { readonly place: Place; readonly item: T }[] = [];
  #isSorted = true;

  /** `after`: only what comes behind this place; null: from the beginning. */
  constructor({ limit, sort, after }: { readonly limit: number; readonly sort: Sort; readonly after: Place | null }) {
    this.#limit = limit;
    this.#sort = sort;
    this.#after = after;
  }

  take(place: Place, item: T): void {
    if (this.#after !== null && comparePlaces(place, this.#after, this.#sort) <= 0) return;
    this.#best.push({ place, item });
    this.#isSorted = false;
    // Sorted and cut each time that twice as much is there: cheap, and bounded.
    if (this.#best.length >= 2 * this.#limit + 1024) this.#cut();
  }

  done(): { readonly items: readonly T[]; readonly nextCursor: string | null } {
    this.#cut();
    const last = this.#best.length > this.#limit ? this.#best[this.#limit - 1] : undefined;
    return {
      items: this.#best.slice(0, this.#limit).map(({ item }) => item),
      nextCursor: last === undefined ? null : writePlace(last.place, this.#sort),
    };
  }

  #cut(): void {
    if (!this.#isSorted) this.#best.sort((a, b) => comparePlaces(a.place, b.place, this.#sort));
    this.#isSorted = true;
    this.#best = this.#best.slice(0, this.#limit + 1);
  }
}

/** @throws AppError `invalid_request` for a cursor that was not made here, or for another order. */
export function readPlace(cursor: string, sort: Sort): Place {
  const [by, descending, value, id] = parsed(cursor);
  const isValue = value === null || typeof value === 'string' || (typeof value === 'number' && Number.isSafeInteger(value));
  if (by === sort.by && descending === sort.descending && isValue && typeof id === 'string') {
    const place: Place = [value, id];
    if (writePlace(place, sort) === cursor) return place;
  }
  throw new AppError('invalid_request', 'cursor: not from this server, or from a list in another order');
}

/** What has no value comes last, whichever way round. */
function comparePlaces([one, oneId]: Place, [other, otherId]: Place, { descending }: Sort): number {
  const way = descending ? -1 : 1;
  if (one !== other) {
    if (one === null || other === null) return one === null ? 1 : -1;
    return one < other ? -way : way;
  }
  if (oneId === otherId) return 0;
  return oneId < otherId ? -way : way;
}

function writePlace(place: Place, { by, descending }: Sort): string {
  return Buffer.from(JSON.stringify([by, descending, ...place]), 'utf8').toString('base64url');
}

function parsed(cursor: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    return Array.isArray(value) && value.length === 4 ? value : [];
  } catch {
    return [];
  }
}
