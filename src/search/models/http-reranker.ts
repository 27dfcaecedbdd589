/** A `/rerank` service: Jina, Cohere, vLLM, llama.cpp (`results` with `relevance_score`) or TEI (a list with `score`). */
import { type ModelService, postJson } from '../../embed/model-service.ts';
import { DocumentError } from '../../errors.ts';
import type { Reranker } from './reranker.ts';

export type HttpRerankerSettings = ModelService & { readonly model: string };

export function createHttpReranker(settings: HttpRerankerSettings): Reranker {
  return {
    async rerank(query, texts, signal) {
      const body = {
        ...(settings.model === '' ? {} : { model: settings.model }),
        query,
        documents: texts,
        texts,
        top_n: texts.length,
      };
      return readScores(await postJson(settings, body, signal), texts.length);
    },
  };
}

function readScores(answer: unknown, count: number): number[] {
  const list = Array.isArray(answer) ? answer : (answer as { results?: unknown } | null)?.results;
  if (!Array.isArray(list)) throw new DocumentError('embedder_failed', 'The reranker failed: its answer has no "results"');
  const scores = Array.from({ length: count }, () => Number.NaN);
  for (const item of list as { index?: unknown; relevance_score?: unknown; score?: unknown }[]) {
    if (typeof item.index === 'number' && item.index < count) scores[item.index] = Number(item.relevance_score ?? item.score);
  }
  if (!scores.every(Number.isFinite))
    throw new DocumentError('embedder_failed', 'The reranker failed: its answer is missing texts');
  return scores;
}
