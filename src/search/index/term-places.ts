/**
 * Where the segments of a collection have the terms that were looked up lately. Questions are about the same things: of what 200 of them look up, seven to nine
 * in ten were looked up by those before, and to look a term up in one segment goes through as many places of memory as this does for all of them.
 */
import type { PostingList } from './posting-blocks.ts';
import type { Segment, TermPlace } from './segments.ts';

/** By segment: null for one that has not the term, undefined for one that was not asked. */
type Places = (TermPlace | null | undefined)[];

/** Terms that are remembered, twice: when the newer half is full, the older one is dropped. Some 60 bytes for each and each segment that has it. */
const termsMax = 4096;

const known = new WeakMap<readonly Segment[], TermPlaces>();

/** What is remembered of these segments; undefined where nobody keeps them. */
export function placesIn(segments: readonly Segment[]): TermPlaces | undefined {
  return known.get(segments);
}

/** From now on places in these segments are remembered; those in segments that were there before are known already. */
export function rememberPlaces(segments: readonly Segment[], before: readonly Segment[]): void {
  known.set(segments, new TermPlaces(segments, known.get(before)));
}

export class TermPlaces {
  readonly #segments: readonly Segment[];
  #newer = new Map<string, Places>();
  #older: ReadonlyMap<string, Places>;
  /** Which of the segments of the older places each segment is, or -1. */
  #from: readonly number[];

  constructor(segments: readonly Segment[], before?: TermPlaces) {
    this.#segments = segments;
    this.#older = before === undefined ? new Map() : before.#newer;
    this.#from = segments.map((segment) => (before === undefined ? -1 : before.#segments.indexOf(segment)));
  }

  /** Terms that are remembered. */
  get size(): number {
    return this.#newer.size + this.#older.size;
  }

  /** The postings of a term, by segment. What is not at hand yet is missing, and not remembered. */
  lists(term: string): (PostingList | null)[] {
    const places = this.#placesOf(term);
    return this.#segments.map((_, at) => this.#listIn(places, at, term));
  }

  /** Those in the segment of this place among the segments. */
  listIn(term: string, at: number): PostingList | null {
    return this.#listIn(this.#placesOf(term), at, term);
  }

  #listIn(places: Places, at: number, term: string): PostingList | null {
    const segment = this.#segments[at]!;
    const place = places[at] === undefined ? (places[at] = segment.placeOf(term)) : places[at];
    return place ? segment.listAt(term, place) : null;
  }

  #placesOf(term: string): Places {
    let places = this.#newer.get(term);
    if (places !== undefined) return places;
    const older = this.#older.get(term);
    places = this.#from.map((at) => older?.[at]);
    if (this.#newer.size >= termsMax) this.#drop();
    this.#newer.set(term, places);
    return places;
  }

  #drop(): void {
    this.#older = this.#newer;
    this.#newer = new Map();
    this.#from = this.#segments.map((_, at) => at);
  }
}
