/**
 * The embedder that is always there: none. It makes no vectors; the index's own second ranking (typing errors, word forms and
 * related words learnt from the indexed texts themselves) takes their place. It is no model of meaning; for one, set another.
 */
import type { Embedder } from './embedder.ts';

/** Costs nothing and needs nothing. */
export function createBuiltinEmbedder(): Embedder {
  return {
    id: 'builtin',
    dimensions: 0,
    embed: (texts) => Promise.resolve(texts.map(() => new Float32Array(0))),
  };
}
