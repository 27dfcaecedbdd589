/** From a question to a page of hits: the query's vector, the answer of an index, and the second reading of its first hits. */
import type { Embedder } from '../../embed/embedder.ts';
import { AppError } from '../../errors.ts';
import type { SearchAnswer, SearchHit, SearchQuery } from '../document-index.ts';
import type { Reranker } from '../models/reranker.ts';
import { type Stop, unstoppable } from '../stop.ts';

/** A question is not worth waiting longer for than this, in milliseconds. */
const embedQueryMs = 5000;
/** Vectors of the latest questions, so that the next page costs no second call. */
const queryVectorsMax = 64;

/** Hits that the reranker reads. */
const rerankedHits = 50;
const rerankMs = 10_000;

const sentences = {
  rerankerFailed: 'The reranker did not answer; these results are in the order of the index.',
  embedderFailed: 'The embedder did not answer; these results are by keyword only.',
  otherEmbedder: (count: number) =>
    `Documents that were indexed with another embedder are found by keyword only (${count} of them); run "rag-intake reindex".`,
};

export type IndexAnswer = {
  readonly hits: readonly SearchHit[];
  readonly total: number;
  /** What the index itself has to say. */
  readonly notice: string | null;
  /** The question as it was read, where words of it were repaired; else null. */
  readonly shownFor: string | null;
  /** Documents whose vectors are another embedder's. */
  readonly foreign: number;
};

/** An index as a searcher asks it; `vector` is null in keyword mode and where there is none. */
export type AskIndex = (query: SearchQuery, vector: Float32Array | null, stop: Stop) => IndexAnswer | Promise<IndexAnswer>;

export class Searcher {
  readonly #askIndex: AskIndex;
  readonly #embedder: Embedder;
  readonly #reranker: Reranker | null;
  readonly #queryVectors = new Map<string, Float32Array>();

  constructor(askIndex: AskIndex, embedder: Embedder, reranker: Reranker | null) {
    this.#askIndex = askIndex;
    this.#embedder = embedder;
    this.#reranker = reranker;
  }

  /** @throws AppError `unavailable` when the mode is vector and the embedder does not answer, and when it was stopped. */
  async search(query: SearchQuery, stop: Stop = unstoppable): Promise<SearchAnswer> {
    const started = performance.now();
    const reranks = this.#reranker !== null && query.mode !== 'keyword' && query.offset < rerankedHits;
    const asked = reranks ? { ...query, offset: 0, topK: Math.max(rerankedHits, query.offset + query.topK) } : query;
    const vector = query.mode === 'keyword' || this.#embedder.dimensions === 0 ? null : await this.#embedQuery(query, stop.signal);
    stop.check();
    const answer = await this.#askIndex(asked, vector === 'failed' ? null : vector, stop);
    stop.check();
    const { hits, total, shownFor } = answer;
    const found = { hits, total, shownFor, notice: this.#notice(query, answer, vector === 'failed') };
    const ordered = reranks ? await this.#rerank(this.#reranker!, query, found, stop.signal) : found;
    return { ...ordered, tookMs: performance.now() - started };
  }

  #notice(query: SearchQuery, answer: IndexAnswer, embedderFailed: boolean): string | null {
    if (answer.notice !== null) return answer.notice;
    if (embedderFailed) return sentences.embedderFailed;
    if (query.mode === 'keyword' || this.#embedder.dimensions === 0 || answer.foreign === 0) return null;
    return sentences.otherEmbedder(answer.foreign);
  }

  async #rerank(
    reranker: Reranker,
    query: SearchQuery,
    answer: Omit<SearchAnswer, 'tookMs'>,
    signal: AbortSignal,
  ): Promise<Omit<SearchAnswer, 'tookMs'>> {
    const page = (hits: readonly SearchHit[]) => hits.slice(query.offset, query.offset + query.topK);
    const read = answer.hits.slice(0, rerankedHits);
    if (read.length === 0) return answer;
    try {
      const texts = read.map((hit) => hit.text);
      const scores = await reranker.rerank(query.query, texts, AbortSignal.any([signal, AbortSignal.timeout(rerankMs)]));
      const ordered = read.map((hit, i) => ({ ...hit, score: scores[i]! })).sort((a, b) => b.score - a.score);
      return { ...answer, hits: page([...ordered, ...answer.hits.slice(rerankedHits)]) };
    } catch {
      return { ...answer, hits: page(answer.hits), notice: answer.notice ?? sentences.rerankerFailed };
    }
  }

  async #embedQuery({ query, mode }: SearchQuery, signal: AbortSignal): Promise<Float32Array | 'failed'> {
    const known = this.#queryVectors.get(query);
    if (known !== undefined) return known;
    try {
      const within = AbortSignal.any([signal, AbortSignal.timeout(embedQueryMs)]);
      const [vector] = await this.#embedder.embed([query], 'query', within);
      if (this.#queryVectors.size >= queryVectorsMax) this.#queryVectors.clear();
      this.#queryVectors.set(query, vector!);
      return vector!;
    } catch (error) {
      if (mode === 'vector') throw new AppError('unavailable', 'The embedder did not answer.', { cause: error });
      return 'failed';
    }
  }
}
