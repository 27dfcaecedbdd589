/** Vectors from any service that speaks OpenAI's `/v1/embeddings` (Ollama, vLLM, TEI, llama.cpp, OpenAI itself). */
import { DocumentError } from '../errors.ts';
import type { Embedder } from './embedder.ts';
import { type ModelService, postJson } from './model-service.ts';
import { toUnitLength } from './unit-length.ts';

export type OpenAiEmbedderSettings = ModelService & {
  readonly model: string;
  /** What the model gives; anything else is an error. */
  readonly dimensions: number;
  readonly queryPrefix: string;
  readonly passagePrefix: string;
};

/** One request holds at most so many texts and so many characters. */
const batchTexts = 64;
const batchCharacters = 100_000;

/** Does not contact the service until the first text. */
export function createOpenAiEmbedder(settings: OpenAiEmbedderSettings): Embedder {
  const { model, dimensions } = settings;
  return {
    id: `openai:${model}:${dimensions}`,
    dimensions,
    async embed(texts, as, signal) {
      const prefix = as === 'query' ? settings.queryPrefix : settings.passagePrefix;
      const vectors: Float32Array[] = [];
      for (const batch of batches(texts.map((text) => prefix + text))) {
        const answer = await postJson(settings, { model, input: batch, encoding_format: 'float' }, signal);
        vectors.push(...readVectors(answer, batch.length, settings));
      }
      return vectors;
    },
  };
}

function* batches(texts: readonly string[]): Generator<string[]> {
  let batch: string[] = [];
  let characters = 0;
  for (const text of texts) {
    if (batch.length === batchTexts || (batch.length > 0 && characters + text.length > batchCharacters)) {
      yield batch;
      batch = [];
      characters = 0;
    }
    batch.push(text);
    characters += text.length;
  }
  if (batch.length > 0) yield batch;
}

function readVectors(answer: unknown, count: number, { dimensions, url }: OpenAiEmbedderSettings): Float32Array[] {
  const wrong = (what: string): DocumentError =>
    new DocumentError('embedder_failed', `The model service at ${new URL(url).host} failed: ${what}`);
  const data = (answer as { data?: unknown } | null)?.data;
  if (!Array.isArray(data)) throw wrong('its answer has no "data"');
  if (data.length !== count) throw wrong(`it returned ${data.length} vectors for ${count} texts`);
  const vectors: (Float32Array | undefined)[] = Array.from({ length: count });
  for (const [position, item] of (data as { index?: unknown; embedding?: unknown }[]).entries()) {
    const index = typeof item.index === 'number' ? item.index : position;
    if (!Array.isArray(item.embedding)) throw wrong('its answer has no vector of numbers');
    if (item.embedding.length !== dimensions) {
      throw wrong(`its vectors have ${item.embedding.length} dimensions, EMBEDDINGS_DIMENSIONS says ${dimensions}`);
    }
    const vector = toUnitLength(Float32Array.from(item.embedding as number[]));
    if (vector === null) throw wrong('its vectors are not numeric or are all zero');
    vectors[index] = vector;
  }
  if (vectors.some((vector) => vector === undefined)) throw wrong('its answer is missing texts');
  return vectors as Float32Array[];
}
