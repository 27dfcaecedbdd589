/** Port: text to vectors. */

export interface Embedder {
  /** Names the model and its version; vectors of two ids must never be compared. */
  readonly id: string;
  readonly dimensions: number;
  /**
   * One vector of unit length per text, in order. `as` matters for models trained with different prefixes.
   * @throws DocumentError `embedder_failed` (retryable) when a service does not answer usefully.
   */
  embed(texts: readonly string[], as: 'passage' | 'query', signal?: AbortSignal): Promise<Float32Array[]>;
}
