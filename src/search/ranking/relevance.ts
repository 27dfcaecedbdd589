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
 * What a translated question found is rated by its translations, more strictly (`translation/across.ts`), and brought to the same scale.
 *
 * It is of words: what only an embedder's vectors found is rated low.
 */
import { scanTerms, type Token } from '../analysis/tokens.ts';
import type { QueryTerm } from './query-terms.ts';
import { type Collection, idf, type Scored } from './scorer.ts';

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

/** Of a question in words that nobody has translated. */
export const askedNothing: Asked = { needs: [], doubt: 0, usual: usualRating };

/** What a question of these words asks for, whose terms were looked up. */
export function askedOf(tokens: readonly Token[], terms: readonly QueryTerm[], { chunks: there, ...rest }: Collection): Asked {
  const collection = { ...rest, chunks: Math.max(chunksMin, there) };
  const known = new Map(terms.map((term) => [term.term, term]));
  const repairs = Map.groupBy(
    terms.filter(({ repairs: of }) => of !== undefined),
    ({ repairs: of }) => of!,
  );
  // An identifier is asked for by its parts, and a number, a date or a quantity by its words, however it is written.
  const values = tokens.filter(({ kind }) => kind === 'value');
  const parts = tokens.filter(({ kind }) => kind !== 'whole' && kind !== 'value');
  const distinct = new Map((parts.length > 0 ? parts : tokens).map((token) => [token.term, token]));
  const needs = [...distinct.values()].map(({ term, start, end }): Need => {
    const written = values.filter((value) => value.start <= start && end <= value.end);
    const readings = [term, ...(repairs.get(term) ?? []).map((one) => one.term), ...written.map((one) => one.term)];
    const chunks = Math.max(...readings.map((one) => known.get(one)?.postings.chunks ?? 0));
    const ways = readings.map((reading) => ({ terms: [reading], worth: 1, partly: 0 }));
    return { weight: Math.sqrt(idf(chunks, collection)), ways };
  });
  return { needs, doubt: 0, usual: usualRating };
}

/**
 * A rating to be filled for each row: by the question as it is written, or, for what its translation found, as either reading has it better (a
 * text may have a question of two languages word for word).
 */
export function ratings({ asked, askedAcross }: { readonly asked: Asked; readonly askedAcross: Asked }) {
  const [own, both] = [readings([asked]), readings([asked, askedAcross])];
  return (scored: Pick<Scored, 'across'>): Rating => new Rating(scored.across === true ? both : own);
}

/** What a question may ask for, and all terms of it. */
type Readings = { readonly all: readonly Asked[]; readonly terms: ReadonlySet<string> };

function readings(all: readonly Asked[]): Readings {
  return { all, terms: new Set(all.flatMap(({ needs }) => needs.flatMap(({ ways }) => ways.flatMap(({ terms }) => terms)))) };
}

/** Collects what of a question is in a passage, term by term, and rates it: three digits after the point. */
class Rating {
  readonly #readings: Readings;
  readonly #found = new Set<string>();

  constructor(asked: Readings) {
    this.#readings = asked;
  }

  take(term: string): void {
    if (this.#readings.terms.has(term)) this.#found.add(term);
  }

  /** All terms of a text. About 60 µs for 300 words. */
  takeAll(text: string): this {
    scanTerms(text, (term) => this.take(term));
    return this;
  }

  get value(): number {
    return Math.round(1000 * Math.max(...this.#readings.all.map((asked) => this.#rated(asked)))) / 1000;
  }

  #rated({ needs, doubt, usual }: Asked): number {
    let [all, met] = [doubt, 0];
    for (const { weight, ways } of needs) {
      all += weight;
      met += weight * Math.max(0, ...ways.map((way) => this.#metBy(way)));
    }
    return all === 0 ? 0 : onOneScale(met / all, usual);
  }

  #metBy({ terms, worth, partly }: Answering): number {
    const share = terms.filter((term) => this.#found.has(term)).length / Math.max(1, terms.length);
    return share === 1 ? worth : worth * partly * share;
  }
}

/** Two straight lines: from 0 to what is usual, and on to 1. */
function onOneScale(share: number, usual: number): number {
  if (share < usual) return (share * usualRating) / usual;
  return usualRating + ((share - usual) * (1 - usualRating)) / (1 - usual);
}
