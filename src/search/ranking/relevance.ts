/**
 * How well a passage answers a question, from 0 to 1, comparable across questions and sizes of collection: the share of what the
 * question asks for that is in the passage or in its headings, each word and each Chinese character or pair of them weighing the square root of
 * its BM25 weight. A word that was repaired counts when what it was repaired to is there.
 *
 * Measured on labelled pairs (`npm run eval -- FOLDER --unrelated OTHER`; figures in docs/decisions/0012). The square root, because a collection that
 * grows tenfold then moves a passage by 0.01 on average, where the weight itself moves it by 0.02; weighing all words alike never moves it, but
 * tells less (0.95 under the curve beside 0.96, against questions of the same language). Scores cannot tell: they grow with the number of words
 * and with the collection.
 *
 * What a translated question found is rated by its translations, more strictly (`translation/across.ts`), and brought to the same scale: a word of
 * the passage counts whole for one word of the question alone, and half of the rating is that of the best stretch of the passage, since
 * chance meets spread over it.
 *
 * It is of words: what only an embedder's vectors found is rated low.
 */
import { scanForTerms, type Token } from '../analysis/tokens.ts';
import { WantedTerms } from '../analysis/wanted-terms.ts';
import type { QueryTerm } from './query-terms.ts';
import { chunksWith, type Collection, idf, type Scored } from './scorer.ts';

/** One way to answer a need: a text has all of these terms. */
export type Answering = {
  readonly terms: readonly string[];
  /** How much of the need it meets, from 0 to 1. */
  readonly worth: number;
  /** Share of that which a text with some of the terms meets, for each share of them that it has. */
  readonly partly: number;
};

/** One thing that a question asks for; the best of these ways that a text has counts. */
export type Need = { readonly weight: number; readonly ways: readonly Answering[] };

/** All that a question asks for, in the words of one language. */
export type Asked = {
  readonly needs: readonly Need[];
  /** Weight of what no text can meet: few words met are no sure answer, where words may mean something else. */
  readonly doubt: number;
  /** What a need is met by words that met one before it, as a share. */
  readonly again: number;
  /** How much of the rating is that of the stretch of so many UTF-16 units that meets most, from 0 to 1; null where all of the text counts alike. */
  readonly stretch: { readonly units: number; readonly share: number } | null;
  /** Tells of terms that a text has beside its words, each with where it stands. */
  readonly more: (text: string, take: (term: string, at: number) => void) => void;
  /** The share that 95 % of right first hits have at least: it is rated as `usualRating`, whatever the share of such a question means. */
  readonly usual: number;
};

/** What 95 % of right first hits reach, in every language and across two. */
export const usualRating = 0.34;

/**
 * As many chunks a collection has at least, for weighing: in one of a single chunk the words that are in it would weigh next to nothing beside
 * those that are not, and the answer to the first question that somebody asks would be rated 0.31.
 */
const chunksMin = 20;

/** A collection as words are weighed in it. */
export function forWeighing(collection: Collection): Collection {
  return { ...collection, chunks: Math.max(chunksMin, collection.chunks) };
}

/** Of a question in words that nobody has translated. */
export const askedNothing: Asked = { needs: [], doubt: 0, again: 1, stretch: null, more: () => undefined, usual: usualRating };

/** What a question of these words asks for, whose terms were looked up. */
export function askedOf(tokens: readonly Token[], terms: readonly QueryTerm[], whole: Collection): Asked {
  const collection = forWeighing(whole);
  const known = new Map(terms.map((term) => [term.term, term]));
  const repairs = Map.groupBy(
    terms.filter(({ repairs: of }) => of !== undefined),
    ({ repairs: of }) => of!,
  );
  const values = tokens.filter(({ kind }) => kind === 'value');
  const distinct = new Map(askedFor(tokens).map((token) => [token.term, token]));
  const needs = [...distinct.values()].map(({ term, start, end }): Need => {
    const written = values.filter((value) => value.start <= start && end <= value.end);
    const readings = [term, ...(repairs.get(term) ?? []).map((one) => one.term), ...written.map((one) => one.term)];
    const chunks = Math.max(...readings.map((one) => (known.has(one) ? chunksWith(known.get(one)!.postings, collection) : 0)));
    const ways = readings.map((reading) => ({ terms: [reading], worth: 1, partly: 0 }));
    return { weight: Math.sqrt(idf(chunks, collection)), ways };
  });
  return { ...askedNothing, needs };
}

/**
 * What a question asks for one by one: an identifier by its parts, a number that has none as it is written first, a date or a quantity by its words,
 * however it is written.
 */
function askedFor(tokens: readonly Token[]): readonly Token[] {
  const parts = tokens.filter(({ kind }) => kind !== 'whole' && kind !== 'value');
  const isOfParts = (whole: Token): boolean => parts.some(({ start, end }) => whole.start <= start && end <= whole.end);
  const numbers = tokens.filter((token) => token.kind === 'whole' && !isOfParts(token));
  const first = new Map(numbers.toReversed().map((token) => [token.start, token]));
  const asked = [...parts, ...first.values()];
  return asked.length > 0 ? asked : tokens;
}

/**
 * A rating to be filled for each row: by the question as it is written, or, for what its translation found, as either reading has it better (a
 * text may have a question of two languages word for word).
 */
export function ratings({ asked, askedAcross }: { readonly asked: Asked; readonly askedAcross: Asked }) {
  const own = readings([asked]);
  let both: Readings | null = null;
  return (scored: Pick<Scored, 'across'>): Rating =>
    new Rating(scored.across === true ? (both ??= readings([asked, askedAcross])) : own);
}

/** What a question may ask for, and all terms of it. */
type Readings = { readonly all: readonly Asked[]; readonly terms: WantedTerms };

function readings(all: readonly Asked[]): Readings {
  return { all, terms: new WantedTerms(termsIn(all.flatMap(({ needs }) => needs))) };
}

/** All terms that a passage is rated by. */
export function termsAsked({ asked, askedAcross }: Parameters<typeof ratings>[0]): ReadonlySet<string> {
  return termsIn([...asked.needs, ...askedAcross.needs]);
}

/** Collects what of a question is in a passage, term by term, and rates it: three digits after the point. */
class Rating {
  readonly #readings: Readings;
  /** Where each term stands in the text; nowhere if only the headings have it. */
  readonly #places = new Map<string, number[]>();

  constructor(asked: Readings) {
    this.#readings = asked;
  }

  /** A term of the text, with where it stands. */
  take(term: string, at: number): void {
    this.#placesOf(term)?.push(at);
  }

  /** What a text has beside its words. */
  takeMore(text: string): this {
    for (const { more } of this.#readings.all) more(text, (term, at) => this.take(term, at));
    return this;
  }

  /** All terms of a text. About 15 µs for 300 words. */
  takeAll(text: string): this {
    scanForTerms(text, this.#readings.terms, (term, start) => this.take(term, start));
    return this.takeMore(text);
  }

  /** All terms of the headings above it. */
  takeHeadings(headings: string): this {
    scanForTerms(headings, this.#readings.terms, (term) => void this.#placesOf(term));
    return this;
  }

  get value(): number {
    return Math.round(1000 * Math.max(...this.#readings.all.map((asked) => this.#rated(asked)))) / 1000;
  }

  #placesOf(term: string): number[] | null {
    if (!this.#readings.terms.has(term)) return null;
    let places = this.#places.get(term);
    if (places === undefined) this.#places.set(term, (places = []));
    return places;
  }

  #rated({ needs, doubt, again, stretch, usual }: Asked): number {
    const all = needs.reduce((sum, { weight }) => sum + weight, doubt);
    if (all === 0) return 0;
    const some = this.#withSome(needs);
    const whole = metBy(this.#places, some, again);
    if (stretch === null) return onOneScale(whole / all, usual);
    let best = 0;
    for (const terms of this.#stretches(some, stretch.units)) best = Math.max(best, metBy(terms, some, again));
    return onOneScale(((1 - stretch.share) * whole + stretch.share * best) / all, usual);
  }

  /** The needs of which something was found, with what may meet them. */
  #withSome(needs: readonly Need[]): Need[] {
    return needs
      .map(({ weight, ways }) => ({ weight, ways: ways.filter(({ terms }) => terms.some((term) => this.#places.has(term))) }))
      .filter(({ ways }) => ways.length > 0);
  }

  /** The terms in each stretch of the text that begins with one of them, a little apart from the one before. */
  *#stretches(needs: readonly Need[], units: number): Generator<Set<string>> {
    const places = [...termsIn(needs)]
      .flatMap((term) => (this.#places.get(term) ?? []).map((at) => ({ term, at })))
      .sort((a, b) => a.at - b.at);
    let last = -Infinity;
    for (const [i, { at: start }] of places.entries()) {
      if (start < last + stretchesApart) continue;
      last = start;
      const terms = new Set<string>();
      for (let j = i; j < places.length && places[j]!.at < start + units; j++) terms.add(places[j]!.term);
      yield terms;
    }
  }
}

/** UTF-16 units between the beginnings of stretches, at least. */
const stretchesApart = 25;

function termsIn(needs: readonly Need[]): Set<string> {
  return new Set(needs.flatMap(({ ways }) => ways.flatMap(({ terms }) => terms)));
}

/** The weight of the needs that these terms meet, each by its best way. */
function metBy(found: { has(term: string): boolean }, needs: readonly Need[], again: number): number {
  const taken = new Set<string>();
  let met = 0;
  for (const { weight, ways } of needs) {
    let best = 0;
    let by: readonly string[] = [];
    for (const { terms, worth, partly } of ways) {
      const there = terms.filter((term) => found.has(term));
      const value = there.length === terms.length ? worth : (worth * partly * there.length) / terms.length;
      if (value > best) [best, by] = [value, there];
    }
    met += weight * best * (by.some((term) => taken.has(term)) ? again : 1);
    for (const term of by) taken.add(term);
  }
  return met;
}

/** Two straight lines: from 0 to what is usual, and on to 1. */
function onOneScale(share: number, usual: number): number {
  if (share < usual) return (share * usualRating) / usual;
  return usualRating + ((share - usual) * (1 - usualRating)) / (1 - usual);
}
