/** Embedders that behave as models do, without one: one that knows words only, one that knows nothing, ones that mislead. */
import { createHash } from 'node:crypto';
import type { Embedder } from '../../src/embed/embedder.ts';
import { tokenize } from '../../src/search/analysis/tokens.ts';

const dimensions = 128;

/** `model`: what the words-only model makes of a passage that answers a text, so that a question is understood as well as wanted. */
export function simulatedEmbedders(answersOf: (question: string) => readonly string[] = () => []) {
  return {
    /** A weak model: the words of a text thrown together, no more meaning than they have. */
    words: embedder('words', (text) => ofWords(text)),
    /** A small model that knows a little of what a question means beyond its words. */
    model: embedder('model', (text, as) =>
      as === 'passage' ? ofWords(text) : plus([ofWords(text), ...answersOf(text).map((answer) => scaled(ofWords(answer), 0.5))]),
    ),
    /** Knows nothing: every text lies anywhere. */
    random: embedder('random', (text, as) => noise(`${as} ${text}`)),
    /** Knows nothing, and a tenth of all texts is near every question. */
    hubs: embedder('hubs', (text, as) =>
      as === 'query' || isHub(text) ? plus([noise('hub'), scaled(noise(text), 0.1)]) : noise(text),
    ),
    /** What is far is near. */
    reversed: embedder('reversed', (text, as) => scaled(ofWords(text), as === 'query' ? -1 : 1)),
    /** All texts are one. */
    constant: embedder('constant', () => noise('constant')),
  } satisfies Record<string, Embedder>;
}

export type SimulatedEmbedder = keyof ReturnType<typeof simulatedEmbedders>;

function embedder(id: string, vectorOf: (text: string, as: 'passage' | 'query') => Float32Array): Embedder {
  const embed: Embedder['embed'] = async (texts, as) => texts.map((text) => unit(vectorOf(text, as)));
  return { id: `simulated-${id}`, dimensions, embed };
}

function ofWords(text: string): Float32Array {
  const counts = new Map<string, number>();
  for (const { term, kind } of tokenize(text))
    if (kind === 'word' || kind === 'pair') counts.set(term, (counts.get(term) ?? 0) + 1);
  return unit(plus([...counts].map(([term, count]) => scaled(noise(term), Math.sqrt(count)))));
}

const known = new Map<string, Float32Array>();

/** A direction that is always the same for the same text. */
function noise(text: string): Float32Array {
  const found = known.get(text);
  if (found !== undefined) return found;
  const digest = createHash('shake256', { outputLength: dimensions }).update(text).digest();
  const made = unit(Float32Array.from(digest, (byte) => byte - 127.5));
  if (known.size < 100_000) known.set(text, made);
  return made;
}

function isHub(text: string): boolean {
  return createHash('sha256').update(text).digest()[0]! < 26;
}

function plus(vectors: readonly Float32Array[]): Float32Array {
  const sum = new Float32Array(dimensions);
  for (const vector of vectors) for (let i = 0; i < dimensions; i++) sum[i]! += vector[i]!;
  return sum;
}

function scaled(vector: Float32Array, by: number): Float32Array {
  return vector.map((value) => by * value);
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  return length === 0 ? noise('nothing') : scaled(vector, 1 / length);
}
