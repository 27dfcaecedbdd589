/**
 * What a question needs to know of a whole collection, as far as it was asked: in how many chunks terms are, and which words are near
 * another. What is not known yet is noted, and looks like nothing: it is to be asked for, and the step done again.
 */
import { isRepaired, neighboursAmong, type WordNeighbours } from '../analysis/vocabulary.ts';
import { languageMarkers, markerTerms } from '../translation/chunk-languages.ts';
import type { Language } from '../translation/concepts.ts';
import type { FollowingSearcher } from './following-searcher.ts';

/** A step asks for more in a handful of rounds at most. */
const roundsMax = 50;

export class CollectionFacts implements WordNeighbours {
  readonly #searcher: Pick<FollowingSearcher, 'count' | 'wordsLike'>;
  readonly #collection: string;
  readonly #counts = new Map<string, number>();
  readonly #words = new Map<string, readonly string[]>();
  readonly #missingTerms = new Set<string>();
  readonly #missingWords = new Set<string>();

  constructor(searcher: Pick<FollowingSearcher, 'count' | 'wordsLike'>, collection: string) {
    this.#searcher = searcher;
    this.#collection = collection;
  }

  count(term: string): number {
    const count = this.#counts.get(term);
    if (count === undefined) this.#missingTerms.add(term);
    return count ?? 0;
  }

  /**
   * How many of so many chunks are in a language, told by how many have the commonest word of each: all of them where only one language is there.
   * Must be asked for before `assumeMarkers`.
   */
  chunksIn(language: Language, chunks: number): number {
    const [zh, en] = [this.count(languageMarkers.zh), this.count(languageMarkers.en)];
    if (zh === 0 || en === 0) return chunks;
    return Math.max(1, Math.round((chunks * (language === 'zh' ? zh : en)) / (zh + en)));
  }

  /** As `Vocabulary` has it. */
  neighbours(word: string, _segments: unknown, isThere: (word: string) => boolean): string[] {
    const words = this.#words.get(word);
    if (words === undefined && isRepaired(word)) this.#missingWords.add(word);
    return neighboursAmong(words ?? [], word, isThere);
  }

  /** What `step` gives once it lacked nothing. */
  async complete<T>(step: () => T): Promise<T> {
    for (let round = 0; round < roundsMax; round += 1) {
      const value = step();
      if (this.#missingTerms.size + this.#missingWords.size === 0) return value;
      await this.#ask();
    }
    throw new Error('a search never had all that it needs');
  }

  /** Words that only tell which language a chunk is in are counted among the candidates. Call when the question's own are known. */
  assumeMarkers(): void {
    for (const term of markerTerms) if (!this.#counts.has(term)) this.#counts.set(term, 0);
  }

  /** Every word seems rare while counts are missing, so words are asked for only when none is. Each call settles what it asks for. */
  async #ask(): Promise<void> {
    const terms = [...this.#missingTerms];
    const words = terms.length > 0 ? [] : [...this.#missingWords];
    this.#missingTerms.clear();
    this.#missingWords.clear();
    const counts = terms.length === 0 ? new Map<string, number>() : await this.#searcher.count(this.#collection, terms);
    for (const term of terms) this.#counts.set(term, counts.get(term) ?? 0);
    for (const word of words) this.#words.set(word, await this.#searcher.wordsLike(this.#collection, word));
  }
}
