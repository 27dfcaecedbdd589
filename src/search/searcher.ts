/** From a question to a page of hits. */
import type { Embedder } from '../embed/embedder.ts';
import { AppError } from '../errors.ts';
import { filteredDocuments, findDocumentById } from './catalog.ts';
import type { IndexDatabase } from './database.ts';
import type { SearchAnswer, SearchHit, SearchQuery } from './document-index.ts';
import { highlight } from './highlights.ts';
import { chunkIdOf, rankChunks } from './ranking.ts';
import type { Reranker } from './reranker.ts';
import type { Scored } from './scorer.ts';
import { Snapshot } from './snapshot.ts';
import { spread } from './spread.ts';
import { VectorSnapshot } from './vectors.ts';
import { Vocabulary } from './vocabulary.ts';

/** A question is not worth waiting longer for than this, in milliseconds. */
const embedQueryMs = 5000;
/** Vectors of the latest questions, so that the next page costs no second call. */
const queryVectorsMax = 64;

/** Hits that the reranker reads. */
const rerankedHits = 50;
const rerankMs = 10_000;

const sentences = {
  rerankerFailed: 'The reranker did not answer; these results are in the order of the index',
  embedderFailed: 'The embedder did not answer; these results are by keyword only',
  rebuilding: 'The index is being built again from the stored documents; some of them are not found yet',
  otherEmbedder: (count: number) =>
    `${count} documents were indexed with another embedder and are found by their words only; run "rag-intake reindex"`,
};

export class Searcher {
  readonly #database: IndexDatabase;
  readonly #embedder: Embedder;
  readonly #reranker: Reranker | null;
  readonly #snapshot: Snapshot;
  readonly #vectors: VectorSnapshot;
  readonly #vocabulary = new Vocabulary();
  readonly #queryVectors = new Map<string, Float32Array>();

  constructor(database: IndexDatabase, embedder: Embedder, reranker: Reranker | null) {
    this.#database = database;
    this.#embedder = embedder;
    this.#reranker = reranker;
    this.#snapshot = new Snapshot(database);
    this.#vectors = new VectorSnapshot(database, embedder.id, embedder.dimensions);
  }

  /** @throws AppError `unavailable` when the mode is vector and the embedder does not answer. */
  async search(query: SearchQuery): Promise<SearchAnswer> {
    const started = performance.now();
    const reranks = this.#reranker !== null && query.mode !== 'keyword' && query.offset < rerankedHits;
    const asked = reranks ? { ...query, offset: 0, topK: Math.max(rerankedHits, query.offset + query.topK) } : query;
    const vector = query.mode === 'keyword' || this.#embedder.dimensions === 0 ? null : await this.#embedQuery(query);
    const answer = this.#database.read(() => {
      this.#snapshot.refresh();
      const page = this.#answer(asked, vector === 'failed' ? null : vector);
      return { ...page, notice: this.#notice(query, vector === 'failed') };
    });
    const ordered = reranks ? await this.#rerank(this.#reranker!, query, answer) : answer;
    return { ...ordered, tookMs: performance.now() - started };
  }

  async #rerank(
    reranker: Reranker,
    query: SearchQuery,
    answer: Omit<SearchAnswer, 'tookMs'>,
  ): Promise<Omit<SearchAnswer, 'tookMs'>> {
    const page = (hits: readonly SearchHit[]) => hits.slice(query.offset, query.offset + query.topK);
    const read = answer.hits.slice(0, rerankedHits);
    if (read.length === 0) return answer;
    try {
      const texts = read.map((hit) => hit.text);
      const scores = await reranker.rerank(query.query, texts, AbortSignal.timeout(rerankMs));
      const ordered = read.map((hit, i) => ({ ...hit, score: scores[i]! })).sort((a, b) => b.score - a.score);
      return { ...answer, hits: page([...ordered, ...answer.hits.slice(rerankedHits)]) };
    } catch {
      return { ...answer, hits: page(answer.hits), notice: answer.notice ?? sentences.rerankerFailed };
    }
  }

  async #embedQuery({ query, mode }: SearchQuery): Promise<Float32Array | 'failed'> {
    const known = this.#queryVectors.get(query);
    if (known !== undefined) return known;
    try {
      const [vector] = await this.#embedder.embed([query], 'query', AbortSignal.timeout(embedQueryMs));
      if (this.#queryVectors.size >= queryVectorsMax) this.#queryVectors.clear();
      this.#queryVectors.set(query, vector!);
      return vector!;
    } catch (error) {
      if (mode === 'vector') throw new AppError('unavailable', 'The embedder did not answer', { cause: error });
      return 'failed';
    }
  }

  #answer(query: SearchQuery, vector: Float32Array | null): { hits: SearchHit[]; total: number } {
    const documents = filteredDocuments(this.#database, query.filter);
    const wanted = query.offset + query.topK;
    const ranked = rankChunks({
      database: this.#database,
      snapshot: this.#snapshot,
      vocabulary: this.#vocabulary,
      near: vector === null ? null : (limit) => this.#vectors.nearest(vector, limit, documents),
      query: query.query,
      mode: query.mode,
      allowed: (segment) => this.#snapshot.allowed(segment, documents),
      limit: poolSize(wanted),
    });
    const marked = new Set(ranked.terms.map((term) => term.term));
    const chars = !ranked.tokens.some((token) => token.kind === 'pair');
    const hits = spread(ranked.top)
      .slice(query.offset, wanted)
      .map((scored) => this.#toHit(scored, (text) => highlight(text, marked, { chars })));
    return { hits, total: ranked.total };
  }

  #notice(query: SearchQuery, embedderFailed: boolean): string | null {
    const state = this.#database.get("SELECT value FROM meta WHERE key = 'rebuild'")?.['value'];
    if (state === 'damaged' || state === 'running') return sentences.rebuilding;
    if (embedderFailed) return sentences.embedderFailed;
    if (query.mode === 'keyword' || this.#embedder.dimensions === 0) return null;
    const { all, same } = this.#database.get(
      'SELECT (SELECT count(*) FROM document) AS "all", (SELECT count(*) FROM document WHERE embedder = ?) AS same',
      this.#embedder.id,
    )! as { all: number; same: number };
    return all === same ? null : sentences.otherEmbedder(all - same);
  }

  #toHit(scored: Scored, mark: (text: string) => [number, number][]): SearchHit {
    const chunkId = chunkIdOf(scored);
    const { document, firstChunk } = findDocumentById(this.#database, scored.segment.runAt(scored.row).document)!;
    const row = this.#database.get('SELECT start, "end", page, page_end, section, text FROM chunk WHERE id = ?', chunkId)!;
    const text = row['text'] as string;
    return {
      score: scored.score,
      docId: document.docId,
      version: document.version,
      filename: document.filename,
      title: document.title,
      text,
      highlights: mark(text),
      chunkIndex: chunkId - firstChunk,
      start: row['start'] as number,
      end: row['end'] as number,
      page: row['page'] as number | null,
      pageEnd: row['page_end'] as number | null,
      section: JSON.parse(row['section'] as string) as string[],
    };
  }
}

/** Chunks that are ranked for a page: the same for neighbouring pages, so that paging neither repeats nor skips a hit. */
function poolSize(wanted: number): number {
  let size = 256;
  while (size < 4 * wanted) size *= 2;
  return size;
}
