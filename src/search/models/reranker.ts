/** Port: a second look at the first hits by a model that reads question and text together. */

export interface Reranker {
  /**
   * How well each text answers, higher is better, in the order of the texts.
   * @throws DocumentError `embedder_failed` when the model does not answer usefully.
   */
  rerank(query: string, texts: readonly string[], signal: AbortSignal): Promise<number[]>;
}
